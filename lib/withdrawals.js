'use strict'

// What `off` inside a listener takes back from emissions that are already queued.
//
// With a synchronous emitter, a listener that removes another one while event 1 is delivered also keeps it from
// event 2, because event 2 has not been emitted yet. Here event 2 may be queued already, with its listeners
// settled. So a removal made inside a listener is noted, and applied to the queued emissions when they start.
//
// It concerns only those that a synchronous emitter would have delivered later. An emission made *by* a
// listener is delivered within that listener there, so its place in the order is that of the emission the
// listener was called for: its rank. A removal holds for emissions of the same or a later rank that were
// queued before the removing listener's own emission was started.

const outbox = require('./outbox.js')
const { originalOf } = require('./registration.js')
const { keyOf } = require('./validate.js')

/** Stands for every listener of an event, or for every event. */
const ALL = Symbol('all')

class Withdrawals {
  /** @type {Map<string | symbol, Array<{ listener: Function | symbol, rank: number, upTo: number }>>} */
  #removals = new Map()
  /** The last emission, by its number on this thread, that any removal here concerns. */
  #upTo = 0
  /** Emissions of one burst share their list of listeners, so one answer serves many. */
  #answer = null

  note(event, listener) {
    const upTo = outbox.emittedBefore
    const removal = { listener, rank: outbox.current.rank, upTo }
    const removals = this.#removals.get(keyOf(event))
    if (removals === undefined) this.#removals.set(keyOf(event), [removal])
    else removals.push(removal)
    this.#upTo = upTo
    this.#answer = null
  }

  /** Whether nothing noted concerns the emission that is being started or any later one. */
  get isPast() {
    return outbox.started > this.#upTo
  }

  /** The listeners of an emission that is being started, without those that were withdrawn. */
  remaining(emission) {
    const { event, listeners, rank } = emission
    const number = outbox.started
    const known = this.#answer
    if (known !== null && known.event === event && known.listeners === listeners) {
      if (rank >= known.rank && number <= known.upTo) return known.remaining
    }
    const noted = [...(this.#removals.get(keyOf(event)) ?? []), ...(this.#removals.get(ALL) ?? [])]
    const removals = noted.filter((removal) => rank >= removal.rank && number <= removal.upTo)
    const remaining = without(listeners, removals)
    // The answer can serve others only where every removal applied: then it depends on these bounds alone.
    this.#answer = removals.length < noted.length ? null : { event, listeners, remaining, ...boundsOf(removals) }
    return remaining
  }
}

function boundsOf(removals) {
  const bounds = { rank: 0, upTo: Infinity }
  for (const { rank, upTo } of removals) {
    bounds.rank = Math.max(bounds.rank, rank)
    bounds.upTo = Math.min(bounds.upTo, upTo)
  }
  return bounds
}

function without(listeners, removals) {
  if (removals.length === 0) return listeners
  const remaining = typeof listeners === 'function' ? [listeners] : listeners.slice()
  for (const { listener } of removals) {
    if (listener === ALL) return []
    // The one added last goes first, as in EventEmitter.
    const index = remaining.findLastIndex((each) => isOf(each, listener))
    if (index >= 0) remaining.splice(index, 1)
  }
  return remaining
}

/** Whether what an emission calls is what `off(event, listener)` removes. */
function isOf(called, listener) {
  return called === listener || called.standsFor === listener || originalOf(called) === originalOf(listener)
}

module.exports = { Withdrawals, ALL }
