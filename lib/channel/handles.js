'use strict'

// Handles go beside messages: objects that several threads can have, such as a SharedArrayBuffer, and that bytes cannot
// carry. The runtime clones them, `posts.js` carries them, and the message has their number.
//
// An event with handles is dispatched, however it was emitted. Before it is, its handles are posted to every thread that
// listens, so that they are there when the event is read. When the emitter hears that it has settled, it has these threads
// forget them, as it does itself. A thread that does not have them asks for them: because it listens since then, because
// the event moved to it, or because they could not be posted before the two have a pair. The handles of a reply, or of an
// error, are posted before the engine gets that, if need be once there is a pair. The emitter forgets them with the outcome.
//
// A port moves, and can only once. So it is not posted before: the thread that reads the event asks for it, when the two
// have a pair. The thread starts the event before it asks, so that no other takes it over. Whoever asks later, because that
// thread has ended, hears that the port is gone.
//
// So nothing piles up. A thread has the handles of unsettled events, which mailboxes bound, and of settled ones of which it
// has not heard. Now and then it says how many it has forgotten. An emitter that misses too many of these posts no more
// handles, and the thread has to ask for them (`sent-handles.js`).

const { threadId } = require('node:worker_threads')
const native = require('../native.js')
const { NativePromise } = require('../promises.js')
const {
  ASK,
  FORGET,
  GONE,
  MOVING,
  OPENED,
  PAIR,
  REPLY,
  SEEN,
  SENT,
  close,
  endpointOf,
  firstNumber,
  portsOf,
} = require('./handle-posts.js')
const { Posts, canCollect } = require('./posts.js')
const { SentHandles } = require('./sent-handles.js')
const { Waiting, addTo } = require('./waiting.js')

/** A thread says after so many that it has forgotten them. */
const SEEN_EVERY = 512
/** Thrown where a message is read without its handles not here. */
class MissingHandles extends Error {
  code = 'ERR_HANDLES_GONE'
  #number

  constructor(number) {
    super(
      'The SharedArrayBuffer, MessagePort, or the like, of a message is gone: the thread that sent it, or had got it, has ' +
        'ended; send it again',
    )
    this.#number = number
  }

  get number() {
    return this.#number
  }
}

class Handles {
  /** Gives a number to the handles of a message; null where the runtime cannot carry any. */
  numbering = canCollect ? (moves) => this.#nextNumber(moves) : null
  #thread
  #isPending
  #posts
  /** The endpoint of this thread. */
  #own
  #count = 0
  /** Those of events of this thread. */
  sent
  /** @type {Map<number, { objects: object[], from: number, isUsed: boolean }>} handles of other threads' messages */
  #received = new Map()
  /** @type {Map<number, number[]>} the numbers of replies and errors, by the token of the dispatch */
  #replies = new Map()
  /** Waits for handles by their number, and for pairs by their endpoint. */
  #asked = new Waiting()
  #pairing = new Waiting()
  /** @type {Map<number, number>} how many of each endpoint this thread has forgotten and not said so */
  #seen = new Map()
  /** @type {Map<number, number>} ids of the threads that have posted something, by their endpoints */
  #threads = new Map()
  /** Ports of the message that was read last, until they are taken; or null. */
  #read = null
  /** @type {Set<number>} endpoints that have ended, perhaps with unread messages that have handles */
  #ended = new Set()

  /** @param {(token: number) => boolean} isPending whether a dispatch of this thread has not settled */
  constructor(thread, isPending) {
    this.#thread = thread
    this.#isPending = isPending
    this.#own = native.endpoint(thread)
    this.#posts = new Posts(
      this.#own,
      (post) => this.#hear(post),
      () => this.#asked.endAll(),
    )
    this.sent = new SentHandles(this.#own, this.#posts)
  }

  #nextNumber(moves) {
    this.#count = (this.#count + 1) % MOVING
    return firstNumber(this.#own, moves) + this.#count
  }

