'use strict'

// An event from another member of the channel, on its way to the listeners here: an emission that the engine hears
// of. The emitter counts its failures; they are told here, where they happen.

const native = require('../native.js')
const { Emission, countOf } = require('../local/emission.js')
const outbox = require('../local/run-queue.js')
const { answering } = require('../local/outcome.js')
const { follow } = require('../promises.js')
const { storedOf } = require('../listeners/registration.js')

/** One whose emitter waits for nothing. The engine is told when all its listeners are done. */
class Posted extends Emission {
  constructor(inbox, dispatcher, event, listeners, args, packet, index) {
    super(dispatcher, event, listeners, args, null)
    this.inbox = inbox
    this.packet = packet
    this.index = index
    this.failures = 0
  }

  start() {
    this.inbox.waiting--
    // What has not started when the thread ends is for another thread, or lost: only its emitter can tell.
    if (!outbox.exiting) super.start()
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
    this.inbox.posted(this.packet, this.index, this.failures)
  }
}

/** One that somebody waits for, or that has a limit. The engine is told of each listener at once. */
class Dispatched extends Emission {
  #delivery
  #mustStart
  #isAwaited
  #answer
  /** The engine's index of each listener, where some were withdrawn; null while it is the same. */
  #indexes

  #timeouts
  #letGo = false

  /**
   * @param {{ delivery: number, mustStart: boolean, isAwaited: boolean, isRequest: boolean, indexes: number[]?,
   * timeouts: number[]? }} about
   */
  constructor(inbox, { membership, event }, listeners, args, about) {
    super(membership.dispatcher, event, listeners, args, null)
    const { delivery, mustStart, isAwaited, isRequest, indexes, timeouts } = about
    this.inbox = inbox
    this.#delivery = delivery
    this.#mustStart = mustStart
    this.#isAwaited = isAwaited
    this.#indexes = indexes
    this.#timeouts = timeouts
    this.#answer = isRequest ? { value: undefined } : null
    if (isRequest) this.listeners = listeners.map((called) => answering(this.#answer, called, storedOf(called)))
  }

  start() {
    this.inbox.waiting--
    if (outbox.exiting) return
    if (this.#mustStart && !native.start(outbox.handle, this.#delivery)) this.restoreClaimed(0)
    else super.start()
  }

  get isAwaited() {
    return this.#isAwaited
  }

  /** The emitter waits for those listeners that it was addressed to, and for no others. */
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
      else native.skip(outbox.handle, this.#delivery, this.#indexOf(index))
    }
    this.#indexes = indexes
  }

  call(listener, index, bus, args) {
    if (this.#timeouts !== null) this.#limit(this.#indexOf(index))
    if (super.call(listener, index, bus, args)) this.succeed(index)
    return false
  }

  /** Whoever waits is to hear in time even if the listener blocks this thread. */
  #limit(index) {
    const timeout = this.#timeouts[index]
    if (timeout !== undefined) native.startTimer(outbox.handle, this.#delivery, index, Math.ceil(timeout))
  }

  followPromise(promise, index) {
    follow(
      promise,
      () => this.succeed(index),
      (error) => this.fail(index, error),
    )
  }

  succeed(index) {
    const value = this.#answer?.value
    if (value === undefined) this.#acknowledge(index)
    else if (!this.#reply(index, value)) return
    this.settle(1)
  }

  #acknowledge(index) {
    native.acknowledge(outbox.handle, this.#delivery, this.#indexOf(index), this.#letGoWithLast())
  }

  /** Returns false where the answer can not be sent: then that is the failure. */
  #reply(index, value) {
    let encoded
    try {
      encoded = this.inbox.encoder.encodeAlone(value)
    } catch (error) {
      this.fail(index, error)
      return false
    }
    const { buffer, start, end } = encoded
    const [thread, isLast] = [outbox.handle, this.#letGoWithLast()]
    if (this.inbox.reads(buffer)) native.reply(thread, this.#delivery, start, end, isLast)
    else native.reply(thread, this.#delivery, start, end, isLast, buffer)
    return true
  }

  /** With the last listener the delivery is let go of, in the same call. */
  #letGoWithLast() {
    if (this.unsettled > 1) return 0
    this.#letGo = true
    return 1
  }

  fail(index, error) {
    const { buffer, start, end } = this.inbox.encoder.encodeThrown(error)
    native.fail(outbox.handle, this.#delivery, this.#indexOf(index), buffer, start, end)
    this.outcome?.failed(index, error)
    report(this, index, error)
    this.settle(1)
  }

  finish() {
    this.unsettled = -1
    this.outcome?.settle(countOf(this.listeners))
    if (!this.#letGo) native.release(outbox.handle, this.#delivery)
    this.dispatcher.membership.checkQuiet()
  }

  #indexOf(index) {
    return this.#indexes === null ? index : this.#indexes[index]
  }
}

function report(delivery, index, error) {
  delivery.dispatcher.reporter.report(delivery, error, delivery.listener(index))
}

module.exports = { Posted, Dispatched }
