'use strict'

// The tracker of a bus's events in flight: it makes emissions, counts them, and is told the outcome of each.

const { performance } = require('node:perf_hooks')
const { Emission } = require('./emission.js')
const { ListenerTimeoutError } = require('../errors.js')
const { keep } = require('../kept.js')
const { lazily } = require('../lazily.js')
const runQueue = require('./run-queue.js')
const { Outcome } = require('./outcome.js')
const { Deferred } = require('../promises.js')
const { Tallies } = require('../metrics/tally.js')
const { ADDRESSED, EMITTED, FAILED, TIMED_OUT, UNHEARD } = require('../metrics/words.js')

const bounding = lazily(() => require('./bounded.js'))
const failing = lazily(() => require('./failures.js'))
const observing = lazily(() => require('../observe/emit.js'))
const propagating = lazily(() => require('../observe/propagation.js'))
const counting = lazily(() => require('../metrics/statistics.js'))
const removing = lazily(() => require('../listeners/removals.js'))
const timing = lazily(() => require('../metrics/timed.js'))

class Tracker {
  /** Number of emissions queued or running. */
  pending = 0
  /** True if `close()` was called: no new events. */
  closed = false
  /** The bus's place in its channel, or null. */
  member = null
  /** Changes that listeners made to listeners, and that queued emissions have to heed, or null. */
  removals = null
  /** The tally of all events, unless they are counted by their names: then null. */
  soleTally = null
  #lastTally = null
  /** What is known of the current emit, if it is observed; or null. */
  emit = null
  /** See `observe/propagation.js`; null without it. */
  propagation = null
  /** `this` of the listeners of the current emit, where that is not the bus itself: it may stand behind a proxy. */
  receiver = null
  #idle = null
  #reporting
  #reporter = null
  #statistics = null

  /** @param {{ onError?: Function, captureRejections: boolean, recordTiming?: boolean }} options */
  constructor(bus, options) {
    this.bus = bus
    this.recordsTiming = options.recordTiming ?? false
    this.tallies = new Tallies(this, this.recordsTiming)
    if (options.channel === undefined && !this.recordsTiming) this.soleTally = this.tallies.ofOthers()
    if (this.recordsTiming) runQueue.hasWatchers = true
    if (options.propagate !== undefined) this.propagateBy(options.propagate)
    const { onError, captureRejections } = options
    this.#reporting = { onError, captureRejections }
  }

  /** Reports failures. It is made for the first of them, which most buses never have. */
  get reporter() {
    this.#reporter ??= new (failing().FailureReporter)(this, this.#reporting)
    return this.#reporter
  }

  get statistics() {
    this.#statistics ??= new (counting().Statistics)(this)
    return this.#statistics
  }

  /** Queues an event for `listeners`. See `Emission` for the shapes. */
  enqueue(event, listeners, args, outcome) {
    return this.#push(new Emission(this, event, listeners, args, outcome))
  }

  /** Queues an event, bounded by `{ timeout, signal }` unless they are null. */
  enqueueWithin(event, listeners, args, outcome, bounds) {
    if (bounds === null) return this.enqueue(event, listeners, args, outcome)
    return this.#push(new (bounding().BoundedEmission)(this, event, listeners, args, outcome, bounds))
  }

  #push(emission) {
    if (this.receiver !== null) Object.defineProperty(emission, 'bus', { value: this.receiver })
    const { words } = emission.tally
    words[EMITTED]++
    words[ADDRESSED] += emission.unsettled
    if (runQueue.hasWatchers) this.#watch(emission)
    this.pending++
    this.member?.catchUp()
    runQueue.push(emission)
    return emission
  }

  /** True if it wants to know of each event that its bus gets. */
  get isAttentive() {
    return this.recordsTiming || this.propagation !== null
  }

  /** Returns the tally of an event. Events of a name often follow each other. */
  tallyOf(event) {
    if (this.soleTally !== null) return this.soleTally
    if (this.#lastTally?.event !== event) this.#lastTally = this.tallies.of(event)
    return this.#lastTally
  }

  /**
   * Counts events by their names, from now on. That takes a tenth of the time of an event that stays in its thread, so it
   * is not done before somebody asks; on a channel it does not count.
   */
  countByName() {
    this.soleTally = null
  }

  /** Begins the tallies anew that `getStats` tells of. */
  resetTallies() {
    this.tallies.reset()
    this.#lastTally = null
    if (this.soleTally !== null) this.soleTally = this.tallies.ofOthers()
  }

  #watch(emission) {
    if (this.recordsTiming) {
      emission.outcome = new (timing().TimedOutcome)(emission.tally.words, emission.outcome, performance.now())
    }
    if (this.propagation !== null || runQueue.trace !== null) this.#observe(emission)
  }

  /** Has events carry a context; null ends it. */
  propagateBy(propagate) {
    this.propagation = propagate === null ? null : new (propagating().Propagation)(this, propagate)
    runQueue.hasWatchers = true
  }

  #observe(emission) {
    const emit = this.emit ?? new (observing().Emit)(this, emission.event, emission.args)
    emit.listeners += emission.unsettled
    if (this.propagation !== null) this.propagation.carry(emission, emit.headers, emit.at)
    if (runQueue.trace === null) return
    runQueue.trace.queued(emission, emit)
    if (this.emit === null) runQueue.trace.emitted(emit)
  }

  /** Has `work` emit an event, for listeners here and elsewhere, that is observed. */
  observed(event, args, work) {
    const outer = this.emit
    const emit = new (observing().Emit)(this, event, args)
    this.emit = emit
    try {
      return work(emit)
    } finally {
      this.emit = outer
      if (emit.listeners > 0) runQueue.trace?.emitted(emit)
    }
  }

  /**
   * Counts an event of a channel that was addressed to listeners elsewhere alone. The engine counts those listeners, and
   * `enqueue` counts an event with listeners here.
   */
  sent(event, others, here) {
    if (others > 0 && here === 0) this.tallyOf(event).words[EMITTED]++
  }

  /** Counts an event that nobody listens to. */
  unheard(event) {
    if (this.closed) return
    const tally = this.soleTally ?? this.tallies.ofUnheard(event)
    tally.words[UNHEARD]++
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
    this.#countFailure(emission, error)
    this.reporter.report(emission, error, listener)
  }

  #countFailure({ tally, event }, error) {
    const isLate = error instanceof ListenerTimeoutError && error.event === event
    tally.words[isLate ? TIMED_OUT : FAILED]++
    tally.failed++
    if (isLate) tally.timedOut++
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
    this.removals ??= new (removing().Removals)()
    return this.removals
  }

  /** True if listeners made changes that an emission which is being started may have to heed. */
  get hasRemovals() {
    if (this.removals?.isPast) this.removals = null
    return this.removals !== null
  }
}

/** Returns the tracker of emissions that are kept: of no bus. */
const keptTracker = lazily(() => new Tracker({}, { captureRejections: false }))

keep(() => [new Emission(keptTracker(), 'kept', () => {}, [], new Outcome())])

module.exports = { Tracker, keptTracker }
