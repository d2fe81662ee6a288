'use strict'

// What goes beside messages: objects that several threads can have, such as a SharedArrayBuffer, and that bytes cannot
// carry. The runtime clones them, `posts.js` carries them, and the message has their number.
//
// An event with handles is dispatched, however it was emitted. Before it is, its handles are posted to every thread that
// listens, so that they are there when the event is read. When the emitter hears that it has settled, it has these threads
// forget them, as it does itself. A thread that was not among them, because it listens since then, or because the event
// moved to it, asks for them.
//
// So nothing piles up: a thread has the handles of events that have not settled, which mailboxes bound, and of those whose
// settling it has not heard of. Of the latter it says how many it has heard of, now and then; an emitter that was not told
// of MOST_UNSEEN posts no more handles until it is, and the thread has to ask for them. The handles of replies and errors
// are forgotten by the emitter with the outcome that they belong to.

const { threadId } = require('node:worker_threads')
const native = require('../native.js')
const { NativePromise } = require('../promises.js')
const { Posts, canCollect } = require('./posts.js')

/** Events whose handles a thread was sent and may not have forgotten: the default of `mailbox.maxMessages`. */
const MOST_UNSEEN = 65_536
/** A thread says after so many that it has forgotten them. */
const SEEN_EVERY = 1024
/** Threads come and go; of so many it is remembered what they have not seen. */
const MOST_THREADS = 256
/** Handles are numbered by the endpoint that sends them, from its number times this on. */
const NUMBERS = 2 ** 32

/** Kinds of posts. */
const SENT = 0
const REPLY = 1
const FORGET = 2
const SEEN = 3
const ASK = 4
const GONE = 5

/** Thrown where a message is read, and what goes beside it is not here. */
class MissingHandles extends Error {
  code = 'ERR_HANDLES_GONE'
  #number

  constructor(number) {
    super('The SharedArrayBuffer, or the like, of a message is gone: the thread that sent it has ended; send it again')
    this.#number = number
  }

  get number() {
    return this.#number
  }
}

class Handles {
  /** Gives a number to the handles of a message; null where the runtime cannot carry any. */
  numbering = canCollect ? () => this.#nextNumber() : null
  #thread
  #isPending
  #posts
  /** The endpoint of this thread. */
  #own
  #count = 0
  /** @type {Map<number, { objects: object[], to: Set<number> }>} of events of this thread that have not settled */
  #sent = new Map()
  /** @type {Map<number, number>} their numbers, by the token of the dispatch */
  #numbers = new Map()
  /** @type {Map<number, { objects: object[], from: number, isUsed: boolean }>} what other threads have sent */
  #received = new Map()
  /** @type {Map<number, number[]>} the numbers of replies and errors, by the token of the dispatch */
  #replies = new Map()
  /** @type {Map<number, { delivery: number, heard: () => void }[]>} events that wait for handles, by their number */
  #asked = new Map()
  /** @type {Map<number, number[]>} numbers that other threads are to forget */
  #settled = new Map()
  /** @type {Map<number, number>} how many events' handles other threads may not have forgotten */
  #unseen = new Map()
  /** @type {Map<number, number>} how many this thread has forgotten and not said so */
  #seen = new Map()
  /** @type {Set<number>} ids of threads that have ended, and may have sent handles of what is not read yet */
  #ended = new Set()

