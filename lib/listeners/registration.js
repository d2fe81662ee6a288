'use strict'

// A listener registered with options: `on(event, listener, { once, signal, timeout })`.
//
// EventEmitter stores functions, so the options live in a function around the listener. Its `listener`
// property names the original, which is how EventEmitter finds it for `off`, `listeners()` and `newListener`.
//
// A property of a function counts only if it was made here, for that very function. A mock, or the proxy of a remote
// object, has a value for any name, and a wrapper may have copied properties.

const { performance } = require('node:perf_hooks')
const { clearTimeout, setTimeout } = require('node:timers')
const { ListenerTimeoutError } = require('../errors.js')
const { NativePromise, adopt, follow, thenOf } = require('../promises.js')
const { lazily } = require('../lazily.js')
const { Gate } = require('../local/gate.js')
const runQueue = require('../local/run-queue.js')
const { keyOf } = require('../validate.js')

const aborting = lazily(() => require('./abort.js'))
const contexts = lazily(() => require('../local/context.js'))

const REGISTRATION = Symbol('registration')
const STAND_IN = Symbol('stands for')

class Registration {
  /** True if a queued emission has taken it: no later one may have it. */
  claimed = false
  /** True if EventEmitter has it. */
  added = false
  /** True if EventEmitter never had it. */
  isNew = true
  /** On a channel: the bus's member, and the id by which the engine knows this listener. */
  member = null
  id = 0
  /** On a channel: true if a listener removed it. That holds for events that are on their way, too. */
  isRemoved = false
  /**
   * Rank behind which calls that wait at the gate are not wanted: a listener of such an event has removed it. See
   * `removals.js`.
   */
  removedFrom = Number.POSITIVE_INFINITY
  #release = undefined

  /**
   * @param {{ once?: boolean, timeout?: number, group?: string, signal?: AbortSignal, concurrency?: number, context?: boolean,
   * shared?: Gate }} options `shared` is the gate of several listeners
   * @param {Function} [alias] the stored function of another registration, if the listener was passed as that
   */
  constructor(bus, event, listener, options = {}, alias = undefined) {
    const { once = false, timeout, group, signal, concurrency, context = false, shared } = options
    this.bus = bus
    this.event = event
    this.listener = listener
    this.once = once
    this.timeout = timeout
    this.group = group
    this.signal = signal
    this.alias = alias
    /** What keeps calls waiting beyond `concurrency`, or null. */
    this.gate = gateOf(concurrency, shared)
    this.concurrency = concurrency
    this.context = context
    const inTime = timeout === undefined ? listener : timed(event, listener, timeout, context)
    /** The listener, within its timeout, for calls by hand; and for emissions, once its gate lets them. */
    this.within = context ? told(this, inTime, () => new (contexts().Scope)()) : inTime
    this.admitted = context ? told(this, inTime, contexts().currentScope) : inTime
    /** What emissions call. */
    this.target = this.gate === null ? this.admitted : gated(this)
    /** EventEmitter's entry. A function of its own for each registration, even of the same listener. */
    this.stored = once ? onceFunction(this) : callFunction(this.within)
    this.stored.listener = listener
    this.stored[REGISTRATION] = this
    if (this.within !== listener) standIn(this.within, this.stored)
    if (this.admitted !== this.within) standIn(this.admitted, this.stored)
    if (this.target !== this.admitted) standIn(this.target, this.stored)
  }

  /** True if it does not get every event: only its first, or those that its group assigns to it. */
  get isSpecial() {
    return this.once || this.group !== undefined
  }

  /** True if emissions call another function than EventEmitter's entry. */
  get isReplaced() {
    return this.isSpecial || this.target !== this.within
  }

  /** Returns true if it may be registered again as it is, for an event of a bus. */
  isFreeFor(bus, event) {
    return !this.isNew && !this.added && this.bus === bus && keyOf(this.event) === keyOf(event)
  }

  /** Notes that EventEmitter has it. */
  wasAdded() {
    this.added = true
    this.isNew = false
    this.gate?.registrations.add(this)
  }

  /** Notes a removal. By a listener, it holds for calls that wait, as for emissions that are queued. */
  wasRemoved() {
    const { current } = runQueue
    if (current !== null) this.removedFrom = Math.min(this.removedFrom, current.rank)
  }

  /** Notes that a listener which removed it has added it again: it was never away. */
  isBack() {
    this.isRemoved = false
    this.removedFrom = Number.POSITIVE_INFINITY
  }

  /** Returns itself as it was before it was added. */
  renewed() {
    this.isNew = true
    this.claimed = false
    this.isBack()
    return this
  }

