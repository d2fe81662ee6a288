'use strict'

// An emission of `bus.with({ timeout, signal })`, with a timeout, an abort signal, or both.

const { performance } = require('node:perf_hooks')
const { clearTimeout, setTimeout } = require('node:timers')
const { Scope } = require('./context.js')
const { Emission } = require('./emission.js')
const { CANCELLED, SETTLED } = require('../metrics/words.js')
const { ListenerTimeoutError } = require('../errors.js')
const { keep } = require('../kept.js')
const { Outcome } = require('./outcome.js')
const { follow } = require('../promises.js')
const { keptTracker } = require('./tracker.js')
const { onAbort } = require('../listeners/abort.js')

class BoundedEmission extends Emission {
  #bounds
  #endsAt = Number.POSITIVE_INFINITY
  #timer
  #release
  /** Number of its listeners that were called. */
  #called = 0
  /** Number of its listeners that have returned a promise, and have not ended. */
  #running = 0
  #onQuiet = null
  #started = false
  #aborted = false
  #finished = false
  /** Indexes of the listeners that are done, one way or another. Their later results are ignored. */
  #settled = new Set()
  /** Indexes of the listeners that wait for a call of theirs to end. */
  #waiting = new Set()
  /** @type {Scope | null} */
  #scope = null

  /** @param {{ timeout?: number, signal?: AbortSignal }} bounds the time counts from here, queueing included */
  constructor(tracker, event, listeners, args, outcome, bounds) {
    super(tracker, event, listeners, args, outcome)
    this.#bounds = bounds
    const { timeout, signal } = bounds
    if (timeout !== undefined) {
      this.#endsAt = performance.now() + timeout
      this.#timer = setTimeout(() => this.#expire(), timeout)
    }
    if (signal !== undefined) this.#release = onAbort(signal, () => this.#abort())
  }

  get scope() {
    this.#scope ??= new Scope()
    return this.#scope
  }

  start() {
    if (this.#finished) return
    // The thread may have been too busy for its timers.
    if (this.#isLate) {
      this.#expire()
      return
    }
    this.#started = true
    super.start()
  }

  call(listener, index, bus, args) {
    // Cancelled by a listener before it that aborted, or late because of that one.
    if (this.#aborted) {
      this.tally.words[CANCELLED]++
      this.succeed(index)
    } else if (this.#isLate) this.#expire()
    else {
      this.#called = Math.max(this.#called, index + 1)
      if (super.call(listener, index, bus, args)) this.succeed(index)
    }
    return false
  }

  wait(waiting, index) {
    this.#waiting.add(index)
    super.wait(waiting, index)
  }

  resume(index) {
    this.#waiting.delete(index)
    super.resume(index)
  }

  isOver(index) {
    return this.#settled.has(index)
  }

  drop(index) {
    if (this.#close(index)) super.drop(index)
  }

  followPromise(promise, index) {
    this.#running++
    follow(
      promise,
      () => {
        this.#ended()
        this.succeed(index)
      },
      (error) => {
        this.#ended()
        this.fail(index, error)
      },
    )
  }

  #ended() {
    if (--this.#running === 0) this.#onQuiet?.()
  }

  /** Calls back when none of its listeners is running. One may be when it has settled: its time was over before. */
  whenQuiet(callback) {
    if (this.#running === 0) callback()
    else this.#onQuiet = callback
  }

  succeed(index) {
    if (this.#isLate && !this.#aborted) this.#expire()
    else if (this.#close(index)) super.succeed(index)
  }

  fail(index, error) {
    if (this.#close(index)) super.fail(index, error)
  }

  finish() {
    this.#finished = true
    clearTimeout(this.#timer)
    this.#release?.()
    super.finish()
  }

  get #isLate() {
    return this.#endsAt !== Number.POSITIVE_INFINITY && performance.now() >= this.#endsAt
  }

  /** Marks the listener at `index` as done. Returns false where it was done before. */
  #close(index) {
    if (this.#settled.has(index)) return false
    this.#settled.add(index)
    return true
  }

  #expire() {
    if (this.#finished) return
    const { event } = this
    const { timeout } = this.#bounds
    const count = this.unsettled + this.#settled.size
    this.restoreClaimed(this.#called)
    // A handler that is told of a failure may abort the signal, and so cancel the rest.
    for (let index = 0; index < count && !this.#finished; index++) {
      if (!this.#settled.has(index)) this.fail(index, new ListenerTimeoutError(event, this.listener(index), timeout))
    }
    this.#scope?.come(new ListenerTimeoutError(event, undefined, timeout))
  }

  /** Tells the waiting emitter, and cancels the emission if it has not started. Running listeners go on. */
  #abort() {
    this.#aborted = true
    this.outcome?.abort(this.#bounds.signal.reason)
    if (this.#finished) return
    this.restoreClaimed(this.#called)
    for (const index of this.#waiting) this.succeed(index)
    this.#scope?.come(this.#bounds.signal.reason)
    if (this.#started) return
    this.tally.words[CANCELLED] += this.unsettled
    this.tally.words[SETTLED] += this.unsettled
    this.listeners = []
    this.finish()
  }
}

keep(() => [new BoundedEmission(keptTracker(), 'kept', () => {}, [], new Outcome(), {})])

module.exports = { BoundedEmission }
