'use strict'

// A bus's place in its channel: tells the engine of the bus's listeners, and is told of failures of its events.
// It emits through its publisher, see `publisher.js`.

const { isMainThread } = require('node:worker_threads')
const { claimChannels } = require('../copies.js')
const { Deferred, NativePromise } = require('../promises.js')
const { show } = require('../errors.js')
const native = require('../native.js')
const runQueue = require('../local/run-queue.js')
const { deadLetter, linkState, peerExit, peerJoin, stall, threadExit } = require('../symbols.js')
const { exitReasonOf, leaveReasonOf } = require('./exit-reason.js')
const { linkChange, whereIs } = require('./foreign.js')
const { Link } = require('./link.js')
const { AwaitedListeners } = require('./awaited-listeners.js')
const { fromEngine, toEngine } = require('./names.js')
const { NEWS_LINK_STATE, NEWS_PEER_JOIN } = require('./protocol.js')
const { Publisher } = require('./publisher.js')
const { FINISHED, STARTED } = require('../metrics/words.js')

/** Defaults of `mailbox` and `stallAfter`. */
const MAX_MESSAGES = 65_536
const MAX_BYTES = 64 * 2 ** 20
const STALL_AFTER_MS = 1000

class Member {
  #thread
  #bus
  #link
  #id
  #listening = 0
  /** Number of this bus's own events that the engine has chosen a listener here for, and that have not settled. */
  chosen = 0
  /** The engine's handles for own events with a key that have settled while their listeners still run. */
  #inLine = new Set()
  /** Null for the default: a worker thread lives while a bus of it listens. */
  #ref = null
  #keepsAlive = false
  /** The counts at the last reset, and when the bus left. */
  #before = { addressed: 0, failed: 0 }
  #atEnd = this.#before
  /** Functions to call once: when nothing is pending, and when nothing is in flight. */
  #whenIdle = null
  #whenQuiet = null
  /** @type {Deferred | null} settled when there is room */
  #room = null

