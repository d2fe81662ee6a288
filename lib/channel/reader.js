'use strict'

// Reads the messages that the engine has for this thread. Of events it makes emissions in the run queue; all others are
// read by `news.js`. `src/node/protocol.rs` draws the records.

const native = require('../native.js')
const { hasHandles } = require('../codec/index.js')
const { areMoved } = require('./handle-posts.js')
const { MissingHandles } = require('./handles.js')
const { Held } = require('./held.js')
const { BatchedEmission, LongBatchedEmission, failing } = require('./incoming.js')
const { MessageReader } = require('./message-reader.js')
const { NewsReader } = require('./news.js')
const {
  BATCH,
  DELIVERY,
  DELIVERY_IS_AWAITED,
  DELIVERY_IS_FOREIGN,
  DELIVERY_IS_REQUEST,
  DELIVERY_MUST_START,
  FORGET,
} = require('./protocol.js')
const { TrackedEmission } = require('./tracked.js')

/** Number of events to have in the run queue. The rest waits in the engine, where other threads may get it. */
const READ_AHEAD = 1024

const NONE = Object.freeze([])

class Reader {
  /** Number of events that were read and have not started. */
  queued = 0
  #thread
  #link
  #runQueue
  #messages
  #news
  #held

  /** @param {import('./link.js').Link} link of the thread */
  constructor(thread, link, runQueue) {
    this.#thread = thread
    this.#link = link
    this.#runQueue = runQueue
    const handles = (number) => link.handles.get(number)
    this.#messages = new MessageReader(thread, handles)
    this.#news = new NewsReader(link, this.#messages)
    this.#held = new Held((emission) => runQueue.push(emission))
  }

  /** See `NewsReader`. */
  get watched() {
    return this.#news.watched
  }

  /** True if other threads may have events that they have not started, for this one to take over. */
  get hasOffers() {
    return this.#messages.hasOffers
  }