  #post(endpoint, kind, ...rest) {
    return this.#posts.post(endpoint, [kind, this.#own, threadId, ...rest])
  }

  /** A dispatch of this thread has settled, or nobody got it: its handles, and those of its outcome, are not needed. */
  settled(token) {
    this.sent.settled(token)
    if (this.#replies.size === 0) return
    for (const number of this.#replies.get(token) ?? []) this.#received.delete(number)
    this.#replies.delete(token)
  }

  // Messages of other threads

  /**
   * Returns the objects that came beside a message. Each message gets clones of its own.
   *
   * @throws {MissingHandles} they are not here
   */
  get(number) {
    if (this.sent.has(number)) return this.#getSent(number)
    if (!this.#received.has(number)) this.#posts.collect()
    const received = this.#received.get(number)
    if (received === undefined) throw new MissingHandles(number)
    const { objects, ports, isUsed } = received
    received.isUsed = true
    if (ports.length === 0) return isUsed ? structuredClone(objects) : objects
    if (isUsed) throw new MissingHandles(number)
    this.#read = ports
    return objects
  }

  /** Returns the ports of the message that was read last, for a caller that closes them where nobody gets them; or null. */
  takePorts() {
    const ports = this.#read
    this.#read = null
    return ports
  }

  /** As `get`, for a lost event of this thread. A port does not come back: nobody might be there to close it. */
  getLost(number) {
    if (this.sent.hasPorts(number)) throw new MissingHandles(number)
    return this.get(number)
  }

  /** Of a message of this thread. */
  #getSent(number) {
    const found = this.sent.get(number)
    if (found === null) throw new MissingHandles(number)
    if (found.ports !== null) this.#read = found.ports
    return found.objects
  }

  /** Asks for the handles of a delivery. `heard` is called in a later turn, also where there are none any more. */
  ask(number, delivery, heard) {
    const emitter = endpointOf(number)
    if (emitter === this.#own) return this.#askHere(number, heard)
    this.#posts.openFrom(emitter)
    if (this.#wait(this.#asked, number, { emitter, delivery, heard })) this.#post(emitter, ASK, number)
  }

  /** As `ask`, for an event of another bus of this thread. */
  #askHere(number, heard) {
    this.sent.askHere(number)
    NativePromise.resolve().then(heard)
  }

  /** Returns whether this is the first that waits for the key, and the emitter of the delivery is there. */
  #wait(waiting, key, wait) {
    const isFirst = waiting.add(key, wait)
    this.#keepAlive()
    if (native.hasEmitter(this.#thread, wait.delivery)) return isFirst
    this.#end(waiting, key)
    return false
  }

  #end(waiting, key) {
    waiting.end(key)
    this.#keepAlive()
  }

  #keepAlive() {
    this.#posts.keepAlive(this.#asked.size + this.#pairing.size > 0)
  }

  // Replies

  /**
   * Sends the handles of a reply, or of an error, to the emitter of a dispatch. Returns false where they need a
   * [pair](#pair) first.
   */
  reply(endpoint, token, { number, objects }) {
    if (endpoint !== this.#own) return this.#post(endpoint, REPLY, number, objects, token)
    this.#hearReply(endpoint, number, structuredClone(objects), token)
    return true
  }

  /** Has the emitter of a delivery open an end for this thread's posts. `heard` is called then, or when it is gone. */
  pair(endpoint, delivery, heard) {
    if (this.#wait(this.#pairing, endpoint, { emitter: endpoint, delivery, heard })) this.#post(endpoint, PAIR)
  }

  // Posts

  #hear([kind, endpoint, thread, ...rest]) {
    this.#threads.set(endpoint, thread)
    switch (kind) {
      case SENT:
        return this.#hearSent(endpoint, ...rest)
      case FORGET:
        return this.#forget(endpoint, ...rest)
      case SEEN:
        return this.sent.hearSeen(endpoint, ...rest)
      case ASK:
        return this.sent.hearAsk(endpoint, ...rest)
      case GONE:
        return this.#end(this.#asked, ...rest)
      case REPLY:
        return this.#hearReply(endpoint, ...rest)
      case PAIR:
        this.#posts.openFrom(endpoint)
        return this.#post(endpoint, OPENED)
      case OPENED:
        this.#posts.openTo(endpoint)
        return this.#end(this.#pairing, endpoint)
    }
  }

  #hearSent(from, number, objects) {
    this.#received.set(number, { objects, ports: portsOf(objects), from, isUsed: false })
    this.#end(this.#asked, number)
  }

  #hearReply(from, number, objects, token) {
    if (!this.#isPending(token)) return
    this.#received.set(number, { objects, ports: [], from, isUsed: false })
    addTo(this.#replies, token, number)
  }

  #forget(emitter, numbers) {
    for (const number of numbers) this.#dropReceived(number)
    const seen = (this.#seen.get(emitter) ?? 0) + numbers.length
    this.#seen.set(emitter, seen % SEEN_EVERY)
    if (seen >= SEEN_EVERY) this.#post(emitter, SEEN, seen - (seen % SEEN_EVERY))
  }

  #dropReceived(number) {
    const received = this.#received.get(number)
    if (received?.isUsed === false) close(received.ports)
    this.#received.delete(number)
  }

  // The end of other threads

  threadEnded(ended) {
    // News of the end may be read before all that it has posted.
    this.#posts.collect()
    for (const [endpoint, thread] of this.#threads) if (thread === ended) this.#ended.add(endpoint)
    for (const waiting of [this.#asked, this.#pairing]) {
      for (const [key, { delivery }] of waiting.firsts()) {
        if (!native.hasEmitter(this.#thread, delivery)) this.#end(waiting, key)
      }
    }
  }

  /** Forgets the handles of threads that have ended: all messages were read. */
  forgetEnded() {
    if (this.#ended.size === 0) return
    this.#posts.collect()
    for (const [number, { from }] of this.#received) if (this.#ended.has(from)) this.#dropReceived(number)
    for (const endpoint of this.#ended) {
      this.#posts.close(endpoint)
      for (const each of [this.#threads, this.#seen]) each.delete(endpoint)
      this.sent.forgetEndpoint(endpoint)
    }
    this.#ended.clear()
  }
}

module.exports = { Handles, MissingHandles }
