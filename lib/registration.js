'use strict'

// A listener registered with options: `on(event, listener, { once, signal, timeout })`.
//
// EventEmitter stores functions, so the options live in a function around the listener. Its `listener`
// property names the original, which is how EventEmitter finds it for `off`, `listeners()` and `newListener`.

const { clearTimeout, setTimeout } = require('node:timers')
const { ListenerTimeoutError } = require('./errors.js')

/** @type {WeakMap<Function, Registration>} by the function that EventEmitter stores */
const registrations = new WeakMap()

class Registration {
  /** Removed for an emission that is queued: no later one may have it. */
  claimed = false
  #release = undefined

  /**
   * @param {import('../index.js').ParallelEventBus} bus
   * @param {{ once?: boolean, timeout?: number }} options
   */
  constructor(bus, event, listener, { once = false, timeout }) {
    this.once = once
    /** What an emission calls. */
    this.target = timeout === undefined ? listener : limited(event, listener, timeout)
    /** What EventEmitter stores. */
    this.stored = once ? onceFunction(bus, event, listener, this) : this.target
    registrations.set(this.stored, this)
  }

  /** Calls `remove` when the signal aborts, unless the listener is gone by then. */
  removeOn(signal, remove) {
    signal.addEventListener('abort', remove, { once: true })
    this.#release = () => signal.removeEventListener('abort', remove)
  }

  /** The listener was removed: lets go of the signal. */
  removed() {
    this.#release?.()
    this.#release = undefined
  }
}

/** What `rawListeners()` shows: called by hand, it removes itself and calls the listener, as EventEmitter's does. */
function onceFunction(bus, event, listener, registration) {
  function once(...args) {
    if (registration.claimed) return undefined
    registration.claimed = true
    bus.removeListener(event, once)
    return Reflect.apply(registration.target, this, args)
  }
  once.listener = listener
  return once
}

/** Fails with a ListenerTimeoutError where `listener` has not settled `timeout` ms after its start. */
function limited(event, listener, timeout) {
  function call(...args) {
    const result = Reflect.apply(listener, this, args)
    if (typeof result?.then !== 'function') return result
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new ListenerTimeoutError(event, listener, timeout)), timeout)
      const settled = (settle) => (value) => {
        clearTimeout(timer)
        settle(value)
      }
      result.then(settled(resolve), settled(reject))
    })
  }
  call.listener = listener
  return call
}

module.exports = { Registration, registrations }
