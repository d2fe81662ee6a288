'use strict'

// ParallelEventBus: EventEmitter's registration with deferred, isolated, awaitable delivery.
//
// Registration, introspection, warnings and statics are EventEmitter's own. What is new here is what `emit`
// does with the listeners it finds: it hands them to the dispatcher, and returns.
//
// State is private and no overridable method is called, except where EventEmitter calls it too: subclasses have
// their own `getStats`, `request`, `clear`, `_stats`.

const { EventEmitter, errorMonitor } = require('node:events')
const { inspect } = require('node:util')
const { Dispatcher } = require('./dispatcher.js')
const { BusClosedError, invalidArgValue } = require('./errors.js')
const { viewOf } = require('./inspect.js')
const { LocalLane } = require('./lane.js')
const log = require('./log.js')
const { Registrar } = require('./registrar.js')
const { Roster } = require('./roster.js')
const { validateBusOptions, validateFunction, validateLimits } = require('./validate.js')
const { EmitterView } = require('./view.js')
const symbols = require('./symbols.js')

// What most programs do not use is loaded by the first that does: it takes longer than all the rest.
const channel = () => require('./channel/lane.js')
const pools = () => require('./pool/pool.js')

const DEFAULT_MAX_LISTENERS = 55

/** Whether EventEmitter itself emits such events, or throws for them, so that `emit` has to do more than queue. */
function isException(event) {
  return event === 'error' || event === 'newListener' || event === 'removeListener'
}

class ParallelEventBus extends EventEmitter {
  #dispatcher
  #roster
  #registrar
  #pools = new Set()
  /** How events go to listeners. */
  #lane
  /** The bus's place in its channel, if it has one. */
  #membership = null
  #closing = null
  /** `emit` has to look twice: the bus is closed, has `once` listeners, or is throwing an `error`. */
  #careful = false
  /** An `error` that nobody hears is being thrown; its monitors are told at once. */
  #throwing = false

