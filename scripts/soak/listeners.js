'use strict'

// Listeners that check their arguments: that they are whole, in order, and new.

const { PURPOSE } = require('./checks.js')
const { isWhole } = require('./loads.js')

const LIMIT_MS = 30

/** How listeners behave, by how many do. */
const BEHAVIOURS = {
  quick: 10,
  later: 4,
  failing: 1,
  rejecting: 1,
  slow: 1,
  stuck: 0.5,
}

const turn = () => new Promise((resolve) => setImmediate(resolve))

function burn(ms) {
  for (const end = performance.now() + ms; performance.now() < end; );
}

/** The work of a listener, once it has checked its event. */
function behave(random, behaviour) {
  switch (behaviour) {
    case 'later':
      return turn()
    case 'rejecting':
      return turn().then(() => Promise.reject(new Error(PURPOSE)))
    case 'slow':
      return random.chance(1 / 50) && burn(2)
    case 'stuck':
      return new Promise(() => {})
    case 'failing':
      throw new Error(PURPOSE)
  }
}

class Order {
  /** @type {Map<string, number>} the last number of each that emits */
  #last = new Map()
  #thread

  constructor(thread) {
    this.#thread = thread
  }

  /**
   * Events of another thread come in its order. Those of this one come from each of its buses in order: events of other
   * buses go through the engine, those of the same do not.
   */
  isNext({ thread, bus, sequence }) {
    const from = thread === this.#thread ? `bus ${bus}` : `thread ${thread}`
    const last = this.#last.get(from) ?? -1
    this.#last.set(from, sequence)
    return sequence > last
  }
}

/**
 * A listener of `event`, and the options that it is registered with.
 *
 * @param {{ random, ledger, checks, thread: number }} actor
 */
function makeListener({ random, ledger, checks, thread }, event) {
  const behaviour = random.weighted(BEHAVIOURS)
  const isOnce = event === 'plain' && random.chance(0.1)
  const order = new Order(thread)
  let calls = 0
  const listener = (mark, load) => {
    calls++
    ledger.add('heard')
    if (isOnce && calls > 1) checks.violated(`a once listener of ${event} was called ${calls} times`)
    if (event === 'plain' && !order.isNext(mark)) checks.violated('an event came again, or too late', mark)
    if (event !== 'plain' && !ledger.startOnce(mark.event)) checks.violated(`${event} was started twice`, mark)
    if (!isWhole(load)) checks.violated('an event did not come whole', load)
    if (mark.isCounted) ledger.called(mark.bus)
    const result = behave(random, behaviour)
    return event === 'requested' ? Promise.resolve(result).then(() => mark.event) : result
  }
  const options = { once: isOnce }
  if (behaviour === 'stuck' || random.chance(0.1)) options.timeout = random.integer(1, LIMIT_MS)
  if (event === 'grouped') options.group = 'g'
  if (event === 'plain') options.group = null
  return { event, listener, options }
}

module.exports = { makeListener, behave, burn, turn, BEHAVIOURS }
