'use strict'

// The private state of a bus, and the ways to emit beyond the usual one, which is in `bus.js`.
//
// It hangs on the bus under a symbol, and not in private fields: objects may come by the methods of a bus without its
// constructor (a mixin, `Object.create(bus)`), or stand before one (a proxy), as with EventEmitter. No overridable method
// is called, except where EventEmitter calls it too: subclasses have their own `getStats`, `request`, `clear`, `_stats`.

const { EventEmitter, errorMonitor } = require('node:events')
const { clearTimeout, setTimeout } = require('node:timers')
const { Tracker } = require('./local/tracker.js')
const { BusClosedError } = require('./errors.js')
const { LocalLane } = require('./local/lane.js')
const { keepFromNowOn } = require('./kept.js')
const { lazily } = require('./lazily.js')
const { Listeners } = require('./listeners/listeners.js')
const log = require('./log.js')
const { Deferred, NativePromise } = require('./promises.js')
const { keyOf } = require('./validate.js')

const { prototype } = EventEmitter

// Loaded with the first bus that has a channel. Most programs have none, and it takes longer than all the rest.
const channel = lazily(() => require('./channel/lane.js'))
const transfers = lazily(() => require('./transfer.js'))

const STATE = Symbol('state')

class BusState {
  pools = new Set()
  /** Options that the buses of spawned threads inherit. */
  inherited
  /** The bus's place in its channel, if it has one. */
  member = null
  /** True if `emit` has to look twice: the bus is closed, has `once` listeners, or is throwing an `error`. */
  careful = false
  #closing = null
  /** Settled when the time that `close` was given is over. */
  #over = new Deferred()
  #limit
  #isClosed = false
  /** True while an `error` without listeners is being thrown; its monitors are told at once. */
  #throwing = false

  /** @param {import('../index.js').BusOptions} options validated */
  constructor(bus, options) {
    const {
      onError,
      captureRejections = EventEmitter.captureRejections,
      mailbox,
      stallAfter,
      recordTiming,
      propagate,
    } = options
    this.inherited = { mailbox, stallAfter, recordTiming }
    keepFromNowOn()
    this.bus = bus
    this.tracker = new Tracker(bus, { onError, captureRejections, recordTiming, propagate, channel: options.channel })
    this.listeners = new Listeners(bus, this.tracker, () => this.#beCareful())
    this.tracker.listeners = this.listeners
    const { tracker, listeners } = this
    /** The way of events to listeners. */
    this.lane = new LocalLane({ tracker, listeners })
    if (options.channel !== undefined) this.#join(options)
  }

  #join(options) {
    const { tracker, listeners } = this
    const { ChannelLane, Member } = channel()
    const member = new Member(tracker, options, {
      removeClaimed: (registrations) =>
        listeners.removeQuietly(
          registrations[0].event,
          registrations.map(({ stored }) => stored),
        ),
      tell: (event, about) => this.#tell(event, about),
    })
    this.lane = new ChannelLane({ tracker, listeners, member, local: this.lane })
    this.member = member
    listeners.member = member
    listeners.group = options.group
    log('joined channel %o', options.channel)
  }