  /**
   * @param {{ channel: string, mailbox?: { maxMessages?, maxBytes? }, stallAfter?: number }} options the bus's
   * @param {{ removeClaimed(registrations), tell(symbol, about) }} bus reactions of the bus to the engine's news
   */
  constructor(tracker, { channel, mailbox = {}, stallAfter = STALL_AFTER_MS }, bus) {
    const { maxMessages = MAX_MESSAGES, maxBytes = MAX_BYTES } = mailbox
    claimChannels(native)
    this.channel = channel
    this.tracker = tracker
    tracker.member = this
    this.#bus = bus
    this.#thread = runQueue.handle
    runQueue.link ??= new Link(this.#thread, runQueue)
    this.#link = runQueue.link
    this.#id = native.join(this.#thread, toEngine(channel), maxMessages, maxBytes, stallAfter)
    this.listening = new AwaitedListeners(this.#thread, this.#id)
    this.#link.members.set(this.#id, this)
    this.publisher = new Publisher(tracker, this.#link, this.#thread, this.#id)
  }

  /** Returns true if events of this name go to the channel. */
  carries(event) {
    return typeof event !== 'symbol' && event !== 'newListener' && event !== 'removeListener'
  }

  // Listening

  /** Registers a listener with the engine: from now on all members' events of this name reach it. */
  listen(registration, prepend) {
    if (this.#id === 0 || !this.carries(registration.event)) return
    const { event, group, once, timeout, context } = registration
    registration.member = this
    registration.id = this.#link.listeners.add(registration)
    // A timer, and a signal, are those of a delivery.
    const isTracked = timeout !== undefined || context
    native.listen(
      this.#thread,
      this.#id,
      toEngine(String(event)),
      registration.id,
      once,
      prepend,
      isTracked,
      group === undefined ? undefined : toEngine(group),
    )
    this.#listening++
    this.#keepAlive()
  }

  /** Bounds the events that wait for the buses of its group in all, beyond those that each takes at once. */
  boundQueue(maxWaiting, takes) {
    native.boundQueue(this.#thread, this.#id, maxWaiting, takes)
  }

  unlisten(registration) {
    if (registration.member === null) return
    // As for emissions that are queued here: see `listeners/removals.js`.
    registration.isRemoved = runQueue.current !== null
    if (!native.unlisten(this.#thread, this.#id, registration.id)) this.#link.listeners.forget(registration.id)
    this.#listening--
    this.#keepAlive()
  }

  /** Removes `once` listeners that another thread's event has claimed. */
  removeClaimed(registrations) {
    this.#bus.removeClaimed(registrations)
  }

  ref(ref) {
    this.#ref = ref
    this.#keepAlive()
  }

  #keepAlive() {
    const keep = this.#id !== 0 && (this.#ref ?? (!isMainThread && this.#listening > 0))
    if (keep !== this.#keepsAlive) native.keepAlive(this.#thread, keep)
    this.#keepsAlive = keep
  }

  /** Describes the channel, for the error of a request without listeners. */
  describe() {
    const { threads, events } = native.heard(this.#thread, this.#id)
    const others = threads === 0 ? 'no other thread' : `${threads} ${threads === 1 ? 'thread' : 'threads'}`
    const heard = events.length === 0 ? 'nothing is heard there' : `heard there: ${events.map(fromEngine).join(', ')}`
    return `channel ${show(this.channel)} (${others}; ${heard})`
  }

  /** Reads earlier events of this thread's other buses, before an event is queued for the bus's own listeners. */
  catchUp() {
    this.#link.catchUp(this.publisher)
  }

  // News

  /** Tells the engine that a listener which was chosen among several is done. */
  done() {
    this.chosen--
    native.done(this.#thread, this.#id)
    this.checkQuiet()
  }

  /** Tells the engine that events with a key, of which it has given a handle, are done: once their listeners have ended. */
  endInLine(handle, emission) {
    this.#inLine.add(handle)
    emission.whenQuiet(() => this.#endInLine(handle))
  }

  #endInLine(handle) {
    if (this.#inLine.delete(handle)) native.endInLine(this.#thread, handle)
  }

  /**
   * Reports events of this bus that did not get to the end of some listeners. If none had started, `deadLetter` is told.
   *
   * @param {{ event?: string, args?: unknown[], listeners: number, threadId?: number, peer?: object, count: number, error: Error }} about
   * a field that differs among them is undefined
   */
  lost(about, hadStarted) {
    this.tracker.reporter.lost(about.event ?? deadLetter, about.error)
    if (!hadStarted) this.#bus.tell(deadLetter, about)
  }

  threadExited(about) {
    this.#bus.tell(threadExit, about)
  }

  stalled(about) {
    this.#bus.tell(stall, about)
  }

  /** Tells the bus the news of its channel's link: its state, or a peer that comes or goes. */
  told(what, number) {
    if (what === NEWS_LINK_STATE) return this.#bus.tell(linkState, linkChange(number))
    const { peer } = whereIs(number)
    this.#bus.tell(what === NEWS_PEER_JOIN ? peerJoin : peerExit, { peer })
  }

  /** Has `heard` called when news come that a thread has ended, before the news are told. Null ends the watch. */
  watchThread(threadId, heard) {
    this.#link.watchThread(threadId, heard)
  }

  /** Returns the reason why a thread has ended, or undefined. */
  exitReason(threadId) {
    return exitReasonOf(threadId)
  }

  /** Leaves the reason for the end of a thread that this one is about to end. */
  leaveReason(threadId, error) {
    leaveReasonOf(threadId, error)
  }

  /** Number that other threads name the member by. */
  get id() {
    return this.#id
  }

  /** Watches the load of another member of the channel, or watches it no more. */
  watchLoad(id, isWatched) {
    if (isWatched) native.watchLoad(this.#thread, this.#id, id)
    else native.forgetLoad(this.#thread, id)
  }

  /** Returns the loads of watched members. */
  loads(ids) {
    const numbers = native.loads(this.#thread, ids)
    return ids.map((_, index) => ({ inFlight: numbers[2 * index], looks: numbers[2 * index + 1] }))
  }

  hasRoom() {
    this.#room?.resolve()
    this.#room = null
  }

  get needsDrain() {
    return this.#id !== 0 && native.isCongested(this.#thread, this.#id)
  }

  /** Resolves when members of other threads have room again. */
  drained() {
    if (!this.needsDrain) return NativePromise.resolve()
    this.#room ??= new Deferred()
    // Each time: the engine counts the members that wait, to know how much of this bus's own room is theirs.
    native.waitForRoom(this.#thread, this.#id)
    return this.#room.promise
  }

  // Counting and leaving

  /** Number of emissions that others have not settled. An untracked event counts once for each bus it went to. */
  get pending() {
    return this.#id === 0 ? 0 : native.pending(this.#thread, this.#id)
  }

  /** Number of events of other buses that listeners here have not settled. */
  get unsettledOfOthers() {
    return this.#id === 0 ? 0 : native.inFlight(this.#thread, this.#id) - this.chosen
  }

  /** True if nothing is pending, and this bus was told the outcome of all its events. */
  get isIdle() {
    return this.#id === 0 || native.isIdle(this.#thread, this.#id)
  }

  /** Number of listeners of others that events of this bus were addressed to, since the last reset. */
  get addressed() {
    return this.#counts().addressed - this.#before.addressed
  }

  /**
   * Number of those of them that failed, since the last reset. The engine does not know which were addressed before the
   * reset, so it is at most the number of addressed ones.
   */
  get failed() {
    return Math.min(this.#counts().failed - this.#before.failed, this.addressed)
  }

  /** Numbers since the bus joined: of events that it received, and of listeners elsewhere of its own, by fate. */
  get fates() {
    return this.#id === 0 ? this.#atEnd.fates : native.fates(this.#thread, this.#id)
  }

  /** Has the engine know numbers of the bus, for events of a name, or of all others, until the member is forgotten. */
  keepNumbers(name, words) {
    if (this.#id !== 0) native.keepRow(this.#thread, this.#id, name === undefined ? undefined : toEngine(name), words)
  }

  /** Returns the numbers of all members of the channel; null if this one was forgotten. */
  survey() {
    return this.#id === 0 ? null : native.survey(this.#thread, this.#id, STARTED, FINISHED)
  }

  resetCounts() {
    this.#before = this.#counts()
  }

  /** Returns the counts since the bus joined. */
  #counts() {
    if (this.#id === 0) return this.#atEnd
    const [thread, id] = [this.#thread, this.#id]
    return { addressed: native.addressed(thread, id), failed: native.failed(thread, id) }
  }

  awaitIdle(callback) {
    this.#whenIdle = callback
    this.#link.watch(this)
  }

  /** Looks after a turn whether the wait of this member is over. Returns true if it still waits. */
  turned() {
    if (this.#whenIdle !== null && this.isIdle) {
      const callback = this.#whenIdle
      this.#whenIdle = null
      callback()
    }
    this.checkQuiet()
    return this.#whenIdle !== null || this.#whenQuiet !== null
  }

  /** Ends `leave` if nothing is in flight for this bus any more. */
  checkQuiet() {
    if (this.#whenQuiet !== null && native.inFlight(this.#thread, this.#id) === 0) {
      const callback = this.#whenQuiet
      this.#whenQuiet = null
      callback()
    }
  }

  /** Leaves the channel: no more events are addressed to this bus. Resolves when the earlier ones have settled. */
  leave() {
    native.leave(this.#thread, this.#id)
    this.listening.close()
    const quiet = new Deferred()
    this.#whenQuiet = quiet.resolve
    this.#link.watch(this)
    this.checkQuiet()
    return quiet.promise
  }

  /** Forgets the member for good. Its counts stay. */
  forget() {
    const id = this.#id
    this.#atEnd = { ...this.#counts(), fates: this.fates }
    // Others need not wait for a listener of this bus that never ends.
    for (const handle of this.#inLine) this.#endInLine(handle)
    this.#id = 0
    this.#keepAlive()
    this.#link.leave(id, this)
    native.forgetMember(this.#thread, id)
    this.hasRoom()
  }
}

module.exports = { Member }
