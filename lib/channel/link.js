'use strict'

// What comes to this thread from the others: reads the letters that the engine has for it, and makes of them
// emissions in the outbox, settled promises, and news for the buses they concern.

const native = require('../native.js')
const { Decoder, Encoder } = require('../codec/index.js')
const { standIn, storedOf } = require('../listeners/registration.js')
const { causeOf } = require('./failures.js')
const { Dispatched, Posted } = require('./incoming.js')
const { watchForExit } = require('./exit-reason.js')
const { Letters } = require('./message-reader.js')
const { Unsent } = require('./burst.js')

/** Events that wait in this thread's outbox, rather than in the engine where others may still be given them. */
const READ_AHEAD = 1024
/** Acknowledgements of posted events that are handed over at once, in words; four for each run of them. */
const RANGE_WORDS = 4096

/** The kind of failure of an ended thread; see `src/node/letters.rs`. */
const GONE = 3

const MUST_START = 1
const REQUEST = 2
const AWAITED = 4

const STARTED = 1
const COUNTED = 2
const VARIOUS = 4

/** Lists of so many listeners are kept when there is none. */
const MUCH = 1024

const SEVERAL = Symbol('several')

class Inbox {
  /** @type {Map<number, import('./member.js').Membership>} the buses of this thread that are in a channel */
  memberships = new Map()
  /** @type {Map<number, () => void>} by thread id, called when news come that the thread has ended */
  watched = new Map()
  /** Deliveries that are queued in the outbox. */
  waiting = 0
  encoder = new Encoder((codebook) => native.shareCodebook(this.#thread, codebook))
  #thread
  #outbox
  #letters
  /** For this thread's own events that come back as lost. */
  #own = new Decoder(() => this.encoder.codebook)
  /** @type {(import('../listeners/registration.js').Registration | undefined)[]} by the id that the engine knows them by */
  #listeners = []
  #freeIds = []
  /** Letters are being read: those to come may be for listeners that are gone. */
  #isReading = false
  /** Whose events for other buses of this thread may not have been read: a bus's sender, SEVERAL, or null. */
  #looper = null
  /** Ids that are free when these were read. */
  #gone = []
  /** @type {Set<import('./member.js').Membership>} buses that wait for what a turn may bring */
  #watching = new Set()
  /** Emissions of this thread that somebody waits for, by token. */
  #tokens = new Map()
  #lastToken = 0
  #ranges = new Uint32Array(RANGE_WORDS)
  #rangeWords = 0

  constructor(thread, outbox) {
    this.#thread = thread
    this.#outbox = outbox
    this.#letters = new Letters(thread)
    this.unsent = new Unsent(thread)
    native.lend(thread, this.encoder.memory)
    watchForExit()
  }

  // Reading

  /** Reads one batch. Returns whether to read again, soon. */
  read() {
    const again = this.#letters.next(Math.max(0, READ_AHEAD - this.waiting))
    this.#readBatch()
    if (!again && this.unsent.isEmpty) this.#looper = null
    return again
  }

  #readBatch() {
    this.#isReading = true
    try {
      while (!this.#letters.isAtEnd) this.#letter()
    } finally {
      this.#isReading = false
    }
    for (const id of this.#gone.splice(0)) this.#forget(id)
  }

  // Events of this thread for other buses of it
  //
  // They come as those of other threads do, and what a bus emits for its own listeners does not. So that these hear all
  // in the order of emission, what other buses of the thread have emitted before is read before a bus emits.

  /** A bus has emitted something that other buses of this thread may get. */
  looped(sender) {
    if (this.#looper === null) this.#looper = sender
    else if (this.#looper !== sender) this.#looper = SEVERAL
  }

  /** To be called before a bus has its own listeners wait for an event. */
  catchUp(sender) {
    if (this.#looper === null || this.#looper === sender || this.#isReading || this.#outbox.exiting) return
    this.#looper = null
    // Not in the context of the emitter.
    native.callOutside(this.#readLooped)
  }

  #readLooped = () => {
    while (this.#letters.nextLooped()) this.#readBatch()
  }

  /** Whether the engine reads messages in this buffer, and it need not be passed; null is none. */
  reads(buffer) {
    return buffer === this.encoder.memory || buffer === null
  }

  #letter() {
    const kind = this.#letters.word()
    switch (kind) {
      case 1:
        return this.#packet()
      case 2:
        return this.#delivery()
      case 3:
        return this.#settled()
      case 4:
        return this.#lost()
      case 5:
        return this.#forget(this.#letters.word())
      case 6:
        return this.#threadExit()
      case 7:
        return this.#stall()
      case 8:
        return this.#membership()?.hasRoom()
      default:
        // Where it ends, and the next one begins, is not known either.
        throw new Error(`the engine has written a letter of a kind that is not known: ${kind}`)
    }
  }

  #packet() {
    const letters = this.#letters
    const packet = letters.word()
    const decoder = letters.decoderFor(letters.word(), true, packet)
    const events = letters.word()
    for (let index = 0; index < events; index++) {
      const count = letters.word()
      const ids = letters.skip(count)
      const first = this.#listeners[letters.wordAt(ids)]
      const { dispatcher } = first.membership
      const args = letters.value(decoder)
      const usual = count === 1 && letters.unreadable === null && !first.withdrawn
      const called = usual ? first.target : this.#list(ids, count)
      this.#push(new Posted(this, dispatcher, first.event, called, args ?? [], packet, index))
    }
  }

  #delivery() {
    const letters = this.#letters
    const flags = letters.word()
    const delivery = letters.word()
    const decoder = letters.decoderFor(letters.word(), false, delivery)
    const count = letters.word()
    const ids = letters.skip(count)
    const first = this.#listeners[letters.wordAt(ids)]
    const args = letters.value(decoder) ?? []
    const indexes = this.#withdraw(delivery, ids, count)
    const listeners = this.#list(ids, count)
    const mustStart = (flags & MUST_START) !== 0
    const isRequest = (flags & REQUEST) !== 0
    const isAwaited = (flags & AWAITED) !== 0
    const timeouts = this.#timeouts(ids, count)
    this.#push(
      new Dispatched(this, first, listeners, args, { delivery, mustStart, isAwaited, isRequest, indexes, timeouts }),
    )
  }

  #push(delivery) {
    this.waiting++
    this.#outbox.push(delivery)
  }

  /** Which listeners of a delivery are left, where a listener's `off` took back what was on its way; else null. */
  #withdraw(delivery, ids, count) {
    const left = []
    for (let index = 0; index < count; index++) {
      if (!this.#listeners[this.#letters.wordAt(ids + index)].withdrawn) left.push(index)
      else native.skip(this.#thread, delivery, index)
    }
    return left.length < count ? left : null
  }

  /** How long each listener of a delivery may take; null if none has a limit. */
  #timeouts(ids, count) {
    const timeouts = Array.from(
      { length: count },
      (_, index) => this.#listeners[this.#letters.wordAt(ids + index)].timeout,
    )
    return timeouts.every((timeout) => timeout === undefined) ? null : timeouts
  }

  /** What to call for the event that was just read. If it could not be, they all fail with the reason. */
  #list(ids, count) {
    const { unreadable } = this.#letters
    const listeners = []
    for (let at = ids; at < ids + count; at++) {
      const registration = this.#listeners[this.#letters.wordAt(at)]
      if (registration.withdrawn) continue
      const called = registration.once ? registration.membership.claim(registration) : registration.target
      listeners.push(unreadable === null ? called : failing(unreadable, called))
    }
    return listeners
  }

  #settled() {
    const token = this.#letters.word()
    const success = this.#letters.word()
    const failures = []
    for (let left = this.#letters.word(); left > 0; left--) failures.push(this.#failure())
    if (this.#letters.word() === 0) {
      this.#take(token)?.settled(success, failures, undefined)
      return
    }
    const answer = this.#letters.value()
    const error = this.#letters.unreadable
    if (error === null) this.#take(token)?.settled(success, failures, answer)
    else this.#take(token)?.settled(0, [{ listeners: 1, kind: 0, error }], undefined)
  }

  #failure() {
    const listeners = this.#letters.word()
    const threadId = this.#letters.word()
    const kind = this.#letters.word()
    const detail = this.#letters.word()
    if (kind === GONE) this.#ended(threadId)
    if (kind > 0) return { listeners, threadId, kind, detail, error: undefined }
    const error = this.#letters.value()
    return { listeners, threadId, kind, detail, error: this.#letters.unreadable ?? error }
  }

  #lost() {
    const membership = this.#membership()
    const flags = this.#letters.word()
    const isVarious = (flags & VARIOUS) !== 0
    const kind = this.#letters.word()
    const detail = this.#letters.word()
    const listeners = this.#letters.word()
    const count = this.#letters.word()
    const thread = this.#letters.word()
    const threadId = isVarious ? undefined : thread
    const event = isVarious ? undefined : this.#letters.name()
    const args = (flags & COUNTED) === 0 ? this.#letters.value(this.#own) : undefined
    if (kind === GONE && threadId !== undefined) this.#ended(threadId)
    const error = causeOf(event, kind, detail, threadId, count)
    membership?.lost({ event, args, listeners, threadId, count, error }, (flags & STARTED) !== 0)
  }

