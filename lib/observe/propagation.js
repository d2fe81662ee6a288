'use strict'

// `propagate`: a context that a program has beside AsyncLocalStorage, such as that of a trace, goes with the events of a bus
// to their listeners. At the emit, `inject` returns headers; `extract` gets them around the call of each listener, in
// whatever thread. None of them can keep an event from its listeners: what they throw is a warning.

const { now } = require('../metrics/timed.js')
const { hasToWait, originalOf, standIn, storedOf } = require('../listeners/registration.js')

/** Largest size of headers, in characters of their names and values. */
const LARGEST = 8192
const NONE = Object.freeze({})

class Propagation {
  #tracker
  #propagate

  /** @param {import('../../index.js').Propagate} propagate */
  constructor(tracker, propagate) {
    this.#tracker = tracker
    this.#propagate = propagate
  }

  /** Returns the headers of an event; null for none. */
  inject(event, args) {
    try {
      return checked(this.#propagate.inject({ bus: this.#tracker.bus, event, args }))
    } catch (error) {
      this.#tracker.reporter.propagationFailed('inject', event, error)
      return null
    }
  }

  /**
   * Puts `extract` around the listeners of an emission.
   *
   * @param {number | undefined} emittedAt by the clock of the process
   */
  carry(emission, headers, emittedAt) {
    const { listeners } = emission
    const carried = (called) => this.#carried(emission, called, headers ?? NONE, emittedAt)
    emission.listeners = typeof listeners === 'function' ? carried(listeners) : listeners.map(carried)
  }

  #carried({ event, bus }, called, headers, emittedAt) {
    const { reporter } = this.#tracker
    const propagate = this.#propagate
    function listener(...args) {
      // It is called once more, when it need not wait any longer.
      if (hasToWait(called)) return Reflect.apply(called, this, args)
      /** @type {{ value?: unknown, error?: unknown, hasFailed: boolean } | null} what became of the listener */
      let outcome = null
      const run = () => {
        outcome ??= attempt(() => Reflect.apply(called, this, args))
        if (outcome.hasFailed) throw outcome.error
        return outcome.value
      }
      try {
        const waited = emittedAt === undefined ? undefined : Math.max(0, now() - emittedAt)
        propagate.extract(headers, run, { bus, event, args, listener: originalOf(called), waited })
      } catch (error) {
        if (!(outcome?.hasFailed && outcome.error === error)) reporter.propagationFailed('extract', event, error)
      }
      // Also where it was not called yet.
      return run()
    }
    return standIn(listener, storedOf(called))
  }
}

function attempt(work) {
  try {
    return { value: work(), hasFailed: false }
  } catch (error) {
    return { error, hasFailed: true }
  }
}

/** Returns a copy of headers. Throws for what are none. */
function checked(headers) {
  if (headers === undefined || headers === null) return null
  if (typeof headers !== 'object')
    throw new TypeError(`headers must be an object of strings, and are ${typeof headers}`)
  let size = 0
  const copy = {}
  for (const [name, value] of Object.entries(headers)) {
    if (typeof value !== 'string') throw new TypeError(`the header '${name}' must be a string, and is ${typeof value}`)
    size += name.length + value.length
    copy[name] = value
  }
  if (size > LARGEST) throw new RangeError(`headers have ${size} characters, and may have ${LARGEST}`)
  return copy
}

module.exports = { Propagation }
