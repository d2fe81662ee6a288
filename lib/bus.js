'use strict'

// ParallelEventBus: EventEmitter's registration with deferred, isolated, awaitable delivery.
//
// Registration, introspection, warnings and statics are EventEmitter's own. What is new here is what `emit`
// does with the listeners it finds: it hands them to the dispatcher, and returns.
//
// State is private and no overridable method is called, except where EventEmitter calls it too: subclasses have
// their own `getStats`, `request`, `clear`, `_stats`.

const { EventEmitter, errorMonitor } = require('node:events')
const { Dispatcher } = require('./dispatcher.js')
const { BusClosedError, NoListenersError } = require('./errors.js')
const { Answer, Outcome } = require('./outcome.js')
const { Registration } = require('./registration.js')
const { Roster } = require('./roster.js')
const { validateBusOptions, validateFunction, validateLimits, validateListenerOptions } = require('./validate.js')
const { EmitterView } = require('./view.js')
const { ALL } = require('./withdrawals.js')

const DEFAULT_MAX_LISTENERS = 55

/** Events that EventEmitter itself emits or throws for, and with which `emit` has to do more than queue. */
const EXCEPTIONS = new Set(['error', 'newListener', 'removeListener'])

class ParallelEventBus extends EventEmitter {
  #dispatcher
  #roster
  #closing = null
  /** `emit` has to look twice: the bus is closed, or has `once` listeners, or is throwing an `error`. */
  #careful = false
  /** An `error` that nobody hears is being thrown; its monitors are told at once. */
  #throwing = false

  constructor(options = {}) {
    validateBusOptions(options)
    super(options)
    super.setMaxListeners(options.maxListeners ?? DEFAULT_MAX_LISTENERS)
    const { onError, captureRejections = EventEmitter.captureRejections } = options
    this.#dispatcher = new Dispatcher(this, { onError, captureRejections })
    this.#roster = new Roster(this, this.#dispatcher)
  }

  // Emitting

  emit(event, ...args) {
    const listeners = this._events[event]
    // The usual case, in few enough calls for V8 to inline them all.
    if (listeners !== undefined && !this.#careful && !EXCEPTIONS.has(event)) {
      this.#dispatcher.dispatch(event, listeners, args, null)
      return true
    }
    return this.#emit(event, args, null)
  }

  emitAndWait(event, ...args) {
    return this.#wait(event, args, null)
  }

  request(event, ...args) {
    return this.#ask(event, args, null)
  }

  with(limits) {
    validateLimits(limits, 'limits')
    const { timeout, signal } = limits
    return new EmitterView({
      emit: (event, args) => !signal?.aborted && this.#emit(event, args, { timeout, signal }),
      wait: (event, args) => this.#wait(event, args, { timeout, signal }),
      ask: (event, args) => this.#ask(event, args, { timeout, signal }),
    })
  }

  #emit(event, args, limits) {
    const registered = this._events[event]
    if (registered === undefined) return event === 'error' && this.#throwUnheard(args)
    if (event === 'newListener' || event === 'removeListener' || (this.#throwing && event === errorMonitor)) {
      return this.#emitSynchronously(event, args)
    }
    return this.#queue(event, registered, args, null, limits)
  }

  #wait(event, args, limits) {
    if (this.#dispatcher.closed) return Promise.reject(new BusClosedError(event))
    if (limits?.signal?.aborted) return Promise.reject(limits.signal.reason)
    const outcome = new Outcome()
    try {
      const registered = this._events[event]
      const heard = registered !== undefined && this.#queue(event, registered, args, outcome, limits)
      if (!heard && event === 'error') this.#throwUnheard(args)
      if (!heard) outcome.settle(0)
    } catch (error) {
      outcome.reject(error)
    }
    return outcome.promise
  }

  #ask(event, args, limits) {
    if (this.#dispatcher.closed) return Promise.reject(new BusClosedError(event))
    if (limits?.signal?.aborted) return Promise.reject(limits.signal.reason)
    const answer = new Answer(event)
    const listener = this.#roster.open(event)[0]
    if (listener === undefined) {
      answer.reject(new NoListenersError(event))
      return answer.promise
    }
    try {
      this.#dispatch(event, answer.answering(this.#roster.claim(listener), listener), args, answer, limits)
      if (Registration.of(listener)?.once) this.removeListener(event, listener)
    } catch (error) {
      answer.reject(error)
    }
    return answer.promise
  }

  /** Settles who gets the event, and queues it. Returns false where nobody is left to get it. */
  #queue(event, registered, args, outcome, limits) {
    if (this.#dispatcher.closed) return false
    const monitors = event === 'error' ? this._events[errorMonitor] : undefined
    if (monitors !== undefined) this.#queue(errorMonitor, monitors, args, null, null)
    if (this.#roster.hasOnceFor(event)) return this.#queueWithOnce(event, args, outcome, limits)
    this.#dispatch(event, registered, args, outcome, limits)
    return true
  }

  /** As `#queue` for an event with `once` listeners: they are claimed, so no later emission has them. */
  #queueWithOnce(event, args, outcome, limits) {
    const open = this.#roster.open(event)
    if (open.length === 0) return false
    const once = open.filter((listener) => Registration.of(listener)?.once)
    const listeners = open.map((listener) => this.#roster.claim(listener))
    this.#dispatch(event, listeners, args, outcome, limits)
    this.#removeAll(event, once)
    return true
  }

  /** Removes claimed listeners. `removeListener` listeners are told, and may throw: to the emitter, when all is done. */
  #removeAll(event, listeners) {
    const thrown = []
    for (const listener of listeners) {
      try {
        this.removeListener(event, listener)
      } catch (error) {
        thrown.push(error)
      }
    }
    if (thrown.length > 0) throw thrown[0]
  }

