'use strict'

// A bus's place in its channel: tells the engine who listens here, and hears what becomes of the bus's events.
// `sender.js` is how it emits.

const { isMainThread } = require('node:worker_threads')
const { claimChannels } = require('../copies.js')
const native = require('../native.js')
const outbox = require('../local/run-queue.js')
const { deadLetter, stall, threadExit } = require('../symbols.js')
const { exitReasonOf } = require('./exit-reason.js')
const { Inbox } = require('./link.js')
const { toEngine } = require('./names.js')
const { Sender } = require('./publisher.js')

/** Defaults; `src/core/quota.rs` has the same for members in Rust. */
const MAX_MESSAGES = 65_536
const MAX_BYTES = 64 * 2 ** 20
const STALL_AFTER_MS = 1000

class Membership {
  #thread
  #bus
  #inbox
  #member
  #listening = 0
  /** null where the default holds: a worker thread lives while a bus of it listens. */
  #ref = null
  #keepsAlive = false
  /** What was counted at the last reset, and when the bus left. */
  #before = { addressed: 0, failed: 0 }
  #atEnd = this.#before
  /** Who waits for nothing to be pending, for nothing to be in flight: called once. */
  #whenIdle = null
  #whenQuiet = null
  /** Who waits for room. */
  #room = null