  // Both are read to their end, also where the bus they are for is closed by now.

  #threadExit() {
    const membership = this.#membership()
    const threadId = this.#letters.word()
    this.#ended(threadId)
    membership?.threadExited(threadId)
  }

  #ended(threadId) {
    this.watched.get(threadId)?.()
  }

  #stall() {
    const membership = this.#membership()
    const threadId = this.#letters.word()
    const waiting = this.#letters.word()
    const ms = this.#letters.word()
    membership?.stalled(threadId, waiting, ms)
  }

  #membership() {
    return this.memberships.get(this.#letters.word())
  }

  // Listeners

  /** Gives a listener the id that the engine will know it by. */
  add(registration) {
    const id = this.#freeIds.pop() ?? this.#listeners.length
    this.#listeners[id] = registration
    return id
  }

  listener(id) {
    return this.#listeners[id]
  }

  /** The engine has nothing for this listener any more: its id is free, once what it had was read. */
  forget(id) {
    if (this.#isReading) this.#gone.push(id)
    else this.#forget(id)
  }

  #forget(id) {
    this.#listeners[id] = undefined
    this.#freeIds.push(id)
    if (this.#freeIds.length < this.#listeners.length || this.#freeIds.length < MUCH) return
    this.#listeners = []
    this.#freeIds = []
  }

  // Emissions that somebody waits for

  /** A token for an emission. Its `waiting.settled(success, failures, answer)` is called once, unless it is dropped. */
  expect(waiting) {
    do this.#lastToken = (this.#lastToken + 1) & 0x3fffffff
    while (this.#tokens.has(this.#lastToken))
    this.#tokens.set(this.#lastToken, waiting)
    return this.#lastToken
  }

  /** Nobody waits for it any more. */
  drop(token) {
    this.#tokens.delete(token)
  }

  #take(token) {
    const waiting = this.#tokens.get(token)
    this.#tokens.delete(token)
    return waiting
  }

  // Acknowledgements

  /** A posted event is dealt with. Told to the engine with the next `flush`. */
  posted(packet, index, failed) {
    const ranges = this.#ranges
    const last = this.#rangeWords - 4
    if (last >= 0 && ranges[last] === packet && ranges[last + 1] + ranges[last + 2] === index) {
      ranges[last + 2]++
      ranges[last + 3] += failed
      return
    }
    if (this.#rangeWords === RANGE_WORDS) this.flush()
    // A drain turns at its end. A listener that was waited for is done outside of any. Not by `queueMicrotask`, which
    // Jest's mock timers hold back.
    if (this.#rangeWords === 0 && this.#outbox.current === null) Promise.resolve().then(() => this.turned())
    ranges[this.#rangeWords++] = packet
    ranges[this.#rangeWords++] = index
    ranges[this.#rangeWords++] = 1
    ranges[this.#rangeWords++] = failed
  }

  flush() {
    if (this.#rangeWords === 0) return
    native.settle(this.#thread, this.#ranges, this.#rangeWords)
    this.#rangeWords = 0
  }

  /** The drain is over for this turn: whoever waits for quiet may have it. */
  turned() {
    this.flush()
    for (const membership of this.#watching) if (!membership.turned()) this.#watching.delete(membership)
  }

  /** From now on the membership is told of each turn, until it says that it waits for nothing more. */
  watch(membership) {
    this.#watching.add(membership)
  }

  /** The membership of this number is gone for good. */
  leave(member, membership) {
    this.memberships.delete(member)
    this.#watching.delete(membership)
  }
}

/** A listener that fails instead of being called. */
function failing(error, called) {
  return standIn(() => {
    throw error
  }, storedOf(called))
}

module.exports = { Inbox }