  /** @param {(token: number) => boolean} isPending whether a dispatch of this thread has not settled */
  constructor(thread, isPending) {
    this.#thread = thread
    this.#isPending = isPending
    this.#own = native.endpoint(thread)
    this.#posts = new Posts(
      this.#own,
      (post) => this.#hear(post),
      () => this.#giveUp(),
    )
  }

  #nextNumber() {
    this.#count = (this.#count + 1) % NUMBERS
    return this.#own * NUMBERS + this.#count
  }

  // Sending

  /**
   * Sends the handles of an event, which is to be dispatched with this token, to those who listen.
   *
   * @param {{ number: number, objects: object[] }} handles
   * @param {number[]} endpoints
   */
  send(token, { number, objects }, endpoints) {
    const to = new Set()
    this.#sent.set(number, { objects, to })
    this.#numbers.set(token, number)
    for (const endpoint of endpoints) if (endpoint !== this.#own) this.#sendTo(endpoint, number, objects, to)
  }

  #sendTo(endpoint, number, objects, to) {
    const unseen = this.#unseen.get(endpoint) ?? 0
    if (unseen >= MOST_UNSEEN) return
    this.#posts.post(endpoint, [SENT, threadId, number, objects])
    this.#unseen.set(endpoint, unseen + 1)
    to.add(endpoint)
  }

  /** Sends the handles of a reply, or of an error, to the emitter of a dispatch. */
  reply(endpoint, token, { number, objects }) {
    const post = [REPLY, threadId, number, objects, token]
    if (endpoint !== this.#own) this.#posts.post(endpoint, post)
    else this.#hear(structuredClone(post))
  }

  /** A dispatch of this thread has settled, or nobody got it: its handles, and those of its outcome, are not needed. */
  settled(token) {
    if (this.#numbers.size > 0) this.#forgetSent(token)
    if (this.#replies.size === 0) return
    for (const number of this.#replies.get(token) ?? []) this.#received.delete(number)
    this.#replies.delete(token)
  }

  #forgetSent(token) {
    const number = this.#numbers.get(token)
    if (number === undefined) return
    this.#numbers.delete(token)
    const { to } = this.#sent.get(number)
    this.#sent.delete(number)
    if (to.size > 0 && this.#settled.size === 0) NativePromise.resolve().then(this.#tellSettled)
    for (const endpoint of to) {
      const numbers = this.#settled.get(endpoint)
      if (numbers === undefined) this.#settled.set(endpoint, [number])
      else numbers.push(number)
    }
  }

  #tellSettled = () => {
    for (const [endpoint, numbers] of this.#settled) this.#posts.post(endpoint, [FORGET, threadId, numbers])
    this.#settled.clear()
    if (this.#unseen.size > MOST_THREADS) this.#forgetThreads()
  }

  /** Most of them have ended. */
  #forgetThreads() {
    const inUse = new Set()
    for (const { to } of this.#sent.values()) for (const endpoint of to) inUse.add(endpoint)
    for (const endpoint of this.#unseen.keys()) if (!inUse.has(endpoint)) this.#unseen.delete(endpoint)
  }

  // Receiving

  /**
   * Returns the objects that came beside a message. Each message gets clones of its own.
   *
   * @throws {MissingHandles} they are not here
   */
  get(number) {
    const sent = this.#sent.get(number)
    if (sent !== undefined) return structuredClone(sent.objects)
    if (!this.#received.has(number)) this.#posts.collect()
    const received = this.#received.get(number)
    if (received === undefined) throw new MissingHandles(number)
    if (received.isUsed) return structuredClone(received.objects)
    received.isUsed = true
    return received.objects
  }

  /** Asks for the handles of a delivery. `heard` is called in a later turn, also where there are none any more. */
  ask(number, delivery, heard) {
    const asked = this.#asked.get(number)
    if (asked !== undefined) {
      asked.push({ delivery, heard })
      return
    }
    this.#asked.set(number, [{ delivery, heard }])
    this.#posts.keepAlive(true)
    if (native.hasEmitter(this.#thread, delivery)) {
      this.#posts.post(Math.floor(number / NUMBERS), [ASK, threadId, number, this.#own])
    } else this.#answer(number)
  }

  #answer(number) {
    const asked = this.#asked.get(number)
    if (asked === undefined) return
    this.#asked.delete(number)
    if (this.#asked.size === 0) this.#posts.keepAlive(false)
    // Not while a message is being read.
    NativePromise.resolve().then(() => {
      for (const { heard } of asked) heard()
    })
  }

  #hear([kind, from, ...rest]) {
    switch (kind) {
      case SENT:
        return this.#hearSent(from, ...rest)
      case REPLY:
        return this.#hearReply(from, ...rest)
      case FORGET:
        return this.#forget(...rest)
      case SEEN:
        return this.#hearSeen(...rest)
      case ASK:
        return this.#hearAsk(...rest)
      case GONE:
        return this.#answer(...rest)
    }
  }

  #hearSent(from, number, objects) {
    this.#received.set(number, { objects, from, isUsed: false })
    this.#answer(number)
  }

  #hearReply(from, number, objects, token) {
    if (!this.#isPending(token)) return
    this.#received.set(number, { objects, from, isUsed: false })
    const numbers = this.#replies.get(token)
    if (numbers === undefined) this.#replies.set(token, [number])
    else numbers.push(number)
  }

  #forget(numbers) {
    for (const number of numbers) this.#received.delete(number)
    const emitter = Math.floor(numbers[0] / NUMBERS)
    const seen = (this.#seen.get(emitter) ?? 0) + numbers.length
    if (seen < SEEN_EVERY) {
      this.#seen.set(emitter, seen)
    } else {
      this.#seen.delete(emitter)
      this.#posts.post(emitter, [SEEN, threadId, this.#own, seen])
    }
  }

  #hearSeen(endpoint, count) {
    const unseen = this.#unseen.get(endpoint)
    if (unseen !== undefined) this.#unseen.set(endpoint, Math.max(0, unseen - count))
  }

  #hearAsk(number, endpoint) {
    const sent = this.#sent.get(number)
    if (sent === undefined) {
      this.#posts.post(endpoint, [GONE, threadId, number])
    } else {
      this.#posts.post(endpoint, [SENT, threadId, number, sent.objects])
      sent.to.add(endpoint)
    }
  }

  // The end of other threads

  threadEnded(threadId) {
    this.#ended.add(threadId)
    for (const [number, [{ delivery }]] of this.#asked) {
      if (!native.hasEmitter(this.#thread, delivery)) this.#answer(number)
    }
  }

  /** All messages were read: those of threads that have ended are not needed any more. */
  forgetEnded() {
    if (this.#ended.size === 0) return
    for (const [number, { from }] of this.#received) if (this.#ended.has(from)) this.#received.delete(number)
    this.#ended.clear()
  }

  /** Something has come that cannot be read here. What it was is not known. */
  #giveUp() {
    for (const number of this.#asked.keys()) this.#answer(number)
  }
}

module.exports = { Handles, MissingHandles }
