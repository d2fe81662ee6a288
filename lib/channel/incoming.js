'use strict'

// Events of other members of the channel, on their way to the listeners here. The engine is told when they are done.
// Their emitter counts failures. `onError` and warnings tell of them here, where they happen.

const { keep } = require('../kept.js')
const native = require('../native.js')
const { Emission, countOf } = require('../local/emission.js')
const { Waiting } = require('../local/gate.js')
const runQueue = require('../local/run-queue.js')
const { replying } = require('../local/outcome.js')
const { keptTracker } = require('../local/tracker.js')
const { follow } = require('../promises.js')
const { hasToWait, standIn, storedOf } = require('../listeners/registration.js')

const NONE = Object.freeze([])
/** In the place of the index of a listener: the whole emission waits. */
const WHOLE = -1

/** An event of a batch: its emitter waits for no outcome. It is acknowledged when all its listeners are done. */
class BatchedEmission extends Emission {
  constructor(link, tracker, event, listeners, args, batch, index) {
    super(tracker, event, listeners, args, null)
    this.link = link
    this.batch = batch
    this.index = index
    this.failures = 0
  }

  start() {
    this.link.started()
    // An event that has not started when the thread ends is for another thread, or lost: only its emitter can tell.
    if (!runQueue.exiting) super.start()
  }

  resume(index) {
    if (!runQueue.exiting) super.resume(index)
  }

  fail(index, error) {
    this.failures++
    this.outcome?.failed(index, error)
    report(this, index, error)
    this.settle(1)
  }

  finish() {
    this.unsettled = -1
    this.outcome?.settle(countOf(this.listeners))
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
    this.settle(this.unsettled)
  }
}

/** An event that is awaited or bounded. The engine is told of each listener at once. */
class TrackedEmission extends Emission {
  #delivery
  #mustStart
  #isAwaited
  /** The value of a request's listener, once it has returned; null for other events. */
  #returned
  /** The engine's index of each listener, where some were removed; null while it is the same. */
  #indexes
  #timeouts
  /** The emitter's endpoint, and its token for the dispatch. */
  #endpoint
  #token
  /** True if the arguments lie apart: they are taken at the start. */
  #isLong
  /** The registration of its only listener, if that has a gate; else null. */
  #gated
  #letGo = false

