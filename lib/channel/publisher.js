'use strict'

// Emits a bus's events to the other members of its channel: encodes them if any of these listens, and hands them to the
// engine. An untracked event is published. One that is awaited, bounded, or goes to one of several, is dispatched.

const native = require('../native.js')
const { refuseAbroad } = require('../codec/refusal.js')
const { toEngine } = require('./names.js')
const { PendingDispatch } = require('./pending.js')
const {
  BURST_LONGEST,
  DISPATCH_AWAITED,
  DISPATCH_CANCELLABLE,
  DISPATCH_NAMED,
  DISPATCH_REQUEST,
  DISPATCH_TOLD,
  HAS_OWN,
  LOOPS_BACK,
  NEEDS_PAYLOAD,
  NOT_PLAIN,
} = require('./protocol.js')

/** Mask of the number of listeners in a result of `publish` and `dispatch`. */
const OTHERS = LOOPS_BACK - 1
/** Number of names that are remembered: programs may have ever new ones. */
const MOST_ROUTES = 4096

const NOTHING = { buffer: null, start: 0, end: 0, handles: null, parcel: 0 }
const NOBODY = Object.freeze([])
/** Stands for an emitter that awaits nothing, and has to hear that an event has settled. */
const SETTLEMENT = { settled() {} }

class Publisher {
  #tracker
  #link
  #thread
  #id
  /**
   * Per event name: whether the last event had listeners elsewhere, and whether all were plain; and, for one generation
   * of listeners, the number of these, and whether some are in this thread.
   *
   * @type {Map<string, { number: number, heard: boolean, plain: boolean, others: number, loops: boolean, generation: number }>}
   */
  #routes = new Map()
  /** The arguments as `publish` has encoded them when it returned NOT_PLAIN: for the `dispatch` that follows. */
  #refused = null
  /** @type {{ registration: object, chosen: boolean }[]} see `dispatch`; `Member.done` is for each that was chosen */
  own = NOBODY
  /** The time of the current emit, or the emit if it is observed, or null: for the receivers. */
  note = null

  /** @param {import('./link.js').Link} link of the thread */
  constructor(tracker, link, thread, id) {
    this.#tracker = tracker
    this.#link = link
    this.#thread = thread
    this.#id = id
  }

  /**
   * Publishes an event to the current listeners of other members. The bus is told of failed deliveries alone. Returns the
   * number of listeners, or NOT_PLAIN: then nothing has happened, and the event has to be dispatched.
   */
  publish(event, args) {
    const route = this.#route(event)
    if (route.others > 0 && this.#link.burst.isOpen) return this.#writeDown(route, args)
    return this.#offer(route, args, null)
  }

  /** Writes an event of a burst down: it crosses into the engine later, with others. */
  #writeDown(route, args) {
    const { encoder, burst } = this.#link
    if (burst.isEmpty) encoder.rewind()
    let encoded
    try {
      encoded = encoder.encode(args, true, null, this.#noteNow())
    } catch {
      return this.#offer(route, args, null)
    }
    if (this.#isOver(null)) {
      this.#link.parcels.drop(encoded.parcel)
      return NOT_PLAIN
    }
    if (encoded.handles !== null) return this.#refuse(encoded)
    const { start, end } = encoded
    // A getter of the arguments may have changed the listeners.
    if (route.generation !== burst.generation || this.#isLong(encoded)) return this.#offer(route, args, null, encoded)
    burst.add(route.number, start, end)
    if (route.loops) this.#link.loopedBack(this)
    return route.others
  }

  /** Returns what goes beside the arguments of the current event. An observed emit is asked once it is needed. */
  #noteNow() {
    return typeof this.note === 'object' && this.note !== null ? this.note.note : this.note
  }

  /** Returns true for a message that is not written down: the engine copies it once for all receivers. */
  #isLong({ buffer, start, end, parcel }) {
    return end - start > BURST_LONGEST || parcel !== 0 || !this.#link.lends(buffer)
  }

