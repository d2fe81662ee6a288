'use strict'

// The link between this thread and the engine, one for all buses of the thread that are in a channel. They share the
// encoder, the burst, the reader of messages, and the acknowledgements.

const native = require('../native.js')
const { Encoder } = require('../codec/index.js')
const { Acks } = require('./acks.js')
const { Burst } = require('./burst.js')
const { watchForExit } = require('./exit-reason.js')
const { overErrorFor } = require('./failures.js')
const { Handles } = require('./handles.js')
const { ListenerTable } = require('./listener-table.js')
const { beginTrace } = require('../observe/begin.js')
const { Parcels } = require('./parcels.js')
const { Reader } = require('./reader.js')
const { NativePromise } = require('../promises.js')

/** Tokens are numbered in a circle. */
const TOKENS = 0x3fffffff

/** Stands for the publishers of several buses. */
const SEVERAL = Symbol('several')

class Link {
  /** @type {Map<number, import('./member.js').Member>} the buses of this thread that are in a channel, by their number */
  members = new Map()
  listeners = new ListenerTable()
  encoder
  #runQueue
  #reader
  /** The publisher of a bus with unread events for other buses of this thread; SEVERAL for more of them; or null. */
  #loopback = null
  /** @type {Set<import('./member.js').Member>} buses that are told of each turn */
  #watching = new Set()
  /** @type {Map<number, import('./pending.js').PendingDispatch>} by token */
  #pending = new Map()
  #lastToken = 0
  /** @type {Map<number, import('../local/context.js').Scope>} of running listeners, by token */
  #followed = new Map()
  #lastFollowed = 0

  constructor(thread, runQueue) {
    this.#runQueue = runQueue
    this.handles = new Handles(thread, (token) => this.#pending.has(token))
    this.parcels = new Parcels(thread)
    const publish = (codebook) => native.shareCodebook(thread, codebook)
    this.encoder = new Encoder(publish, this.handles.numbering, this.parcels)
    this.burst = new Burst(thread)
    this.acks = new Acks(thread, () => this.turned())
    this.#reader = new Reader(thread, this, runQueue)
    native.lend(thread, this.encoder.memory)
    watchForExit()
    if (native.isTracing()) beginTrace()
  }

  /** Returns true for memory that the engine reads without being passed it; null is no memory. */
  lends(buffer) {
    return buffer === this.encoder.memory || buffer === null
  }

  // Reading

  /** Reads one batch of messages. Returns whether to read again, soon. */
  read() {
    const again = this.#reader.read()
    if (!again) this.handles.forgetEnded()
    if (!again && this.burst.isEmpty) this.#loopback = null
    return again
  }

  /** See `Reader.takeArguments`. */
  takeArguments(endpoint, isBatch, handle, index) {
    return this.#reader.takeArguments(endpoint, isBatch, handle, index)
  }

  /** Notes that a listener may be called again which had as many calls as may run at once. */
  hasPlace() {
    if (this.#reader.hasOffers) this.#runQueue.readSoon()
  }

  /** Notes that an event which was read and queued is being started. */
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
  // They come as those of other threads do; the events that a bus emits for its own listeners do not. So that these get
  // all in the order of emission, earlier events of the thread's other buses are read before a bus emits.

  /** Notes that a bus has emitted an event which other buses of this thread may get. */
  loopedBack(publisher) {
    if (this.#loopback === null) this.#loopback = publisher
    else if (this.#loopback !== publisher) this.#loopback = SEVERAL
  }

  /** Notes that a bus has emitted an event which buses of this thread get as others do, that one among them. */
  cameBack() {
    this.#loopback = SEVERAL
  }

  /** Reads earlier events of this thread's other buses. Called before an event is queued for a bus's own listeners. */
  catchUp(publisher) {
    if (this.#loopback === null || this.#loopback === publisher) return
    if (this.listeners.isReading || this.#runQueue.exiting) return
    this.#loopback = null
    // Not in the context of the emitter.
    native.callOutside(this.#readLoopback)
  }

  #readLoopback = () => this.#reader.readLoopback()

  // Dispatches of this thread that are awaited

  /** Returns a token for a dispatch. Its `settled` is called once, unless it is dropped. */
  expect(pending) {
    do this.#lastToken = (this.#lastToken + 1) & TOKENS
    while (this.#pending.has(this.#lastToken))
    this.#pending.set(this.#lastToken, pending)
    return this.#lastToken
  }

  /** Forgets a dispatch: it is no longer awaited. */
  drop(token) {
    this.#pending.delete(token)
    this.handles.settled(token)
  }

  /** Returns a dispatch that has settled, if it is still awaited. */
  take(token) {
    const pending = this.#pending.get(token)
    this.drop(token)
    return pending
  }

  // Events of others that listeners follow while they run

  /** Follows a delivery that was started. Returns the token to `unfollow` it by. */
  follow(event, delivery, scope) {
    do this.#lastFollowed = (this.#lastFollowed % TOKENS) + 1
    while (this.#followed.has(this.#lastFollowed))
    this.#followed.set(this.#lastFollowed, { event, scope })
    native.follow(this.#runQueue.handle, delivery, this.#lastFollowed)
    return this.#lastFollowed
  }

  unfollow(token) {
    this.#followed.delete(token)
  }

  /** Notes that nobody waits any more for the listeners that follow an event. */
  over(token, kind, detail, reason) {
    const followed = this.#followed.get(token)
    if (followed === undefined) return
    this.#followed.delete(token)
    const { event, scope } = followed
    // Handlers of the abort are not to run while a message is being read.
    NativePromise.resolve().then(() => scope.come(overErrorFor(event, kind, detail, scope, reason)))
  }

  // Turns

  /** Ends a turn, after the drain: flushes, and tells the buses that wait for quiet. */
  turned() {
    // A caller that has waited for an event may close the trace.
    this.#runQueue.trace?.flush()
    this.acks.flush()
    for (const member of this.#watching) if (!member.turned()) this.#watching.delete(member)
  }

  /** Tells the member of each turn from now on, until it says that it waits for nothing more. */
  watch(member) {
    this.#watching.add(member)
  }

  /** Forgets the member of this number for good. */
  leave(id, member) {
    this.members.delete(id)
    this.#watching.delete(member)
  }
}

module.exports = { Link }