  constructor(options = {}) {
    validateBusOptions(options)
    super(options)
    // Bun gives an emitter with `captureRejections` an `emit` of its own.
    if (Object.hasOwn(this, 'emit')) delete this.emit
    super.setMaxListeners(options.maxListeners ?? DEFAULT_MAX_LISTENERS)
    const { onError, captureRejections = EventEmitter.captureRejections } = options
    this.#dispatcher = new Dispatcher(this, { onError, captureRejections })
    this.#roster = new Roster(this, this.#dispatcher)
    const [dispatcher, roster] = [this.#dispatcher, this.#roster]
    this.#lane = new LocalLane(this, { dispatcher, roster })
    this.#registrar = new Registrar(this, { roster, dispatcher, changed: () => this.#beCareful() })
    if (options.channel !== undefined) this.#join(options)
  }

  #join(options) {
    const [dispatcher, roster] = [this.#dispatcher, this.#roster]
    const { ChannelLane, Membership } = channel()
    const membership = new Membership(dispatcher, options, {
      remove: ({ event, stored }) => this.#removeClaimed(event, stored),
      tell: (event, about) => this.#tell(event, about),
    })
    this.#lane = new ChannelLane(this, { dispatcher, roster, membership, local: this.#lane })
    this.#membership = membership
    this.#registrar.membership = membership
    this.#registrar.group = options.group
    this.#beCareful()
    log('joined channel %o', options.channel)
  }

  /** News of the channel, as an event of this bus. */
  #tell(event, about) {
    log('%s on channel %o: %o', event.description, this.#membership.channel, about)
    this.#emit(event, [about], null)
  }

  // Emitting

  emit(event, ...args) {
    const listeners = this._events[event]
    // The usual cases, in few enough calls for V8 to inline them all.
    if ((listeners !== undefined || this.#membership !== null) && !this.#careful && !isException(event)) {
      if (this.#membership === null) {
        this.#dispatcher.dispatch(event, listeners, args, null)
        return true
      }
      if (typeof event === 'string') return this.#lane.post(event, listeners, args)
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
    if (registered !== undefined || this.#membership !== null) {
      if (event === 'newListener' || event === 'removeListener' || (this.#throwing && event === errorMonitor)) {
        return this.#emitSynchronously(event, args)
      }
      if (this.#queue(event, args, null, limits)) return true
    }
    return event === 'error' && registered === undefined && this.#throwUnheard(args)
  }

  #wait(event, args, limits) {
    if (this.#dispatcher.closed) return Promise.reject(new BusClosedError(event))
    if (limits?.signal?.aborted) return Promise.reject(limits.signal.reason)
    const outcome = this.#lane.outcome()
    try {
      const heard = this.#queue(event, args, outcome, limits)
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
    const answer = this.#lane.answer(event)
    try {
      this.#lane.ask(event, args, answer, limits)
    } catch (error) {
      answer.reject(error)
    }
    return answer.promise
  }

  /** Settles who gets the event, and queues it. Returns false where nobody is left to get it. */
  #queue(event, args, outcome, limits) {
    if (this.#dispatcher.closed) return false
    const monitors = event === 'error' ? this._events[errorMonitor] : undefined
    const tellMonitors = monitors && (() => this.#queue(errorMonitor, args, null, null))
    return this.#lane.queue(event, args, outcome, limits, tellMonitors)
  }

  /** An event of another thread has claimed a `once` listener. There is nobody here to throw to. */
  #removeClaimed(event, stored) {
    try {
      this.removeListener(event, stored)
    } catch (error) {
      this.#dispatcher.reporter.report({ event: 'removeListener', args: [event, stored] }, error, stored)
    }
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
    this.#careful = this.#throwing || this.#dispatcher.closed || this.#roster.hasAnySpecial
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
    return this.#registrar.add('on', event, listener, options)
  }

  addListener(event, listener, options) {
    return this.#registrar.add('addListener', event, listener, options)
  }

  prependListener(event, listener, options) {
    return this.#registrar.add('prependListener', event, listener, options)
  }

  once(event, listener, options) {
    return this.#registrar.addOnce('on', event, listener, options)
  }

  prependOnceListener(event, listener, options) {
    return this.#registrar.addOnce('prependListener', event, listener, options)
  }

  off(event, listener) {
    return this.#registrar.remove(event, listener)
  }

  removeListener(event, listener) {
    return this.#registrar.remove(event, listener)
  }

  removeAllListeners(...events) {
    return this.#registrar.removeAll(events)
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
    const quiet = this.#membership?.leave()
    await this.#dispatcher.idle()
    await quiet
    await Promise.all(Array.from(this.#pools, (pool) => pool.close()))
    this.#registrar.removeAll([])
    if (this.#membership === null) return
    this.#membership.forget()
    log('left channel %o', this.#membership.channel)
  }

  // The channel

  get needsDrain() {
    return this.#membership?.needsDrain ?? false
  }

  drained() {
    return this.#membership === null ? Promise.resolve() : this.#membership.drained()
  }

  async spawn(module, options = {}) {
    if (this.#membership === null)
      throw invalidArgValue('options.channel', undefined, 'is what the threads of a bus listen on')
    if (this.#dispatcher.closed) throw new BusClosedError('spawn')
    const { reporter } = this.#dispatcher
    const onCrash = (error) => reporter.crashed(symbols.threadExit, error)
    const { pool, ready } = pools().ThreadPool.start(this.#membership.channel, module, options, onCrash)
    // From now on, for `close()` to end what never gets ready.
    this.#pools.add(pool)
    try {
      await ready
    } catch (error) {
      this.#pools.delete(pool)
      throw this.#dispatcher.closed ? new BusClosedError('spawn') : error
    }
    if (this.#dispatcher.closed) {
      await pool.terminate()
      throw new BusClosedError('spawn')
    }
    return pool
  }

  [inspect.custom]() {
    // What only inherits from a bus, or stands before one, has no state of its own.
    if (!(#dispatcher in this)) return this
    const { closed } = this.#dispatcher
    return viewOf(this, { channel: this.#membership?.channel, pending: this.#dispatcher.stats().pending, closed })
  }

  ref() {
    this.#membership?.ref(true)
    return this
  }

  unref() {
    this.#membership?.ref(false)
    return this
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

function createParallelEventBus(options) {
  return new ParallelEventBus(options)
}

Object.assign(ParallelEventBus, symbols)

module.exports = { ParallelEventBus, createParallelEventBus }