  /** Claims a `once` listener for an emission, and returns the function that it is to call. */
  claim() {
    this.claimed = true
    return standIn(callFunction(this.target), this.stored)
  }

  /** Returns the registration behind a function that EventEmitter stores, if it was made with options. */
  static of(stored) {
    const found = read(stored, REGISTRATION)
    return found !== undefined && #release in found && found.stored === stored ? found : undefined
  }

  /** Calls `remove` when the signal aborts, until it is let go of. */
  hold(remove) {
    if (this.signal !== undefined) this.#release = aborting().onAbort(this.signal, remove)
  }

  /** Lets go of the signal, and of the gate. */
  letGo() {
    this.gate?.registrations.delete(this)
    this.#release?.()
    this.#release = undefined
  }
}

/** The mark of a function that an emission calls in the place of a stored one. */
class StandIn {
  #called
  #stored

  constructor(called, stored) {
    this.#called = called
    this.#stored = stored
  }

  static storedOf(called) {
    const found = read(called, STAND_IN)
    return found !== undefined && #called in found && found.#called === called ? found.#stored : called
  }
}

/** Returns the property of a function under a symbol of this file, if it is an object. */
function read(listener, key) {
  try {
    const found = listener?.[key]
    return typeof found === 'object' && found !== null ? found : undefined
  } catch {
    // A proxy that refuses to be read: it was not made here.
    return undefined
  }
}

/** Marks a function that an emission calls in the place of a stored one, so that a removal of that one finds it. */
function standIn(called, stored) {
  called[STAND_IN] = new StandIn(called, stored)
  return called
}

/** Returns EventEmitter's entry, present or past, for a function that an emission calls. */
const { storedOf } = StandIn

/** Returns the listener as it was passed to `on`, for a function that EventEmitter stores or that an emission calls. */
function originalOf(called) {
  const stored = storedOf(called)
  return Registration.of(stored)?.listener ?? stored
}

/** Returns true if EventEmitter's `off(event, listener)` removes the stored function. */
function isRemovedBy(stored, listener) {
  if (stored === listener) return true
  const registration = Registration.of(stored)
  if (registration !== undefined) return registration.listener === listener
  try {
    return stored.listener === listener
  } catch {
    // A proxy that refuses to be read.
    return false
  }
}

/** Returns true if a call of this function by an emission would have to wait for the end of another one. */
function hasToWait(called) {
  return Registration.of(storedOf(called))?.gate?.isFull ?? false
}

function callFunction(target) {
  return function call(...args) {
    return Reflect.apply(target, this, args)
  }
}

/** Returns the function that `rawListeners()` shows: called by hand, it removes itself and calls the listener. */
function onceFunction(registration) {
  return function once(...args) {
    if (registration.claimed) return undefined
    registration.claimed = true
    registration.bus.removeListener(registration.event, once)
    return Reflect.apply(registration.within, this, args)
  }
}

function gateOf(concurrency, shared = null) {
  if (concurrency === undefined) return shared
  return Number.isFinite(concurrency) ? new Gate(concurrency) : null
}

/** Returns a function that calls the listener when its gate lets it. */
function gated(registration) {
  const { gate, admitted } = registration
  return function call(...args) {
    return gate.pass(registration, admitted, this, args)
  }
}

/** Returns a function that passes the listener a context as its last argument, of the scope that `scopeOf` returns. */
function told({ event, timeout }, listener, scopeOf) {
  return function call(...args) {
    args.push(new (contexts().ListenerContext)(event, scopeOf(), timeout !== undefined))
    return Reflect.apply(listener, this, args)
  }
}

/**
 * Returns a listener that fails with a ListenerTimeoutError `timeout` ms after its start, unless it has settled.
 *
 * @param {boolean} isTold true if its last argument is a context
 */
function timed(event, listener, timeout, isTold) {
  return function call(...args) {
    const start = performance.now()
    const late = () => {
      const error = new ListenerTimeoutError(event, listener, timeout)
      if (isTold) contexts().ListenerContext.timedOut(args.at(-1), error)
      return error
    }
    const result = Reflect.apply(listener, this, args)
    const left = timeout - (performance.now() - start)
    const itsThen = thenOf(result)
    if (itsThen === undefined) {
      if (left <= 0) throw late()
      return result
    }
    return new NativePromise((resolve, reject) => {
      // A promise that has settled already is in time only if its listener returned in time.
      if (left <= 0) reject(late())
      const timer = setTimeout(() => reject(late()), Math.max(1, left))
      const settled = (settle) => (value) => {
        clearTimeout(timer)
        settle(value)
      }
      follow(adopt(result, itsThen), settled(resolve), settled(reject))
    })
  }
}

module.exports = { Registration, hasToWait, isRemovedBy, originalOf, standIn, storedOf }
