'use strict'

// A listener registered with options: `on(event, listener, { once, signal, timeout })`.
//
// EventEmitter stores functions, so the options live in a function around the listener. Its `listener`
// property names the original, which is how EventEmitter finds it for `off`, `listeners()` and `newListener`.

const { clearTimeout, setTimeout } = require('node:timers')
const { ListenerTimeoutError } = require('./errors.js')
const { onAbort } = require('./signals.js')

const registration = Symbol('registration')

class Registration {
  /** Taken by an emission that is queued: no later one may have it. */
  claimed = false
  /** EventEmitter has it. What it stores may be passed to `on` again, by who got it from `rawListeners()`. */
  added = false
  /** On a channel: the bus's membership, and the id by which the engine knows this listener. */
  membership = null
  id = 0
  /** On a channel: a listener removed it, which holds for events that are on their way, too. */
  withdrawn = false
  #release = undefined
  #removed = false

  /** @param {{ once?: boolean, timeout?: number, group?: string }} options */
  constructor(bus, event, listener, { once = false, timeout, group }) {
    this.event = event
    this.once = once
    this.timeout = timeout
    this.group = group
    this.target = timeout === undefined ? listener : limited(event, listener, timeout)
    /** What EventEmitter stores. A function of its own for each registration, even of the same listener. */
    this.stored = once ? onceFunction(bus, event, this) : callFunction(this)
    this.stored.listener = listener
    this.stored[registration] = this
  }

  /** It does not get every event: only its first, or those that its group assigns to it. */
  get isSpecial() {
    return this.once || this.group !== undefined
  }

  /** What an emission calls that has claimed a `once` listener. */
  claim() {
    this.claimed = true
    return standIn(callFunction(this), this.stored)
  }

  /** The registration behind a function that EventEmitter stores, if it was made with options. */
  static of(stored) {
    try {
      return stored?.[registration]
    } catch {
      // A proxy that refuses to be read: not one of ours.
      return undefined
    }
  }

  /** Calls `remove` when the signal aborts, unless the listener is gone by then. */
  removeOn(signal, remove) {
    this.#release = onAbort(signal, remove)
  }

  /** The listener was removed: lets go of the signal. Returns false if it was removed before. */
  remove() {
    if (this.#removed) return false
    this.#removed = true
    this.#release?.()
    return true
  }
}

/** Marks a function that an emission calls in place of a stored one, so that a removal of that finds it. */
function standIn(called, stored) {
  called.listener = originalOf(stored)
  called.standsFor = stored
  return called
}

/** What EventEmitter stores, or stored, for a function that an emission calls. */
function storedOf(called) {
  return called.standsFor ?? called
}

/** The listener as it was passed to `on`. Reading the property may fail where it is somebody else's. */
function originalOf(stored) {
  try {
    const { listener } = stored
    return typeof listener === 'function' ? listener : stored
  } catch {
    return stored
  }
}

function callFunction({ target }) {
  return function call(...args) {
    return Reflect.apply(target, this, args)
  }
}

/** What `rawListeners()` shows: called by hand, it removes itself and calls the listener, as EventEmitter's does. */
function onceFunction(bus, event, registration) {
  return function once(...args) {
    if (registration.claimed) return undefined
    registration.claimed = true
    bus.removeListener(event, once)
    return Reflect.apply(registration.target, this, args)
  }
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
      // Promise.resolve, because what is only like a promise may settle with another, or throw.
      Promise.resolve(result).then(settled(resolve), settled(reject))
    })
  }
  call.listener = listener
  return call
}

module.exports = { Registration, originalOf, standIn, storedOf }
