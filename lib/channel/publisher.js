'use strict'

// How a bus emits to the other members of its channel: encodes events if somebody listens, and hands them to the engine.

const native = require('../native.js')
const { toEngine } = require('./names.js')
const { Waiting } = require('./pending.js')

/** What the engine answers; see `src/node/emissions.rs`. */
const NEEDS_PAYLOAD = -1
const HAS_OWN = 1 << 30
const LOOPS = 1 << 29
const OTHERS = LOOPS - 1
/** What it is told, in flags. */
const TO_ONE = 1
const WITHDRAWABLE = 2
const AWAITED = 4

/** Names of events may be without end, so no more of them are remembered. */
const MOST_ROUTES = 4096

const NOTHING = { buffer: null, start: 0, end: 0 }
const NOBODY = Object.freeze([])

class Sender {
  /** What `post` returns for an event that has to be sent. */
  static NOT_PLAIN = -2

  #dispatcher
  #inbox
  #thread
  #member
  /**
   * Whether other members heard the last event of a name, and whether it had plain listeners only. And how many of
   * these others have, and whether in this thread, as long as listeners have changed so often, and no more.
   * @type {Map<string, { number: number, heard: boolean, plain: boolean, others: number, loops: boolean, changes: number }>}
   */
  #routes = new Map()
  /** What a `post` has encoded that could not be posted, for the `send` that follows it. */
  #refused = null
  /** @type {{ registration: object, chosen: boolean }[]} see `send`; `Membership.done` is for each that was chosen */
  own = NOBODY

  /** @param {import('./link.js').Inbox} inbox of the thread */
  constructor(dispatcher, inbox, thread, member) {
    this.#dispatcher = dispatcher
    this.#inbox = inbox
    this.#thread = thread
    this.#member = member
  }

  /**
   * Emits an event to the other members, of which nobody waits for the outcome. Returns to how many listeners of them,
   * or NOT_PLAIN: then nothing has happened, and it has to be sent.
   */
  post(event, args) {
    const route = this.#route(event)
    if (route.others > 0 && this.#inbox.unsent.isOpen) return this.#writeDown(route, args)
    return this.#offer(route, args, null)
  }

  /** In a burst: the event crosses into the engine later, with others. */
  #writeDown(route, args) {
    const { encoder, unsent } = this.#inbox
    if (unsent.isEmpty) encoder.rewind()
    let encoded
    try {
      encoded = encoder.encode(args, true)
    } catch {
      return this.#offer(route, args, null)
    }
    const { buffer, start, end } = encoded
    // Since who listens was known, it may have changed: a getter of the arguments may have closed the bus.
    if (route.changes !== unsent.changes || !this.#inbox.reads(buffer)) return this.#offer(route, args, null, encoded)
    unsent.add(route.number, start, end)
    if (route.loops) this.#inbox.looped(this)
    return route.others
  }

  /**
   * Emits an event to the other members. Returns to how many listeners of them, and leaves in `own` which listeners
   * of this bus the event claimed or was assigned.
   *
   * @param {string} event
   * @param {unknown[]} args
   * @param {{ toOne: boolean, outcome: object | null, limits: { timeout?: number, signal?: AbortSignal } | null }} how
   */
  send(event, args, how) {
    const route = this.#route(event)
    const refused = this.#refused
    this.#refused = null
    this.own = NOBODY
    const waiting = Waiting.for(this.#inbox, this.#thread, event, how)
    let sent = 0
    try {
      // Spelled out: an object that is spread costs as much as the call into the engine.
      const { toOne, outcome, limits } = how
      sent = this.#offer(route, args, { toOne, outcome, limits, token: waiting?.token ?? -1 }, refused)
    } finally {
      // Also if the arguments were refused.
      if (!isHeard(sent)) waiting?.drop()
    }
    if (sent >= HAS_OWN) this.own = this.#readOwn()
    return sent & OTHERS
  }

  /** Encodes the arguments only if others listen: whether they did the last time, and how, is the first guess. */
  #offer(route, args, how, refused = null) {
    if (!route.heard || (how === null && !route.plain)) {
      const sent = this.#ask(route, how)
      if (sent !== NEEDS_PAYLOAD) return sent
    }
    let encoded
    try {
      encoded = refused ?? this.#inbox.encoder.encode(args)
    } catch (error) {
      if (this.#isOver(how)) return how === null ? Sender.NOT_PLAIN : 0
      // The guess may have been wrong, and then nobody minds.
      const sent = this.#ask(route, how)
      if (sent === NEEDS_PAYLOAD) throw error
      route.heard = false
      return sent
    }
    if (this.#isOver(how)) return how === null ? Sender.NOT_PLAIN : 0
    const sent = this.#hand(route, encoded, how)
    this.#refused = sent === Sender.NOT_PLAIN ? encoded : null
    if (sent !== Sender.NOT_PLAIN) route.heard = isHeard(sent)
    return sent
  }

  /** Whether a getter of the arguments has closed the bus, or aborted the signal. */
  #isOver(how) {
    return this.#dispatcher.closed || (how?.limits?.signal?.aborted ?? false)
  }

  /** Offers the event without its arguments, which will do where no other member listens. */
  #ask(route, how) {
    return this.#hand(route, NOTHING, how)
  }

  #hand(route, encoded, how) {
    return how === null ? this.#cross(route, encoded) : this.#emit(route, encoded, how)
  }