  /**
   * @param {{ channel: string, mailbox?: { maxMessages?, maxBytes? }, stallAfter?: number }} options the bus's
   * @param {{ remove(registration), tell(symbol, about) }} bus what the bus does when the engine has news
   */
  constructor(dispatcher, { channel, mailbox = {}, stallAfter = STALL_AFTER_MS }, bus) {
    const { maxMessages = MAX_MESSAGES, maxBytes = MAX_BYTES } = mailbox
    claimChannels(native)
    this.channel = channel
    this.dispatcher = dispatcher
    dispatcher.membership = this
    this.#bus = bus
    this.#thread = outbox.handle
    outbox.inbox ??= new Inbox(this.#thread, outbox)
    this.#inbox = outbox.inbox
    this.#member = native.join(this.#thread, toEngine(channel), maxMessages, maxBytes, stallAfter)
    this.#inbox.memberships.set(this.#member, this)
    this.sender = new Sender(dispatcher, this.#inbox, this.#thread, this.#member)
  }

  /** Whether events of this name go to the channel. */
  carries(event) {
    return typeof event !== 'symbol' && event !== 'newListener' && event !== 'removeListener'
  }

  // Listening

  /** From now on everybody's events of this name reach the listener. */
  listen(registration, prepend) {
    if (this.#member === 0 || !this.carries(registration.event)) return
    const { event, group, once, timeout } = registration
    registration.membership = this
    registration.id = this.#inbox.add(registration)
    const limited = timeout !== undefined
    native.listen(
      this.#thread,
      this.#member,
      toEngine(String(event)),
      registration.id,
      once,
      prepend,
      limited,
      group === undefined ? undefined : toEngine(group),
    )
    this.#listening++
    this.#keepAlive()
  }

  unlisten(registration) {
    if (registration.membership === null) return
    // As for emissions that are queued here: see `removals.js`.
    registration.withdrawn = outbox.current !== null
    if (!native.unlisten(this.#thread, this.#member, registration.id)) this.#inbox.forget(registration.id)
    this.#listening--
    this.#keepAlive()
  }

  /** Another thread's event has claimed a `once` listener. Returns what to call. */
  claim(registration) {
    const called = registration.claim()
    this.#bus.remove(registration)
    return called
  }

  ref(ref) {
    this.#ref = ref
    this.#keepAlive()
  }

  #keepAlive() {
    const keep = this.#member !== 0 && (this.#ref ?? (!isMainThread && this.#listening > 0))
    if (keep !== this.#keepsAlive) native.keepAlive(this.#thread, keep)
    this.#keepsAlive = keep
  }

  /** Its own listeners are about to get an event that it emits. */
  catchUp() {
    this.#inbox.catchUp(this.sender)
  }

  // Hearing

  /** A listener that was chosen among several is done. */
  done() {
    native.done(this.#thread, this.#member)
    this.checkQuiet()
  }

  /**
   * Events of this bus did not get to the end of some listeners; none of them had started if they did not reach them.
   *
   * @param {{ event?: string, args?: unknown[], listeners: number, threadId?: number, count: number, error: Error }} about
   * what is not the same for all of them is undefined
   */
  lost(about, hadStarted) {
    this.dispatcher.reporter.lost(about.event ?? deadLetter, about.error)
    if (!hadStarted) this.#bus.tell(deadLetter, about)
  }

  threadExited(threadId) {
    this.#bus.tell(threadExit, { threadId })
  }

  stalled(threadId, waiting, ms) {
    this.#bus.tell(stall, { threadId, waiting, ms })
  }

  /** Has `heard` called when news come that a thread has ended, before the news are told. Null ends the watch. */
  watchThread(threadId, heard) {
    if (heard === null) this.#inbox.watched.delete(threadId)
    else this.#inbox.watched.set(threadId, heard)
  }

  /** Returns the reason why a thread has ended, or undefined. */
  exitReason(threadId) {
    return exitReasonOf(threadId)
  }

  hasRoom() {
    this.#room?.resolve()
    this.#room = null
  }

  get needsDrain() {
    return this.#member !== 0 && native.isCongested(this.#thread, this.#member)
  }

  /** Resolves when members of other threads have room again. */
  drained() {
    if (!this.needsDrain) return Promise.resolve()
    this.#room ??= deferred()
    // Each time: how many wait tells the engine how much of this bus's own room only those take who wait.
    native.waitForRoom(this.#thread, this.#member)
    return this.#room.promise
  }

  // Counting and leaving

  /** Emissions that others have not dealt with; an event nobody waits for counts once for each bus it went to. */
  get pending() {
    return this.#member === 0 ? 0 : native.pending(this.#thread, this.#member)
  }

  /** Nothing is pending, and this bus was told what became of it all. */
  get isIdle() {
    return this.#member === 0 || native.isIdle(this.#thread, this.#member)
  }

  /** Listeners of others that events of this bus were addressed to, since the last reset. */
  get addressed() {
    return this.#counts().addressed - this.#before.addressed
  }

  /**
   * Those of them that failed, since the last reset. The engine does not know which were addressed before it, so there are
   * never more than were addressed.
   */
  get failed() {
    return Math.min(this.#counts().failed - this.#before.failed, this.addressed)
  }

  resetCounts() {
    this.#before = this.#counts()
  }

  /** Since it joined. */
  #counts() {
    if (this.#member === 0) return this.#atEnd
    const [thread, member] = [this.#thread, this.#member]
    return { addressed: native.addressed(thread, member), failed: native.failed(thread, member) }
  }

  awaitIdle(callback) {
    this.#whenIdle = callback
    this.#inbox.watch(this)
  }

  /** Called after each turn while it waits for something. Returns whether it still does. */
  turned() {
    if (this.#whenIdle !== null && this.isIdle) {
      const callback = this.#whenIdle
      this.#whenIdle = null
      callback()
    }
    this.checkQuiet()
    return this.#whenIdle !== null || this.#whenQuiet !== null
  }

  /** Called when something that was in flight for this bus may have been the last. */
  checkQuiet() {
    if (this.#whenQuiet !== null && native.inFlight(this.#thread, this.#member) === 0) {
      const callback = this.#whenQuiet
      this.#whenQuiet = null
      callback()
    }
  }

  /** Nothing more is addressed to this bus. Resolves when what was before is dealt with. */
  leave() {
    native.leave(this.#thread, this.#member)
    if (native.inFlight(this.#thread, this.#member) === 0) return Promise.resolve()
    return new Promise((resolve) => {
      this.#whenQuiet = resolve
      this.#inbox.watch(this)
    })
  }

  /** Gone for good. */
  forget() {
    const member = this.#member
    this.#atEnd = this.#counts()
    this.#member = 0
    this.#keepAlive()
    this.#inbox.leave(member, this)
    native.forgetMember(this.#thread, member)
    this.hasRoom()
  }
}

function deferred() {
  let resolve
  const promise = new Promise((settle) => {
    resolve = settle
  })
  return { promise, resolve }
}

module.exports = { Membership }