  /** A handle for what of `own` gets an event with a key; null where nothing does. */
  get inLine() {
    return native.inLine(this.#thread)
  }

  /** The number that names the event which was dispatched last, if it was to have one. */
  get lastEvent() {
    return native.lastEvent(this.#thread)
  }

  /**
   * Dispatches an event to listeners of other members, and returns their number. Leaves in `own` the listeners of this bus
   * that the event claimed or was assigned.
   *
   * @param {string} event
   * @param {unknown[]} args
   * @param {{ isRequest: boolean, outcome: object | null, bounds: { timeout?: number, signal?: AbortSignal } | null,
   * sent: import('./sent.js').SentEvent | null, isNamed: boolean }} how `isNamed` if `lastEvent` is asked for
   */
  dispatch(event, args, how) {
    const route = this.#route(event)
    const refused = this.#refused
    this.#refused = null
    const pending = PendingDispatch.for(this.#link, this.#thread, event, how)
    let sent = 0
    try {
      // Written out: an object that is spread costs as much as the call into the engine.
      const { isRequest, outcome, bounds, isNamed } = how
      const token = pending?.token ?? -1
      const told = outcome === null && bounds?.signal === undefined ? DISPATCH_TOLD : DISPATCH_AWAITED
      sent = this.#offer(route, args, { isRequest, bounds, token, told, isNamed }, refused)
    } finally {
      // Also if the arguments were refused.
      if (!isHeard(sent)) pending?.drop()
    }
    // In any case: a getter of the arguments may have emitted another event, for listeners of this bus.
    this.own = sent >= HAS_OWN ? this.#readOwn() : NOBODY
    return sent & OTHERS
  }

  /** Returns the number of listeners on the channel that an event is for, here and elsewhere. */
  audience(event) {
    return native.audience(this.#thread, this.#route(event).number)
  }

  /** Encodes the arguments only if other members listen. The first guess is that they do if they did the last time. */
  #offer(route, args, how, refused = null) {
    if (!route.heard || (how === null && !route.plain)) {
      const sent = this.#probe(route, how)
      if (sent !== NEEDS_PAYLOAD) {
        if (refused !== null) this.#link.parcels.drop(refused.parcel)
        return sent
      }
    }
    let encoded
    try {
      encoded = refused ?? this.#link.encoder.encode(args, false, how?.bounds?.ports ?? null, this.#noteNow())
    } catch (error) {
      if (this.#isOver(how)) return how === null ? NOT_PLAIN : 0
      // The guess may have been wrong, and then the arguments are not needed.
      const sent = this.#probe(route, how)
      if (sent === NEEDS_PAYLOAD) throw error
      route.heard = false
      return sent
    }
    if (this.#isOver(how)) {
      this.#link.parcels.drop(encoded.parcel)
      return how === null ? NOT_PLAIN : 0
    }
    // Their thread has to hear when they are not needed any more.
    if (how === null && encoded.handles !== null) return this.#refuse(encoded)
    const sent = this.#hand(route, encoded, how)
    this.#refused = sent === NOT_PLAIN ? encoded : null
    if (sent !== NOT_PLAIN) route.heard = isHeard(sent)
    return sent
  }

  /** Leaves it to `dispatch`. */
  #refuse(encoded) {
    this.#refused = encoded
    return NOT_PLAIN
  }

  /** True if a getter of the arguments has closed the bus, or aborted the signal. */
  #isOver(how) {
    return this.#tracker.closed || (how?.bounds?.signal?.aborted ?? false)
  }

  /** Offers the event without its arguments. That will do where no other member listens. */
  #probe(route, how) {
    return this.#hand(route, NOTHING, how)
  }

  #hand(route, encoded, how) {
    if (how === null) return this.#crossPlain(route, encoded)
    return encoded.handles === null ? this.#crossTracked(route, encoded, how) : this.#crossBeside(route, encoded, how)
  }

