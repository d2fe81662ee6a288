'use strict'

// What a bus has in flight: it makes emissions, counts them, and hears what becomes of each.

const { Emission, countOf } = require('./emission.js')
const { LimitedEmission } = require('./limited.js')
const { FailureReporter } = require('./failure.js')
const outbox = require('./outbox.js')
const { Outcome } = require('./outcome.js')
const { Withdrawals } = require('./withdrawals.js')

class Dispatcher {
  /** Emissions queued or running. */
  pending = 0
  /** No new events: `close()` was called. */
  closed = false
  /** The bus's place in its channel, or null. */
  membership = null
  /** Removals that listeners made and that queued emissions have to heed, or null. */
  withdrawals = null
  #idle = null

  /** @param {{ onError?: Function, captureRejections: boolean }} options */
  constructor(bus, options) {
    this.bus = bus
    this.reporter = new FailureReporter(this, options)
    this.resetStats()
  }

  /** Queues an event for `listeners`. See `Emission` for the shapes. */
  dispatch(event, listeners, args, outcome) {
    this.#count(listeners)
    outbox.push(new Emission(this, event, listeners, args, outcome))
  }

  /** As `dispatch`, bounded by `{ timeout, signal }` unless they are null. */
  dispatchWithin(event, listeners, args, outcome, limits) {
    if (limits === null) {
      this.dispatch(event, listeners, args, outcome)
      return
    }
    const emission = new LimitedEmission(this, event, listeners, args, outcome, limits)
    this.#count(listeners)
    outbox.push(emission)
  }

  /**
   * An event of a channel was addressed to listeners elsewhere, which the engine counts; `dispatch` counts the event if
   * there are some here, too.
   */
  sent(others, here) {
    if (others > 0 && here === 0) this.eventsEmitted++
  }

  #count(listeners) {
    this.eventsEmitted++
    this.listenersInvoked += countOf(listeners)
    this.pending++
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
    this.listenersFailed++
    this.reporter.report(emission, error, listener)
  }

  /** Resolves when nothing is pending. */
  idle() {
    if (this.#idle !== null) return this.#idle.promise
    let resolve
    const promise = new Promise((settle) => {
      resolve = settle
    })
    this.#idle = { promise, resolve }
    this.#checkIdle()
    return promise
  }

  /** A removal; queued emissions heed it when a listener made it. `withdrawals.js` says why. */
  removed(event, listener) {
    if (outbox.current === null || outbox.isEmpty) return
    this.withdrawals ??= new Withdrawals()
    this.withdrawals.note(event, listener)
  }

  /** The listeners of an emission that is being started, less those withdrawn meanwhile. */
  remainingListeners(emission) {
    if (this.withdrawals.isPast) {
      this.withdrawals = null
      return emission.listeners
    }
    return this.withdrawals.remaining(emission)
  }

  resetStats() {
    this.eventsEmitted = 0
    this.listenersInvoked = 0
    this.listenersFailed = 0
    this.membership?.resetCounts()
  }

  stats() {
    const { eventsEmitted } = this
    const listenersInvoked = this.listenersInvoked + (this.membership?.addressed ?? 0)
    const listenersFailed = this.listenersFailed + (this.membership?.failed ?? 0)
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