  /**
   * @param {{ delivery: number, mustStart: boolean, isAwaited: boolean, isRequest: boolean, indexes: number[]?,
   * timeouts: number[]?, gated: object?, endpoint: number, token: number, isLong: boolean }} about
   * `gated` is the registration of its only listener, if that has a gate
   */
  constructor(link, { member, event }, listeners, args, about) {
    super(member.tracker, event, listeners, args, null)
    const { delivery, mustStart, isAwaited, isRequest, indexes, timeouts, gated, endpoint, token, isLong } = about
    this.link = link
    this.#delivery = delivery
    this.#mustStart = mustStart
    this.#isAwaited = isAwaited
    this.#indexes = indexes
    this.#timeouts = timeouts
    this.#endpoint = endpoint
    this.#token = token
    this.#isLong = isLong
    this.#gated = gated
    this.#returned = isRequest ? { value: undefined } : null
    if (isRequest) this.listeners = listeners.map((called) => replying(this.#returned, called, storedOf(called)))
  }

  start() {
    this.link.started()
    if (runQueue.exiting) return
    if (this.#gated?.gate.isFull) new Waiting(this.#gated).wait(this, WHOLE)
    else this.#begin()
  }

  #begin() {
    if (this.#mustStart && !native.start(runQueue.handle, this.#delivery)) this.restoreClaimed(0)
    else if (!this.#isLong || this.#receive()) super.start()
  }

  /** Takes the arguments. Returns false if the event has settled in the meantime: its time was over. */
  #receive() {
    const taken = this.link.takeArguments(this.#endpoint, false, this.#delivery, 0)
    if (taken !== null) receive(this, taken)
    else {
      this.restoreClaimed(0)
      native.release(runQueue.handle, this.#delivery)
    }
    return taken !== null
  }

  resume(index) {
    if (runQueue.exiting) return
    if (index === WHOLE) this.#begin()
    else super.resume(index)
  }

  isOver() {
    return native.isOver(runQueue.handle, this.#delivery)
  }

  drop(index) {
    native.skip(runQueue.handle, this.#delivery, index === WHOLE ? this.#indexOf(0) : this.#indexOf(index))
    super.drop(index)
  }

  get isAwaited() {
    return this.#isAwaited
  }

  /** Returns the listeners without replacements: the emitter waits for the addressed listeners alone. */
  withReplacements(left) {
    return left
  }

  heedRemovals() {
    const before = this.listeners
    super.heedRemovals()
    if (this.listeners === before) return
    const indexes = []
    for (const [index, listener] of before.entries()) {
      if (this.listeners[indexes.length] === listener) indexes.push(this.#indexOf(index))
      else native.skip(runQueue.handle, this.#delivery, this.#indexOf(index))
    }
    this.#indexes = indexes
  }

  call(listener, index, bus, args) {
    if (this.#timeouts !== null && !hasToWait(listener)) this.#startTimer(this.#indexOf(index))
    if (super.call(listener, index, bus, args)) this.succeed(index)
    return false
  }

  /** Starts the engine's timer, so that the emitter is told in time even if the listener blocks this thread. */
  #startTimer(index) {
    const timeout = this.#timeouts[index]
    if (timeout !== undefined) native.startTimer(runQueue.handle, this.#delivery, index, Math.ceil(timeout))
  }

  followPromise(promise, index) {
    follow(
      promise,
      () => this.succeed(index),
      (error) => this.fail(index, error),
    )
  }

  succeed(index) {
    const value = this.#returned?.value
    if (value !== undefined) return this.#reply(index, value)
    this.#acknowledge(index)
    this.settle(1)
  }

  #acknowledge(index) {
    native.acknowledge(runQueue.handle, this.#delivery, this.#indexOf(index), this.#letGoWithLast())
  }

  /** Sends the reply. Where it cannot be sent, that is the failure. */
  #reply(index, value) {
    let encoded
    try {
      encoded = this.link.encoder.encodeAlone(value)
      if (encoded.handles !== null && !this.#replyBeside(index, encoded)) return
    } catch (error) {
      this.#refuseReply(index, error, encoded?.parcel ?? 0)
      return
    }
    this.#crossReply(encoded)
  }

  #replyBeside(index, encoded) {
    const { parcel } = encoded
    const cross = (copy) => this.#crossReply(copy)
    return this.#sendBeside(encoded, cross, (error) => this.#refuseReply(index, error, parcel))
  }

  #refuseReply(index, error, parcel) {
    this.link.parcels.drop(parcel)
    this.fail(index, error)
  }

  #crossReply({ buffer, start, end, parcel }) {
    this.link.parcels.attach(parcel)
    const [thread, isLast] = [runQueue.handle, this.#letGoWithLast()]
    if (this.link.lends(buffer)) native.reply(thread, this.#delivery, start, end, isLast)
    else native.reply(thread, this.#delivery, start, end, isLast, buffer)
    this.settle(1)
  }

  /** Returns 1 with the last listener: then the same call lets go of the delivery. */
  #letGoWithLast() {
    if (this.unsettled > 1) return 0
    this.#letGo = true
    return 1
  }

  fail(index, error) {
    const isSent = this.#sendError(index, error)
    this.outcome?.failed(index, error)
    report(this, index, error)
    if (isSent) this.settle(1)
  }

  /** Returns false where it is sent, and settled, later. */
  #sendError(index, error) {
    const { encoder } = this.link
    // The error of an event that is not awaited is heard by nobody.
    let encoded = encoder.encodeThrown(error, this.#isAwaited)
    const without = () => encoder.encodeThrown(error, false)
    const settle = (copy) => this.#settleFailed(index, copy)
    try {
      if (encoded.handles !== null && !this.#sendBeside(encoded, settle, () => settle(without()))) return false
    } catch {
      encoded = without()
    }
    this.#crossError(index, encoded)
    return true
  }

  #settleFailed(index, encoded) {
    this.#crossError(index, encoded)
    this.settle(1)
  }

  #crossError(index, { buffer, start, end }) {
    native.fail(runQueue.handle, this.#delivery, this.#indexOf(index), buffer, start, end)
  }

  /**
   * Sends the emitter the handles of a reply or an error. Throws where the runtime refuses them. Returns false where they
   * have to wait for a pair; later `cross` gets a copy of the message then, or `refused` the reason.
   */
  #sendBeside({ buffer, start, end, handles, parcel }, cross, refused) {
    const { link } = this
    const send = () => link.handles.reply(this.#endpoint, this.#token, handles)
    if (send()) return true
    const copy = { buffer: buffer.slice(start, end), start: 0, end: end - start, parcel }
    link.handles.pair(this.#endpoint, this.#delivery, () => {
      try {
        send()
      } catch (error) {
        return refused(error)
      }
      cross(copy)
    })
    return false
  }

  finish() {
    this.unsettled = -1
    this.outcome?.settle(countOf(this.listeners))
    if (!this.#letGo) native.release(runQueue.handle, this.#delivery)
    this.tracker.member.checkQuiet()
  }

  #indexOf(index) {
    return this.#indexes === null ? index : this.#indexes[index]
  }
}

/** Gives an emission its arguments. Where they are unreadable, all listeners fail with the reason. */
function receive(emission, { args, unreadable }) {
  emission.args = args
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

const registration = { member: { tracker: keptTracker }, event: 'kept' }
const listener = () => {}
const about = { delivery: 0, mustStart: false, isAwaited: true, isRequest: true, indexes: null, timeouts: null }
keep(() => [
  new BatchedEmission(null, keptTracker, 'kept', listener, [], 0, 0),
  new LongBatchedEmission(null, keptTracker, 'kept', listener, 0, 0, 0),
  new TrackedEmission(null, registration, [listener], [], { ...about, endpoint: 0, token: 0, isLong: false }),
])

module.exports = { BatchedEmission, LongBatchedEmission, TrackedEmission, failing }