  #crossPlain(route, { buffer, start, end, parcel }) {
    const { burst } = this.#link
    const { generation } = burst
    const [thread, { number }] = [this.#thread, route]
    this.#link.parcels.attach(parcel)
    const sent = this.#link.lends(buffer)
      ? native.publish(thread, number, start, end)
      : native.publish(thread, number, start, end, buffer)
    const others = this.#withoutLoopBit(sent)
    route.plain = others !== NOT_PLAIN
    route.others = Math.max(0, others)
    route.loops = others !== sent
    route.generation = generation
    if (others > 0) burst.crossed()
    return others
  }

  /** Takes off the bit of an event that may have gone to buses of this thread, and notes that it has. */
  #withoutLoopBit(sent) {
    if (sent < 0 || (sent & LOOPS_BACK) === 0) return sent
    this.#link.loopedBack(this)
    return sent - LOOPS_BACK
  }

  /** Dispatches an event with handles: the threads that listen have them before the event. */
  #crossBeside(route, encoded, how) {
    const { handles, parcels } = this.#link
    if (native.isHeardAbroad(this.#thread, route.number)) {
      parcels.drop(encoded.parcel)
      refuseAbroad(encoded.handles.objects[0])
    }
    const isExpected = how.token >= 0
    const token = isExpected ? how.token : this.#link.expect(SETTLEMENT)
    const told = isExpected ? how.told : DISPATCH_TOLD
    let [sent, isPosted] = [0, false]
    try {
      handles.sent.send(token, encoded.handles, native.endpoints(this.#thread, route.number))
      isPosted = true
      sent = this.#crossTracked(route, encoded, { ...how, token, told })
    } finally {
      if (!isPosted) parcels.drop(encoded.parcel)
      // A listener here has them as they are.
      if (!isHeard(sent)) handles.sent.retract(token)
      if (!isHeard(sent)) this.#link.drop(token)
    }
    return sent
  }

  #crossTracked({ number }, { buffer, start, end, parcel }, { isRequest, token, told, bounds, isNamed }) {
    let flags = isRequest ? DISPATCH_REQUEST : 0
    if (isNamed) flags |= DISPATCH_NAMED
    if (bounds?.signal !== undefined) flags |= DISPATCH_CANCELLABLE
    if (token >= 0) flags |= told
    if (bounds?.key !== undefined) native.setKey(this.#thread, keyed(bounds.key))
    const [thread, named, timeout] = [this.#thread, Math.max(0, token), Math.ceil(bounds?.timeout ?? 0)]
    this.#link.parcels.attach(parcel)
    const sent = this.#link.lends(buffer)
      ? native.dispatch(thread, number, start, end, flags, named, timeout)
      : native.dispatch(thread, number, start, end, flags, named, timeout, buffer)
    if (sent < 0 || (sent & LOOPS_BACK) === 0) return sent
    this.#link.cameBack()
    return sent - LOOPS_BACK
  }

  #route(name) {
    let route = this.#routes.get(name)
    if (route === undefined) {
      if (this.#routes.size === MOST_ROUTES) {
        native.forgetRoutes(this.#thread, this.#id)
        this.#routes.clear()
      }
      const number = native.route(this.#thread, this.#id, toEngine(name))
      route = { number, heard: false, plain: true, others: 0, loops: false, generation: 0 }
      this.#routes.set(name, route)
    }
    return route
  }

  #readOwn() {
    const own = []
    const words = native.own(this.#thread)
    for (let at = 0; at < words.length; at += 2) {
      own.push({ registration: this.#link.listeners.get(words[at]), chosen: words[at + 1] === 1 })
    }
    return own
  }
}

/** Returns the engine's name for a key: 1, 1n and '1' are three. */
function keyed(key) {
  return `${typeof key}:${typeof key === 'string' ? toEngine(key) : key}`
}

/** True if an event was addressed to listeners of other members. */
function isHeard(sent) {
  return sent > 0 && (sent & OTHERS) > 0
}

module.exports = { Publisher }
