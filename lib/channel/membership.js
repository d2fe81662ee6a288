'use strict'

// A bus's place in its channel: tells the engine who listens, emits to the other members, and hears from them.

const { isMainThread } = require('node:worker_threads')
const native = require('../native.js')
const outbox = require('../outbox.js')
const { deadLetter, stall, threadExit } = require('../symbols.js')
const { Inbox } = require('./inbox.js')
const { Waiting } = require('./waiting.js')

/** What the engine answers; see `src/node/emissions.rs`. */
const NEEDS_PAYLOAD = -1
const HAS_OWN = 1 << 30
const OTHERS = HAS_OWN - 1
/** What it is told, in flags. */
const TO_ONE = 1
const WITHDRAWABLE = 2
const AWAITED = 4

/** Names of events may be without end, so no more of them are remembered. */
const MOST_ROUTES = 4096

/** Defaults; `src/core/quota.rs` has the same for members in Rust. */
const MAX_MESSAGES = 65_536
const MAX_BYTES = 64 * 2 ** 20
const STALL_AFTER_MS = 1000

const NOTHING = { buffer: new Uint8Array(0), start: 0, end: 0 }
const NOBODY = Object.freeze([])

class Membership {
  static NOT_PLAIN = -2

  #thread
  #bus
  #inbox
  #member
  /**
   * Whether other members heard the last event of a name, and whether it had plain listeners only.
   * @type {Map<string, { number: number, heard: boolean, plain: boolean }>}
   */
  #routes = new Map()
  /** What a `post` has encoded that could not be posted, for the `send` that follows it. */
  #refused = null
  #listening = 0
  /** null where the default holds: a worker thread lives while a bus of it listens. */
  #ref = null
  #keepsAlive = false
  #failedBefore = 0
  #failedAtEnd = 0
  /** @type {{ registration: object, chosen: boolean }[]} see `send`; `done` has to be called for each that was chosen */
  own = NOBODY
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
    this.channel = channel
    this.dispatcher = dispatcher
    dispatcher.membership = this
    this.#bus = bus
    this.#thread = outbox.handle
    outbox.inbox ??= new Inbox(this.#thread, outbox)
    this.#inbox = outbox.inbox
    this.#member = native.join(this.#thread, channel, maxMessages, maxBytes, stallAfter)
    this.#inbox.memberships.set(this.#member, this)
  }

  /** Whether events of this name go to the channel. */
  carries(event) {
    return typeof event !== 'symbol' && event !== 'newListener' && event !== 'removeListener'
  }

  // Listening

  /** From now on everybody's events of this name reach the listener. */
  listen(registration, prepend) {
    if (this.#member === 0 || !this.carries(registration.event)) return
    const { event, once, timeout } = registration
    registration.membership = this
    registration.id = this.#inbox.add(registration)
    const limited = timeout !== undefined
    native.listen(
      this.#thread,
      this.#member,
      String(event),
      registration.id,
      once,
      prepend,
      limited,
      registration.group,
    )
    this.#listening++
    this.#keepAlive()
  }

  unlisten(registration) {
    if (registration.membership === null) return
    // As for emissions that are queued here: see `withdrawals.js`.
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

  // Emitting

  /**
   * Emits an event to the other members, of which nobody waits for the outcome. Returns to how many listeners of them,
   * or NOT_PLAIN: then nothing has happened, and it has to be sent.
   */
  post(event, args) {
    return this.#offer(this.#route(event), args, null)
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
      if (this.#isOver(how)) return how === null ? Membership.NOT_PLAIN : 0
      // The guess may have been wrong, and then nobody minds.
      const sent = this.#ask(route, how)
      if (sent === NEEDS_PAYLOAD) throw error
      route.heard = false
      return sent
    }
    if (this.#isOver(how)) return how === null ? Membership.NOT_PLAIN : 0
    const sent = this.#hand(route, encoded, how)
    if (how === null) route.plain = sent !== Membership.NOT_PLAIN
    this.#refused = sent === Membership.NOT_PLAIN ? encoded : null
    if (sent !== Membership.NOT_PLAIN) route.heard = isHeard(sent)
    return sent
  }

  /** Whether a getter of the arguments has closed the bus, or aborted the signal. */
  #isOver(how) {
    return this.dispatcher.closed || (how?.limits?.signal?.aborted ?? false)
  }

  /** Offers the event without its arguments, which will do where no other member listens. */
  #ask(route, how) {
    const sent = this.#hand(route, NOTHING, how)
    if (how === null) route.plain = sent !== Membership.NOT_PLAIN
    return sent
  }

  #hand({ number }, { buffer, start, end }, how) {
    this.#inbox.lend(buffer)
    if (how === null) return native.post(this.#thread, number, start, end)
    const { toOne, token, limits } = how
    let flags = toOne ? TO_ONE : 0
    if (limits?.signal !== undefined) flags |= WITHDRAWABLE
    if (token >= 0) flags |= AWAITED
    return native.emit(this.#thread, number, start, end, flags, Math.max(0, token), Math.ceil(limits?.timeout ?? 0))
  }

  #route(name) {
    let route = this.#routes.get(name)
    if (route === undefined) {
      if (this.#routes.size === MOST_ROUTES) {
        native.forgetRoutes(this.#thread, this.#member)
        this.#routes.clear()
      }
      route = { number: native.route(this.#thread, this.#member, name), heard: false, plain: true }
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

  /** A listener that was chosen among several is done. */
  done() {
    native.done(this.#thread, this.#member)
    this.checkQuiet()
  }

  // Hearing

  /** An event of this bus did not get to the end of some listeners; none of them `started` if it did not reach them. */
  lost({ started, ...about }) {
    this.dispatcher.reporter.lost(about.event, about.error)
    if (!started) this.#bus.tell(deadLetter, about)
  }

  threadExited(threadId) {
    this.#bus.tell(threadExit, { threadId })
  }

  stalled(threadId, waiting, ms) {
    this.#bus.tell(stall, { threadId, waiting, ms })
  }

  hasRoom() {
    this.#room?.resolve()
    this.#room = null
  }

  get needsDrain() {
    return this.#member !== 0 && native.isCongested(this.#thread, this.#member)
  }

  /** Resolves when no other member has much waiting. */
  drained() {
    if (!this.needsDrain) return Promise.resolve()
    if (this.#room === null) {
      this.#room = deferred()
      native.waitForRoom(this.#thread, this.#member)
    }
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

  /** Listeners of others that failed, since the last reset. */
  get failed() {
    const failed = this.#member === 0 ? this.#failedAtEnd : native.failed(this.#thread, this.#member)
    return failed - this.#failedBefore
  }

  resetFailed() {
    this.#failedBefore += this.failed
  }

  awaitIdle(callback) {
    this.#whenIdle = callback
  }

  /** Called after each turn in which something came. */
  turned() {
    if (this.#whenIdle !== null && this.isIdle) {
      const callback = this.#whenIdle
      this.#whenIdle = null
      callback()
    }
    this.checkQuiet()
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
    })
  }

  /** Gone for good. */
  forget() {
    const member = this.#member
    this.#failedAtEnd = native.failed(this.#thread, member)
    this.#member = 0
    this.#keepAlive()
    this.#inbox.memberships.delete(member)
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

/** Whether an event was addressed to listeners of others. */
function isHeard(sent) {
  return sent > 0 && (sent & OTHERS) > 0
}

module.exports = { Membership }