  #dispatch(event, listeners, args, outcome, limits) {
    if (limits === null) this.#dispatcher.dispatch(event, listeners, args, outcome)
    else this.#dispatcher.dispatchLimited(event, listeners, args, outcome, limits)
  }

  /** Throws what EventEmitter throws for an `error` without listeners, after its monitors heard of it. */
  #throwUnheard(args) {
    this.#throwing = true
    this.#beCareful()
    try {
      return super.emit('error', ...args)
    } finally {
      this.#throwing = false
      this.#beCareful()
    }
  }

  #beCareful() {
    this.#careful = this.#throwing || this.#dispatcher.closed || this.#roster.hasOnce
  }

  #emitSynchronously(event, args) {
    try {
      return super.emit(event, ...args)
    } finally {
      // EventEmitter tells of a new listener just before it adds it, and a handler may have emitted.
      if (event === 'newListener') this.#roster.unshare(args[0])
    }
  }

  // Registration

  on(event, listener, options) {
    return this.#register(super.on, event, listener, options)
  }

  addListener(event, listener, options) {
    return this.#register(super.addListener, event, listener, options)
  }

  prependListener(event, listener, options) {
    return this.#register(super.prependListener, event, listener, options)
  }

  // As in EventEmitter, the two below go through the public methods, which a subclass may have overridden.

  once(event, listener, options) {
    validateFunction(listener, 'listener')
    return this.#withOptions(event, listener, { ...checked(options), once: true }, (stored) => this.on(event, stored))
  }

  prependOnceListener(event, listener, options) {
    validateFunction(listener, 'listener')
    return this.#withOptions(event, listener, { ...checked(options), once: true }, (stored) =>
      this.prependListener(event, stored),
    )
  }

  off(event, listener) {
    return this.#remove(event, listener)
  }

  removeListener(event, listener) {
    return this.#remove(event, listener)
  }

  removeAllListeners(...events) {
    const gone = events.length === 0 ? Reflect.ownKeys(this._events) : events.slice(0, 1)
    const lists = gone.map((event) => [event, this.#roster.stored(event).map(Registration.of).filter(Boolean)])
    super.removeAllListeners(...events)
    for (const [event, registrations] of lists) {
      for (const registration of registrations) this.#roster.removed(event, registration)
    }
    this.#beCareful()
    this.#dispatcher.removed(events.length === 0 ? ALL : events[0], ALL)
    return this
  }

  #register(add, event, listener, options) {
    if (options !== undefined) {
      validateFunction(listener, 'listener')
      return this.#withOptions(event, listener, checked(options), (stored) => this.#register(add, event, stored))
    }
    this.#roster.adding(event, listener)
    this.#beCareful()
    return Reflect.apply(add, this, [event, listener])
  }

  #withOptions(event, listener, options, add) {
    const { signal } = options
    if (signal?.aborted) return this
    const registration = new Registration(this, event, listener, options)
    if (signal !== undefined) registration.removeOn(signal, () => this.#remove(event, registration.stored))
    return add(registration.stored)
  }

  #remove(event, listener) {
    const registration = this.#roster.find(event, listener)
    this.#roster.unshare(event)
    super.removeListener(event, listener)
    if (registration !== undefined) this.#roster.removed(event, registration)
    this.#beCareful()
    // A claimed listener is removed because it is about to be called.
    if (!registration?.claimed) this.#dispatcher.removed(event, listener)
    return this
  }

  // Failures and statistics

  setErrorHandler(onError) {
    validateFunction(onError, 'onError')
    this.#dispatcher.reporter.onError = onError
    return this
  }

  clearErrorHandler() {
    this.#dispatcher.reporter.onError = undefined
    return this
  }

  getStats() {
    return this.#dispatcher.stats()
  }

  resetStats() {
    this.#dispatcher.resetStats()
    return this
  }

  // Shutting down

  idle() {
    return this.#dispatcher.idle()
  }

  close() {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close() {
    this.#dispatcher.closed = true
    this.#beCareful()
    await this.#dispatcher.idle()
    ParallelEventBus.prototype.removeAllListeners.call(this)
  }
}

// Older releases of Node 20 do not have it.
if (Symbol.asyncDispose !== undefined) {
  Object.defineProperty(ParallelEventBus.prototype, Symbol.asyncDispose, {
    value: function dispose() {
      return this.close()
    },
    configurable: true,
    writable: true,
  })
}

function checked(options = {}) {
  validateListenerOptions(options)
  return options
}

function createParallelEventBus(options) {
  return new ParallelEventBus(options)
}

module.exports = { ParallelEventBus, createParallelEventBus }
