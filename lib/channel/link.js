'use strict'

// The link between this thread and the engine, one for all buses of the thread that are in a channel: what they share to
// send, to be told, and to acknowledge.

const native = require('../native.js')
const { Encoder } = require('../codec/index.js')
const { Acks } = require('./acks.js')
const { Burst } = require('./burst.js')
const { watchForExit } = require('./exit-reason.js')
const { ListenerTable } = require('./listener-table.js')
const { Reader } = require('./reader.js')

/** Stands for the publishers of several buses. */
const SEVERAL = Symbol('several')

class Link {
  /** @type {Map<number, import('./member.js').Member>} the buses of this thread that are in a channel, by their number */
  members = new Map()
  listeners = new ListenerTable()
  encoder = new Encoder((codebook) => native.shareCodebook(this.#thread, codebook))
  #thread
  #runQueue
  #reader
  /** The bus whose events for other buses of this thread may not have been read: its publisher, SEVERAL, or null. */
  #loopback = null
  /** @type {Set<import('./member.js').Member>} buses that wait for what a turn may bring */
  #watching = new Set()
  /** @type {Map<number, import('./pending.js').PendingDispatch>} by token */
  #pending = new Map()
  #lastToken = 0

  constructor(thread, runQueue) {
    this.#thread = thread
    this.#runQueue = runQueue
    this.burst = new Burst(thread)
    this.acks = new Acks(thread, () => this.turned())
    this.#reader = new Reader(thread, this, runQueue)
    native.lend(thread, this.encoder.memory)
    watchForExit()
  }

  /** Whether the engine reads messages in this buffer, and it need not be passed; null is none. */
  lends(buffer) {
    return buffer === this.encoder.memory || buffer === null
  }

  // Reading

  /** Reads one batch of messages. Returns whether to read again, soon. */
  read() {
    const again = this.#reader.read()
    if (!again && this.burst.isEmpty) this.#loopback = null
    return again
  }

  /** An event that was read, and queued, is being started. */
  started() {
    this.#reader.queued--
  }

  /** Has `heard` called when news come that a thread has ended, before the news are told. Null ends the watch. */
  watchThread(threadId, heard) {
    if (heard === null) this.#reader.watched.delete(threadId)
    else this.#reader.watched.set(threadId, heard)
  }

  // Events of this thread for other buses of it
  //
  // They come as those of other threads do, and what a bus emits for its own listeners does not. So that these hear all
  // in the order of emission, what other buses of the thread have emitted before is read before a bus emits.

  /** A bus has emitted something that other buses of this thread may get. */
  loopedBack(publisher) {
    if (this.#loopback === null) this.#loopback = publisher
    else if (this.#loopback !== publisher) this.#loopback = SEVERAL
  }

  /** To be called before a bus has its own listeners wait for an event. */
  catchUp(publisher) {
    if (this.#loopback === null || this.#loopback === publisher) return
    if (this.listeners.isReading || this.#runQueue.exiting) return
    this.#loopback = null
    // Not in the context of the emitter.
    native.callOutside(this.#readLoopback)
  }

  #readLoopback = () => this.#reader.readLoopback()

  // Dispatches of this thread that somebody waits for

  /** Returns a token for a dispatch. Its `settled` is called once, unless it is dropped. */
  expect(pending) {
    do this.#lastToken = (this.#lastToken + 1) & 0x3fffffff
    while (this.#pending.has(this.#lastToken))
    this.#pending.set(this.#lastToken, pending)
    return this.#lastToken
  }

  /** Nobody waits for the dispatch any more. */
  drop(token) {
    this.#pending.delete(token)
  }

  /** Returns a dispatch that has settled, if somebody still waits for it. */
  take(token) {
    const pending = this.#pending.get(token)
    this.#pending.delete(token)
    return pending
  }

  // Turns

  /** The drain is over for this turn: a bus that waits for quiet may have it. */
  turned() {
    this.acks.flush()
    for (const member of this.#watching) if (!member.turned()) this.#watching.delete(member)
  }

  /** From now on the member is told of each turn, until it says that it waits for nothing more. */
  watch(member) {
    this.#watching.add(member)
  }

  /** The member of this number is gone for good. */
  leave(id, member) {
    this.members.delete(id)
    this.#watching.delete(member)
  }
}

module.exports = { Link }