  #cross(route, { buffer, start, end }) {
    const { unsent } = this.#inbox
    const { changes } = unsent
    const [thread, { number }] = [this.#thread, route]
    const sent = this.#inbox.reads(buffer)
      ? native.publish(thread, number, start, end)
      : native.publish(thread, number, start, end, buffer)
    const others = this.#withoutLoops(sent)
    route.plain = others !== Sender.NOT_PLAIN
    route.others = Math.max(0, others)
    route.loops = others !== sent
    route.changes = changes
    if (others > 0) unsent.crossed()
    return others
  }

  /** What `post` or `emit` of the engine returned, once it is known whether it may have gone to buses of this thread. */
  #withoutLoops(sent) {
    if (sent < 0 || (sent & LOOPS) === 0) return sent
    this.#inbox.looped(this)
    return sent - LOOPS
  }

  #emit({ number }, { buffer, start, end }, { toOne, token, limits }) {
    let flags = toOne ? TO_ONE : 0
    if (limits?.signal !== undefined) flags |= WITHDRAWABLE
    if (token >= 0) flags |= AWAITED
    const [thread, named, timeout] = [this.#thread, Math.max(0, token), Math.ceil(limits?.timeout ?? 0)]
    const sent = this.#inbox.reads(buffer)
      ? native.dispatch(thread, number, start, end, flags, named, timeout)
      : native.dispatch(thread, number, start, end, flags, named, timeout, buffer)
    return this.#withoutLoops(sent)
  }

  #route(name) {
    let route = this.#routes.get(name)
    if (route === undefined) {
      if (this.#routes.size === MOST_ROUTES) {
        native.forgetRoutes(this.#thread, this.#member)
        this.#routes.clear()
      }
      const number = native.route(this.#thread, this.#member, toEngine(name))
      route = { number, heard: false, plain: true, others: 0, loops: false, changes: 0 }
      this.#routes.set(name, route)
    }
    return route
  }

  #readOwn() {
    const own = []
    const words = native.own(this.#thread)
    for (let at = 0; at < words.length; at += 2) {
      own.push({ registration: this.#inbox.listener(words[at]), chosen: words[at + 1] === 1 })
    }
    return own
  }
}

/** Whether an event was addressed to listeners of others. */
function isHeard(sent) {
  return sent > 0 && (sent & OTHERS) > 0
}

module.exports = { Sender }
