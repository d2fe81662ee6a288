'use strict'

// Events of other members of the channel, on their way to the listeners here. The engine is told when they are done.
// Their emitter counts failures. `onError` and warnings tell of them here, where they happen. Here are those that nobody
// waits for; the others are in `tracked.js`.

const { keep } = require('../kept.js')
const native = require('../native.js')
const { TimedOutcome, hereOf } = require('../metrics/timed.js')
const { Scope, scopeFor } = require('../local/context.js')
const { Emission, countOf } = require('../local/emission.js')
const { FINISHED, HEARD, HEARD_FAILED, STARTED } = require('../metrics/words.js')
const runQueue = require('../local/run-queue.js')
const { keptTracker } = require('../local/tracker.js')
const { standIn, storedOf } = require('../listeners/registration.js')

const NONE = Object.freeze([])

/** An event of another member. */
class IncomingEmission extends Emission {
  /** Its emitter counts it. */
  dropped() {}

  /**
   * Takes the note that came with its arguments: the time of the emit, or what is known of an emit that is observed, or null.
   *
   * @param {number | { at: number, id: number, headers: Record<string, string> | null } | null} note
   */
  attend(note) {
    const { tracker } = this
    const emittedAt = typeof note === 'number' ? note : note?.at
    if (tracker.recordsTiming) this.outcome = new TimedOutcome(this.tally.words, null, hereOf(emittedAt))
    tracker.propagation?.carry(this, note?.headers, emittedAt)
    runQueue.trace?.came(this, note)
  }
}

/** An event of a batch: its emitter waits for no outcome. It is acknowledged when all its listeners are done. */
class BatchedEmission extends IncomingEmission {
  constructor(link, tracker, event, listeners, args, batch, index) {
    super(tracker, event, listeners, args, null)
    this.link = link
    this.batch = batch
    this.index = index
    this.failures = 0
  }

  /** Of a listener that took the place of another one: nobody can cancel the event, nor is its emitter watched. */
  get scope() {
    return scopeFor(this, () => {
      const [threadId, id] = native.origin(runQueue.handle, true, this.batch)
      return new Scope({ threadId, id })
    })
  }

  start() {
    this.link.started()
    // An event that has not started when the thread ends is for another thread, or lost: only its emitter can tell.
    if (runQueue.exiting) return
    this.tally.words[STARTED]++
    super.start()
  }

  resume(index) {
    if (!runQueue.exiting) super.resume(index)
  }

  fail(index, error) {
    this.failures++
    this.tally.words[HEARD_FAILED]++
    this.outcome?.failed(index, error)
    report(this, index, error)
    this.settle(1)
  }

  finish() {
    this.unsettled = -1
    finished(this)
    this.link.acks.add(this.batch, this.index, this.failures)
  }
}

/** An event of a batch with long arguments. They stay with the engine until it starts: one that never does is not copied. */
class LongBatchedEmission extends BatchedEmission {
  constructor(link, tracker, event, listeners, endpoint, batch, index) {
    super(link, tracker, event, listeners, NONE, batch, index)
    this.endpoint = endpoint
  }

  start() {
    if (runQueue.exiting) return super.start()
    const taken = this.link.takeArguments(this.endpoint, true, this.batch, this.index)
    if (taken === null) return this.#skip()
    receive(this, taken)
    super.start()
  }

  /** Calls nobody: the event has settled in the meantime. */
  #skip() {
    this.link.started()
    this.tally.words[STARTED]++
    this.settle(this.unsettled)
  }
}

/** Counts an event that is over, and settles its outcome. */
function finished({ tally, listeners, outcome }) {
  const count = countOf(listeners)
  tally.words[FINISHED]++
  tally.words[HEARD] += count
  outcome?.settle(count)
}

/** Gives an emission its arguments. Where they are unreadable, all listeners fail with the reason. */
function receive(emission, { args, unreadable, note }) {
  emission.args = args
  if (note !== null || emission.tracker.isAttentive) emission.attend(note)
  if (unreadable === null) return
  const { listeners } = emission
  if (typeof listeners === 'function') emission.listeners = failing(unreadable, listeners)
  else emission.listeners = listeners.map((called) => failing(unreadable, called))
}

/** Returns a listener that fails instead of being called. */
function failing(error, called) {
  return standIn(() => {
    throw error
  }, storedOf(called))
}

function report(emission, index, error) {
  emission.tracker.reporter.report(emission, error, emission.listener(index))
}

const listener = () => {}
keep(() => [
  new BatchedEmission(null, keptTracker(), 'kept', listener, [], 0, 0),
  new LongBatchedEmission(null, keptTracker(), 'kept', listener, 0, 0, 0),
])

module.exports = { BatchedEmission, IncomingEmission, LongBatchedEmission, failing, finished, receive, report }