  /** Reads some messages. Returns whether to read again, soon. */
  read() {
    const again = this.#messages.next(Math.max(0, READ_AHEAD - this.queued))
    this.#readAll()
    return again || (this.hasOffers && this.#takeOver())
  }

  /**
   * Takes over events that other threads have not started, if this one has nothing to do. Returns whether to read again:
   * there are some, or there is something to do before.
   */
  #takeOver() {
    if (!this.#runQueue.isEmpty) return true
    const full = []
    for (const gate of this.#runQueue.fullGates)
      for (const registration of gate.registrations) if (registration.member !== null) full.push(registration.id)
    return native.steal(this.#thread, new Uint32Array(full), full.length)
  }

  /** Reads all events of this thread for other buses of it. */
  readLoopback() {
    while (this.#messages.nextLoopback()) this.#readAll()
  }

  #readAll() {
    const { listeners } = this.#link
    listeners.isReading = true
    try {
      while (!this.#messages.isAtEnd) this.#readOne()
    } finally {
      listeners.endReading()
    }
  }

  #readOne() {
    const kind = this.#messages.word()
    switch (kind) {
      case BATCH:
        return this.#readBatch()
      case DELIVERY:
        return this.#readDelivery()
      case FORGET:
        return this.#link.listeners.release(this.#messages.word())
      default:
        return this.#news.read(kind)
    }
  }

  // Events for listeners of this thread

  #readBatch() {
    const messages = this.#messages
    const batch = messages.word()
    const endpoint = messages.word()
    const decoder = messages.decoderFor(endpoint, true, batch)
    const events = messages.word()
    for (let index = 0; index < events; index++) {
      const count = messages.word()
      const ids = messages.skip(count)
      const first = this.#link.listeners.get(messages.wordAt(ids))
      const { tracker } = first.member
      const isLong = messages.liesApart()
      const args = isLong ? NONE : messages.value(decoder)
      const isUsual = count === 1 && messages.unreadable === null && !first.isRemoved
      const called = isUsual ? first.target : this.#called(ids, count)
      const emission = isLong
        ? new LongBatchedEmission(this.#link, tracker, first.event, called, endpoint, batch, index)
        : new BatchedEmission(this.#link, tracker, first.event, called, args ?? [], batch, index)
      if (!isLong && (decoder.note !== null || tracker.isAttentive)) emission.attend(decoder.note)
      this.#queue(emission, endpoint)
    }
  }

  #readDelivery() {
    const messages = this.#messages
    const flags = messages.word()
    const delivery = messages.word()
    const endpoint = messages.word()
    const isForeign = (flags & DELIVERY_IS_FOREIGN) !== 0
    const decoder = messages.decoderFor(endpoint, false, delivery, isForeign)
    const token = messages.word()
    const count = messages.word()
    const ids = messages.skip(count)
    const first = this.#registration(ids)
    const at = messages.skip(0)
    const isLong = messages.liesApart()
    // Its handles have to be here before later events are queued.
    const isRead = !isLong || hasHandles(messages.word())
    const args = this.#argumentsOf(decoder, isLong, isRead) ?? []
    const missing = messages.unreadable instanceof MissingHandles ? messages.unreadable.number : null
    if (missing !== null) messages.unreadable = null
    const indexes = this.#skipRemoved(delivery, ids, count)
    const listeners = this.#called(ids, count)
    const starts = missing !== null && areMoved(missing)
    const mustStart = (flags & DELIVERY_MUST_START) !== 0
    const isRequest = (flags & DELIVERY_IS_REQUEST) !== 0
    const isAwaited = (flags & DELIVERY_IS_AWAITED) !== 0
    const timeouts = this.#timeouts(ids, count)
    // Alone, the whole event may wait before it is started.
    const gated = count === 1 && first.gate !== null ? first : null
    const about = {
      delivery,
      mustStart: mustStart && !starts,
      isAwaited,
      isRequest,
      indexes,
      timeouts,
      gated,
      endpoint,
      token,
      isForeign,
      isLong: !isRead,
    }
    const emission = new TrackedEmission(this.#link, first, listeners, args, about)
    emission.ports = this.#link.handles.takePorts()
    const isKnown = isRead && missing === null
    if (isKnown && (decoder.note !== null || first.member.tracker.isAttentive)) emission.attend(decoder.note)
    if (missing === null) this.#queue(emission, endpoint)
    else if (starts && mustStart && !native.start(this.#thread, delivery)) emission.restoreClaimed(0)
    else {
      const bytes = isLong ? null : messages.bytesAt(at)
      const called = Array.from({ length: count }, (_, index) => this.#registration(ids + index))
      const registrations = called.filter(({ isRemoved }) => !isRemoved)
      this.#askFor(missing, emission, { endpoint, delivery, bytes, registrations })
    }
  }

  /** Reads the arguments of a delivery, unless they are taken when it starts. */
  #argumentsOf(decoder, isLong, isRead) {
    if (!isRead) return NONE
    return isLong ? this.#messages.share(decoder) : this.#messages.value(decoder)
  }

  /**
   * Takes the arguments of an event that lie apart. Returns null if it has settled, and `unreadable` is the reason if they
   * cannot be read.
   */
  takeArguments(endpoint, isBatch, handle, index) {
    const decoder = this.#messages.decoderFor(endpoint, isBatch, handle)
    const args = this.#messages.take(decoder, index)
    return args === null ? null : { args: args ?? [], unreadable: this.#messages.unreadable, note: decoder.note }
  }

  #queue(emission, endpoint) {
    this.queued++
    if (this.#held.isEmpty || !this.#held.add(endpoint, emission)) this.#runQueue.push(emission)
  }

  /** Holds an event, and with it later ones of its emitter, until its handles have come. */
  #askFor(number, emission, { endpoint, delivery, bytes, registrations }) {
    this.queued++
    const release = this.#held.hold(endpoint, emission)
    this.#link.handles.ask(number, delivery, () => {
      try {
        const decoder = this.#messages.decoderFor(endpoint, false, delivery)
        emission.args = bytes === null ? this.#shared(decoder) : decoder.decode(bytes, 0, bytes.length)
        emission.ports = this.#link.handles.takePorts()
        emission.attend(decoder.note)
      } catch (error) {
        emission.listeners = emission.listeners.map((called) => failing(error, called))
      }
      if (registrations.some(({ isRemoved }) => isRemoved)) emission.drop((place) => registrations[place].isRemoved)
      release()
    })
  }

  /** Returns arguments that lie apart; none if the event has settled, and does not start. */
  #shared(decoder) {
    const args = this.#messages.share(decoder)
    if (this.#messages.unreadable !== null) throw this.#messages.unreadable
    return args ?? []
  }

  /** Returns the listener with the id at this place. */
  #registration(at) {
    return this.#link.listeners.get(this.#messages.wordAt(at))
  }

  /** Skips listeners that an `off` inside a listener removed. Returns the indexes that are left; null where all are. */
  #skipRemoved(delivery, ids, count) {
    const left = []
    for (let index = 0; index < count; index++) {
      if (!this.#registration(ids + index).isRemoved) left.push(index)
      else native.skip(this.#thread, delivery, index)
    }
    return left.length < count ? left : null
  }

  /** Returns the timeout of each listener of a delivery; null if none has one. */
  #timeouts(ids, count) {
    const timeouts = Array.from({ length: count }, (_, index) => this.#registration(ids + index).timeout)
    return timeouts.every((timeout) => timeout === undefined) ? null : timeouts
  }

  /** Returns the functions to call for the event just read. Where it is unreadable, they all fail with the reason. */
  #called(ids, count) {
    const { unreadable } = this.#messages
    const listeners = []
    const claimed = []
    for (let at = ids; at < ids + count; at++) {
      const registration = this.#registration(at)
      if (registration.isRemoved) continue
      if (registration.once) claimed.push(registration)
      const called = registration.once ? registration.claim() : registration.target
      listeners.push(unreadable === null ? called : failing(unreadable, called))
    }
    if (claimed.length > 0) claimed[0].member.removeClaimed(claimed)
    return listeners
  }
}

module.exports = { Reader }
