'use strict'

// What a bus keeps to itself, and the ways to emit beyond the usual one, which is in `bus.js`.
//
// It hangs on the bus under a symbol, and not in private fields: objects may come by the methods of a bus without its
// constructor (a mixin, `Object.create(bus)`), or stand before one (a proxy), as with EventEmitter. No overridable method
// is called, except where EventEmitter calls it too: subclasses have their own `getStats`, `request`, `clear`, `_stats`.

const { EventEmitter, errorMonitor } = require('node:events')
const { Dispatcher } = require('./local/tracker.js')
const { BusClosedError } = require('./errors.js')
const { LocalLane } = require('./local/lane.js')
const { Listeners } = require('./listeners/listeners.js')
const log = require('./log.js')
const { NativePromise } = require('./promises.js')

const { prototype } = EventEmitter

// What most programs do not use is loaded by the first that does: it takes longer than all the rest.
const channel = () => require('./channel/lane.js')

const STATE = Symbol('state')

class BusState {
  pools = new Set()
  /** The bus's place in its channel, if it has one. */
  membership = null
  /** `emit` has to look twice: the bus is closed, has `once` listeners, or is throwing an `error`. */
  careful = false
  #closing = null
  /** An `error` that nobody hears is being thrown; its monitors are told at once. */
  #throwing = false

  /** @param {import('../index.js').BusOptions} options valid ones */
  constructor(bus, options) {
    const { onError, captureRejections = EventEmitter.captureRejections } = options
    this.bus = bus
    this.dispatcher = new Dispatcher(bus, { onError, captureRejections })
    this.listeners = new Listeners(bus, this.dispatcher, () => this.#beCareful())
    this.dispatcher.listeners = this.listeners
    const { dispatcher, listeners } = this
    /** How events go to listeners. */
    this.lane = new LocalLane({ dispatcher, listeners })
    if (options.channel !== undefined) this.#join(options)
  }

  #join(options) {
    const { dispatcher, listeners } = this
    const { ChannelLane, Membership } = channel()
    const membership = new Membership(dispatcher, options, {
      remove: ({ event, stored }) => listeners.removeQuietly(event, stored),
      tell: (event, about) => this.#tell(event, about),
    })
    this.lane = new ChannelLane({ dispatcher, listeners, membership, local: this.lane })
    this.membership = membership
    listeners.membership = membership
    listeners.group = options.group
    log('joined channel %o', options.channel)
  }

  /** News of the channel, as an event of this bus. */
  #tell(event, about) {
    log('%s on channel %o: %o', event.description, this.membership.channel, about)
    this.emit(event, [about], null)
  }

  #beCareful() {
    this.careful = this.#throwing || this.dispatcher.closed || this.listeners.hasAnySpecial
  }

  // Emitting

  /** As `emit`, for a receiver that is not the bus itself: it is `this` of the listeners. */
  emitAs(receiver, event, args) {
    const { dispatcher } = this
    const outer = dispatcher.receiver
    dispatcher.receiver = receiver
    try {
      return this.emit(event, args, null)
    } finally {
      dispatcher.receiver = outer
    }
  }

  emit(event, args, limits) {
    const { bus } = this
    const registered = bus._events?.[event]
    if (registered !== undefined || this.membership !== null) {
      if (event === 'newListener' || event === 'removeListener' || (this.#throwing && event === errorMonitor)) {
        return prototype.emit.call(bus, event, ...args)
      }
      if (this.#queue(event, args, null, limits)) return true
    }
    return event === 'error' && registered === undefined && this.#throwUnheard(args)
  }

  wait(event, args, limits) {
    const reason = this.#reasonNotTo(event, limits)
    if (reason !== null) return NativePromise.reject(reason.error)
    const outcome = this.lane.outcome()
    try {
      const heard = this.#queue(event, args, outcome, limits)
      if (!heard && event === 'error') this.#throwUnheard(args)
      if (!heard) outcome.settle(0)
    } catch (error) {
      outcome.reject(error)
    }
    return outcome.promise
  }

  ask(event, args, limits) {
    const reason = this.#reasonNotTo(event, limits)
    if (reason !== null) return NativePromise.reject(reason.error)
    const answer = this.lane.answer(event)
    try {
      this.lane.ask(event, args, answer, limits)
    } catch (error) {
      answer.reject(error)
    }
    return answer.promise
  }

  /** Why an event that somebody waits for is not emitted; a signal may have aborted with any reason. */
  #reasonNotTo(event, limits) {
    if (this.dispatcher.closed) return { error: new BusClosedError(event) }
    return limits?.signal?.aborted ? { error: limits.signal.reason } : null
  }

  /** Settles who gets the event, and queues it. Returns false where nobody is left to get it. */
  #queue(event, args, outcome, limits) {
    if (this.dispatcher.closed) return false
    const monitors = event === 'error' ? this.bus._events?.[errorMonitor] : undefined
    const tellMonitors = monitors && (() => this.#queue(errorMonitor, args, null, null))
    return this.lane.queue(event, args, outcome, limits, tellMonitors)
  }

  /** Throws what EventEmitter throws for an `error` without listeners, after its monitors heard of it. */
  #throwUnheard(args) {
    this.#throwing = true
    this.#beCareful()
    try {
      return prototype.emit.call(this.bus, 'error', ...args)
    } finally {
      this.#throwing = false
      this.#beCareful()
    }
  }

  // Closing

  close() {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close() {
    const { dispatcher, listeners, membership } = this
    dispatcher.closed = true
    this.#beCareful()
    const quiet = membership?.leave()
    await dispatcher.idle()
    await quiet
    for (const closed of Array.from(this.pools, (pool) => pool.close())) await closed
    listeners.clear()
    if (membership === null) return
    membership.forget()
    log('left channel %o', membership.channel)
  }
}

/** Gives a bus its state. One that has some keeps it, as EventEmitter's constructor keeps listeners. */
function addState(bus, options) {
  if (!Object.hasOwn(bus, STATE)) Object.defineProperty(bus, STATE, { value: new BusState(bus, options) })
  return bus[STATE]
}

module.exports = { STATE, addState }
