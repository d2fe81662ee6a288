'use strict'

// The tracker of a bus's events in flight: it makes emissions, counts them, and is told the outcome of each.

const { Emission } = require('./emission.js')
const { keep } = require('../kept.js')
const { BoundedEmission } = require('./bounded.js')
const { FailureReporter } = require('./failures.js')
const runQueue = require('./run-queue.js')
const { Outcome } = require('./outcome.js')
const { Deferred } = require('../promises.js')
const { Removals } = require('../listeners/removals.js')

/** The counts of a bus since its statistics were reset. An event counts for good where it was emitted. */
class Tally {
  eventsEmitted = 0
  listenersInvoked = 0
  listenersFailed = 0

  constructor(tracker) {
    this.tracker = tracker
  }
}

class Tracker {
  /** Number of emissions queued or running. */
  pending = 0
  /** True if `close()` was called: no new events. */
  closed = false
  /** The bus's place in its channel, or null. */
  member = null
  /** Changes that listeners made to listeners, and that queued emissions have to heed, or null. */
  removals = null
  /** `this` of the listeners of the current emit, where that is not the bus itself: it may stand behind a proxy. */
  receiver = null
  tally = new Tally(this)
  #idle = null

  /** @param {{ onError?: Function, captureRejections: boolean }} options */
  constructor(bus, options) {
    this.bus = bus
    this.reporter = new FailureReporter(this, options)
  }

  /** Queues an event for `listeners`. See `Emission` for the shapes. */
  enqueue(event, listeners, args, outcome) {
    this.#push(new Emission(this, event, listeners, args, outcome))
  }

  /** Queues an event, bounded by `{ timeout, signal }` unless they are null. */
  enqueueWithin(event, listeners, args, outcome, bounds) {
    if (bounds === null) this.enqueue(event, listeners, args, outcome)
    else this.#push(new BoundedEmission(this, event, listeners, args, outcome, bounds))
  }

  #push(emission) {
    if (this.receiver !== null) Object.defineProperty(emission, 'bus', { value: this.receiver })
    this.tally.eventsEmitted++
    this.tally.listenersInvoked += emission.unsettled
    this.pending++
    this.member?.catchUp()
    runQueue.push(emission)
  }

  /**
   * Counts an event of a channel that was addressed to listeners elsewhere alone. The engine counts those listeners, and
   * `enqueue` counts an event with listeners here.
   */
  sent(others, here) {
    if (others > 0 && here === 0) this.tally.eventsEmitted++
  }

  /** Counts a settled emission. */
  finished() {
    if (--this.pending === 0 && this.#idle !== null) this.#checkIdle()
  }

  #checkIdle() {
    // Two may see the end: the last listener here, and the member, which was asked to watch before.
    if (this.#idle === null || this.pending > 0) return
    if (this.member !== null && !this.member.isIdle) {
      this.member.awaitIdle(() => this.#checkIdle())
      return
    }
    this.#idle.resolve()
    this.#idle = null
  }

  /** Counts and reports a listener that threw or rejected. */
  failed(emission, error, listener) {
    emission.tally.listenersFailed++
    this.reporter.report(emission, error, listener)
  }

  /** Resolves when nothing is pending. */
  idle() {
    if (this.#idle !== null) return this.#idle.promise
    const idle = new Deferred()
    this.#idle = idle
    this.#checkIdle()
    return idle.promise
  }

  /**
   * Returns the notes of a listener's changes of listeners; null where they have to hold for no emission. See
   * `listeners/removals.js`.
   */
  changes() {
    if (runQueue.current === null) return null
    const isAnyQueued = runQueue.started < runQueue.emittedBefore || runQueue.fullGates.size > 0
    if (!isAnyQueued && this.member === null) return null
    this.removals ??= new Removals()
    return this.removals
  }

  /** True if listeners made changes that an emission which is being started may have to heed. */
  get hasRemovals() {
    if (this.removals?.isPast) this.removals = null
    return this.removals !== null
  }

  resetStats() {
    this.tally = new Tally(this)
    this.member?.resetCounts()
  }

  stats() {
    const { eventsEmitted } = this.tally
    const listenersInvoked = this.tally.listenersInvoked + (this.member?.addressed ?? 0)
    const listenersFailed = this.tally.listenersFailed + (this.member?.failed ?? 0)
    const pending = this.pending + (this.member?.pending ?? 0)
    return {
      eventsEmitted,
      listenersInvoked,
      listenersFailed,
      // One batch of parallel listeners per event: the prototype counted them apart.
      parallelBatches: eventsEmitted,
      averageListenersPerEvent: eventsEmitted === 0 ? 0 : (listenersInvoked / eventsEmitted).toFixed(2),
      failureRate: listenersInvoked === 0 ? '0%' : `${((100 * listenersFailed) / listenersInvoked).toFixed(2)}%`,
      pending,
    }
  }
}

/** The tracker of emissions that are kept: of no bus. */
const keptTracker = new Tracker({}, { captureRejections: false })

const listener = () => {}
keep(() => [
  new Emission(keptTracker, 'kept', listener, [], new Outcome()),
  new BoundedEmission(keptTracker, 'kept', listener, [], new Outcome(), {}),
])

module.exports = { Tracker, keptTracker }
