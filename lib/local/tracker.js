'use strict'

// What a bus has in flight: it makes emissions, counts them, and hears what becomes of each.

const { Emission } = require('./emission.js')
const { LimitedEmission } = require('./bounded.js')
const { FailureReporter } = require('./failures.js')
const outbox = require('./run-queue.js')
const { Outcome } = require('./outcome.js')
const { Deferred } = require('../promises.js')
const { Removals } = require('../listeners/removals.js')

/** What a bus has counted since its statistics were reset. An event counts for good where it was emitted. */
class Tally {
  eventsEmitted = 0
  listenersInvoked = 0
  listenersFailed = 0

  constructor(dispatcher) {
    this.dispatcher = dispatcher
  }
}

class Dispatcher {
  /** Emissions queued or running. */
  pending = 0
  /** No new events: `close()` was called. */
  closed = false
  /** The bus's place in its channel, or null. */
  membership = null
  /** Changes that listeners made to listeners, and that queued emissions have to heed, or null. */
  removals = null
  /** `this` of the listeners of what is being emitted, where that is not the bus itself: it may stand behind a proxy. */
  receiver = null
  tally = new Tally(this)
  #idle = null

  /** @param {{ onError?: Function, captureRejections: boolean }} options */
  constructor(bus, options) {
    this.bus = bus
    this.reporter = new FailureReporter(this, options)
  }

  /** Queues an event for `listeners`. See `Emission` for the shapes. */
  dispatch(event, listeners, args, outcome) {
    this.#push(new Emission(this, event, listeners, args, outcome))
  }

  /** As `dispatch`, bounded by `{ timeout, signal }` unless they are null. */
  dispatchWithin(event, listeners, args, outcome, limits) {
    if (limits === null) this.dispatch(event, listeners, args, outcome)
    else this.#push(new LimitedEmission(this, event, listeners, args, outcome, limits))
  }

  #push(emission) {
    if (this.receiver !== null) Object.defineProperty(emission, 'bus', { value: this.receiver })
    this.tally.eventsEmitted++
    this.tally.listenersInvoked += emission.unsettled
    this.pending++
    this.membership?.catchUp()
    outbox.push(emission)
  }

  /**
   * An event of a channel was addressed to listeners elsewhere, which the engine counts; `dispatch` counts the event if
   * there are some here, too.
   */
  sent(others, here) {
    if (others > 0 && here === 0) this.tally.eventsEmitted++
  }

  /** An emission settled. */
  finished() {
    if (--this.pending === 0 && this.#idle !== null) this.#checkIdle()
  }

  #checkIdle() {
    // Two may see the end: the last listener here, and the membership, which was asked to watch before.
    if (this.#idle === null || this.pending > 0) return
    if (this.membership !== null && !this.membership.isIdle) {
      this.membership.awaitIdle(() => this.#checkIdle())
      return
    }
    this.#idle.resolve()
    this.#idle = null
  }

  /** A listener threw or rejected. */
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
   * Where a listener's changes of listeners are noted; null where there is nothing that they have to hold for. See
   * `removals.js`.
   */
  changes() {
    if (outbox.current === null) return null
    if (outbox.started >= outbox.emittedBefore && this.membership === null) return null
    this.removals ??= new Removals()
    return this.removals
  }

  /** Whether listeners changed listeners in a way that an emission that is being started may have to heed. */
  get hasRemovals() {
    if (this.removals?.isPast) this.removals = null
    return this.removals !== null
  }

  resetStats() {
    this.tally = new Tally(this)
    this.membership?.resetCounts()
  }

  stats() {
    const { eventsEmitted } = this.tally
    const listenersInvoked = this.tally.listenersInvoked + (this.membership?.addressed ?? 0)
    const listenersFailed = this.tally.listenersFailed + (this.membership?.failed ?? 0)
    const pending = this.pending + (this.membership?.pending ?? 0)
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

// V8 throws optimised code away with the last object of a kind that it was optimised for. Between two bursts there
// may be none, so one of each is kept: the burst after a garbage collection does not start slow again.
const kept = new Dispatcher({}, { captureRejections: false })
Dispatcher.kept = [new Emission(kept, 'kept', () => {}, [], new Outcome())]

module.exports = { Dispatcher }
