'use strict'

// One `emit`: its listeners, its arguments, and the number of listeners that have not settled yet.
//
// It is an AsyncResource, so the listeners run in the async context (AsyncLocalStorage) of the emitter.

const { AsyncResource, executionAsyncId } = require('node:async_hooks')
const { lazily } = require('../lazily.js')
const { adopt, follow, thenOf } = require('../promises.js')
const { Registration, originalOf, storedOf } = require('../listeners/registration.js')
const { Waiting } = require('./gate.js')
const { CANCELLED, SETTLED } = require('../metrics/words.js')
const runQueue = require('./run-queue.js')

const contexts = lazily(() => require('./context.js'))
const tracing = lazily(() => require('./tracing.js'))

/** Calls a listener, also where it has a `call` of its own. */
const call = Function.prototype.call.bind(Function.prototype.call)

// No private methods here: an object of a class that has them carries one field more.
class Emission extends AsyncResource {
  /**
   * @param {import('./tracker.js').Tracker} tracker the emitting bus's
   * @param {string | symbol} event
   * @param {Function | Function[]} listeners one, or a list that is not changed from now on
   * @param {unknown[]} args
   * @param {import('./outcome.js').Outcome | import('./outcome.js').Reply | null} outcome if it is awaited
   */
  constructor(tracker, event, listeners, args, outcome) {
    super('ParallelEventBus', executionAsyncId())
    // The two belong to the run queue: the next emission in it, and this one's place in a synchronous emitter's order.
    this.next = null
    this.rank = 0

    // Not the tracker itself, which would be one field more in each of very many.
    this.tally = tracker.soleTally ?? tracker.tallyOf(event)
    this.event = event
    this.listeners = listeners
    this.args = args
    this.outcome = outcome
    this.unsettled = countOf(listeners)
    /** The fulfilment callback of all promises that its listeners return; made for the first of them. */
    this.fulfilled = null
  }

  /** The emitting bus's tracker. */
  get tracker() {
    return this.tally.tracker
  }

  /** `this` of its listeners. */
  get bus() {
    return this.tracker.bus
  }

  /** What its listeners are told of it, those with `context: true`. */
  get scope() {
    const { Scope, scopeFor } = contexts()
    return scopeFor(this, () => new Scope())
  }

  /** True if it is awaited: each failure will be in the outcome. */
  get isAwaited() {
    return this.outcome?.isAwaited ?? false
  }

  /** Starts every listener, in order. Called by the drain, in the emitter's async context. */
  start() {
    if (this.tracker.removals !== null) this.heedRemovals()
    if (runQueue.isWatched) this.startWatched()
    else this.callListeners()
  }

  startWatched() {
    this.outcome?.begin()
    if (runQueue.isTraced) tracing().trace(this, () => this.callListeners())
    else this.callListeners()
  }

  callListeners() {
    const { listeners, args, bus } = this
    let settled = 0
    if (typeof listeners === 'function') {
      if (this.call(listeners, 0, bus, args)) settled = 1
    } else {
      for (let index = 0; index < listeners.length; index++) {
        if (this.call(listeners[index], index, bus, args)) settled++
      }
    }
    this.settle(settled)
  }

  /** Drops the listeners that other listeners have removed since the emit, and takes on their replacements. */
  heedRemovals() {
    const { tracker, event } = this
    if (!tracker.hasRemovals) return
    const { listeners } = tracker
    const { left, added } = tracker.removals.remaining(this, () => listeners.replacements(event))
    if (left === this.listeners) return
    this.listeners = added.length === 0 ? left : this.withReplacements(left, added)
    this.unsettled = this.listeners.length
    if (this.unsettled === 0 && event === 'error') tracker.reporter.unheard(this)
  }

  /** @param {Function[]} added EventEmitter's entries */
  withReplacements(left, added) {
    const { event, outcome, tracker } = this
    const reply = outcome?.reply
    if (reply === undefined) return left.concat(added.map((stored) => tracker.listeners.take(event, stored)))
    // One listener replies.
    return [reply.replying(tracker.listeners.take(event, added[0]), added[0])]
  }

  /** Calls one listener. Returns whether it is done, successfully; else `succeed` or `fail` will tell. */
  call(listener, index, bus, args) {
    let result
    try {
      // Written out because a call with its arguments in place is faster than one with a list of them.
      if (args.length === 1) result = call(listener, bus, args[0])
      else if (args.length === 0) result = call(listener, bus)
      else if (args.length === 2) result = call(listener, bus, args[0], args[1])
      else result = Reflect.apply(listener, bus, args)
    } catch (error) {
      this.fail(index, error)
      return false
    }
    return result === undefined || result === null || !this.follow(result, index)
  }

  /** Waits for a listener's result, if it is a promise or has a `then`. Returns false for any other. */
  follow(result, index) {
    if (result instanceof Waiting) {
      this.wait(result, index)
      return true
    }
    try {
      const itsThen = thenOf(result)
      if (itsThen === undefined) return false
      this.followPromise(adopt(result, itsThen), index)
    } catch (error) {
      // The `then` of the result cannot even be read.
      this.fail(index, error)
    }
    return true
  }

  // A listener with `concurrency`: see `gate.js`

  wait(waiting, index) {
    waiting.wait(this, index)
  }

  /** Calls a listener that has waited. */
  resume(index) {
    const { listeners, args, bus } = this
    const listener = typeof listeners === 'function' ? listeners : listeners[index]
    if (this.call(listener, index, bus, args)) this.settle(1)
  }

  /** Returns true if a listener that waits need not be called any more. */
  isOver(_index) {
    return false
  }

  /** Settles a listener that has waited and is not called: it counts for nothing. */
  drop(_index) {
    this.outcome?.skip()
    this.dropped()
    this.settle(1)
  }

  dropped() {
    this.tally.words[CANCELLED]++
  }

  /** Waits for a promise. A real one settles once, so no check is needed. */
  followPromise(promise, index) {
    this.fulfilled ??= () => this.settle(1)
    follow(promise, this.fulfilled, (error) => this.fail(index, error))
  }

  succeed(_index) {
    this.settle(1)
  }

  fail(index, error) {
    this.outcome?.failed(index, error)
    this.tracker.failed(this, error, this.listener(index))
    this.settle(1)
  }

  /** Counts so many more listeners as done. */
  settle(count) {
    this.unsettled -= count
    if (this.unsettled === 0) this.finish()
  }

  /** Settles the emission: every listener is done. Called once. */
  finish() {
    // Not 0: a later `settle(0)` must not finish it again.
    this.unsettled = -1
    const count = countOf(this.listeners)
    this.tally.words[SETTLED] += count
    this.outcome?.settle(count)
    this.tracker.finished()
  }

  /** Restores the `once` listeners from an index on: they were not called, and wait for the next event. */
  restoreClaimed(from) {
    const { listeners, tracker } = this
    const list = typeof listeners === 'function' ? [listeners] : listeners
    for (const called of list.slice(from)) tracker.listeners.restore(Registration.of(storedOf(called)))
  }

  /** Returns the listener at an index, as it was passed to `on`. */
  listener(index) {
    return originalOf(typeof this.listeners === 'function' ? this.listeners : this.listeners[index])
  }
}

function countOf(listeners) {
  return typeof listeners === 'function' ? 1 : listeners.length
}

module.exports = { Emission, countOf }