  /** Emits news of the channel as an event of this bus. */
  #tell(event, about) {
    log('%s on channel %o: %o', event.description, this.member.channel, about)
    // Else it would count as an event that nobody heard.
    if (this.bus._events?.[event] !== undefined) this.emit(event, [about], null)
  }

  /** Sets the handler of failures, also of those in spawned threads; undefined for none. */
  setErrorHandler(onError) {
    this.tracker.reporter.onError = onError
    for (const pool of this.pools) pool.handlerChanged()
  }

  #beCareful() {
    this.careful = this.#throwing || this.tracker.closed || this.listeners.hasAnySpecial
  }

  // Emitting

  /** Emits for a receiver that is not the bus itself: it is `this` of the listeners. */
  emitAs(receiver, event, args) {
    const { tracker } = this
    const outer = tracker.receiver
    tracker.receiver = receiver
    try {
      return this.emit(event, args, null)
    } finally {
      tracker.receiver = outer
    }
  }

  emit(event, args, bounds) {
    const { bus } = this
    const registered = bus._events?.[event]
    if (bounds?.transfer !== undefined && !this.tracker.closed) [args, bounds] = this.#move(event, args, bounds, false)
    if (registered !== undefined || this.member !== null) {
      if (event === 'newListener' || event === 'removeListener' || (this.#throwing && event === errorMonitor)) {
        return prototype.emit.call(bus, event, ...args)
      }
      if (this.#queue(event, args, null, bounds)) return true
    } else this.tracker.unheard(event)
    if (bounds !== null) abandon(bounds)
    return event === 'error' && registered === undefined && this.#throwUnheard(args)
  }

  wait(event, args, bounds) {
    const reason = this.#reasonNotTo(event, bounds)
    if (reason !== null) return NativePromise.reject(reason.error)
    const outcome = this.lane.outcome()
    try {
      if (bounds?.transfer !== undefined) [args, bounds] = this.#move(event, args, bounds, false)
      const heard = this.#queue(event, args, outcome, bounds)
      if (!heard && bounds !== null) abandon(bounds)
      if (!heard && event === 'error') this.#throwUnheard(args)
      if (!heard) outcome.settle(0)
    } catch (error) {
      outcome.reject(error)
    }
    return outcome.promise
  }

  request(event, args, bounds) {
    const reason = this.#reasonNotTo(event, bounds)
    if (reason !== null) return NativePromise.reject(reason.error)
    const reply = this.lane.reply(event)
    try {
      if (bounds?.transfer !== undefined) [args, bounds] = this.#move(event, args, bounds, true)
      const heard = this.lane.request(event, args, reply, bounds)
      if (!heard && bounds !== null) abandon(bounds)
    } catch (error) {
      reply.reject(error)
    }
    return reply.promise
  }

  /**
   * Returns the arguments for listeners, and the bounds with the ports among them. Transferred objects are in them, and
   * the emitter's are detached.
   */
  #move(event, args, bounds, isRequest) {
    const crosses = this.member?.carries(event) ?? false
    const listeners = () => {
      if (isRequest) return 1
      return crosses ? this.member.publisher.audience(keyOf(event)) : this.listeners.open(event).length
    }
    const moved = transfers().move(args, bounds.transfer, { crosses, listeners })
    return [moved.args, { ...bounds, ports: moved.ports }]
  }

  /** Returns the reason not to emit an awaited event, or null. It is in an object: a signal may abort with any reason. */
  #reasonNotTo(event, bounds) {
    if (this.tracker.closed) return { error: new BusClosedError(event) }
    return bounds?.signal?.aborted ? { error: bounds.signal.reason } : null
  }

  /** Queues the event for its current listeners. Returns false where there are none. */
  #queue(event, args, outcome, bounds) {
    if (this.tracker.closed) return false
    const monitors = event === 'error' ? this.bus._events?.[errorMonitor] : undefined
    const tellMonitors = monitors && (() => this.#queue(errorMonitor, args, null, null))
    return this.lane.enqueue(event, args, outcome, bounds, tellMonitors)
  }

  /** Throws EventEmitter's error for an `error` without listeners, after telling its monitors. */
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

  /** Closes the bus. Returns the same promise for every call; a later one may set a limit to the time. */
  close({ timeout }) {
    this.#closing ??= this.#close()
    if (timeout !== undefined && !this.#isClosed) {
      clearTimeout(this.#limit)
      this.#limit = setTimeout(this.#over.resolve, timeout)
    }
    return this.#closing
  }

  async #close() {
    const { tracker } = this
    tracker.closed = true
    this.#beCareful()
    const settled = this.#settled(this.member?.leave())
    const over = this.#over.promise
    await NativePromise.race([settled, over])
    const lost = await this.#closePools(over)
    const left = this.#unsettled()
    // What only the pools had has settled with them, and there is still news of it.
    if (left === 0) await settled
    clearTimeout(this.#limit)
    this.#isClosed = true
    this.listeners.clear()
    if (left === 0) this.#forget()
    else this.#forgetLater(settled)
    return { unsettled: lost + left }
  }

  async #settled(quiet) {
    await this.tracker.idle()
    await quiet
  }

  /** Closes the pools, and terminates them when the time is over. Resolves to the number of events that they lost. */
  async #closePools(over) {
    const pools = Array.from(this.pools)
    over.then(() => {
      for (const pool of pools) pool.close({ timeout: 0 })
    })
    const closed = await NativePromise.all(pools.map((pool) => pool.close()))
    return closed.reduce((sum, { unsettled }) => sum + unsettled, 0)
  }

  /** Returns the number of events of this bus, and for its listeners, that have not settled. */
  #unsettled() {
    const { member, tracker } = this
    return tracker.pending + (member === null ? 0 : member.pending + member.unsettledOfOthers)
  }

  #forget() {
    if (this.member === null) return
    this.member.forget()
    log('left channel %o', this.member.channel)
  }

  /** Stays in touch with the engine for the events that are late, but does not keep the thread alive. */
  #forgetLater(settled) {
    this.member?.ref(false)
    settled.then(() => this.#forget())
  }
}

/** Closes ports that nobody gets, so that their other ends hear of it. */
function abandon({ ports }) {
  for (const port of ports ?? []) port.close()
}

/** Gives a bus its state. One that has some keeps it, as EventEmitter's constructor keeps listeners. */
function addState(bus, options) {
  if (!Object.hasOwn(bus, STATE)) Object.defineProperty(bus, STATE, { value: new BusState(bus, options) })
  return bus[STATE]
}

module.exports = { STATE, addState }
