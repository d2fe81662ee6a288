'use strict'

// The handles of this thread's events that have not settled: see `handles.js`.

const { threadId } = require('node:worker_threads')
const { NativePromise } = require('../promises.js')
const { FORGET, GONE, PAIR, SENT, close, portsOf } = require('./handle-posts.js')
const { addTo } = require('./waiting.js')

/** Number of settled events for which a thread may still have handles. */
const MOST_UNSEEN = 4096

class SentHandles {
  #posts
  /** The endpoint of this thread. */
  #own
  /**
   * By number: the objects, and to which endpoints they went, by a pair or not.
   *
   * @type {Map<number, { objects: object[], ports: MessagePort[], isAsked: boolean, haveMoved: boolean, to: Map<number, boolean> }>}
   */
  #sent = new Map()
  /** @type {Map<number, number>} their numbers, by the token of the dispatch */
  #numbers = new Map()
  /** @type {Map<number, number>[]} numbers that other threads are to forget, by endpoint: by the door, and by pairs */
  #settled = [new Map(), new Map()]
  /** @type {Map<number, number>} number of settled events that other threads may not have forgotten, by endpoint */
  #unseen = new Map()

  /** @param {import('./posts.js').Posts} posts */
  constructor(own, posts) {
    this.#own = own
    this.#posts = posts
  }

  #post(endpoint, kind, ...rest) {
    return this.#posts.post(endpoint, [kind, this.#own, threadId, ...rest])
  }

  /**
   * Sends the handles of an event, which is to be dispatched with this token, to the threads that listen.
   *
   * @param {{ number: number, objects: object[] }} handles
   * @param {number[]} endpoints
   */
  send(token, { number, objects }, endpoints) {
    const to = new Map()
    const ports = portsOf(objects)
    this.#sent.set(number, { objects, ports, isAsked: false, haveMoved: false, to })
    this.#numbers.set(token, number)
    if (ports.length > 0) return
    for (const endpoint of endpoints) if (endpoint !== this.#own) this.#sendTo(endpoint, number, objects, to)
  }

  #sendTo(endpoint, number, objects, to) {
    const unseen = this.#unseen.get(endpoint)
    if (unseen >= MOST_UNSEEN) return
    const hasPair = this.#posts.hasPair(endpoint)
    if (unseen === undefined) {
      this.#unseen.set(endpoint, 0)
      if (!hasPair) this.#post(endpoint, PAIR)
    }
    if (this.#post(endpoint, SENT, number, objects)) to.set(endpoint, hasPair)
  }

  /** A dispatch has gone to no other bus: its handles are as if it had not been. */
  retract(token) {
    this.#sent.delete(this.#numbers.get(token))
    this.#numbers.delete(token)
  }

  /** A dispatch has settled, or nobody got it: its handles are not needed. */
  settled(token) {
    const number = this.#numbers.get(token)
    if (number === undefined) return
    this.#numbers.delete(token)
    const { ports, haveMoved, to } = this.#sent.get(number)
    this.#sent.delete(number)
    if (!haveMoved) close(ports)
    const [byDoor, byPair] = this.#settled
    if (to.size > 0 && byDoor.size + byPair.size === 0) NativePromise.resolve().then(this.#tellSettled)
    for (const [endpoint, hasPair] of to) addTo(hasPair ? byPair : byDoor, endpoint, number)
  }

  #tellSettled = () => {
    for (const [index, settled] of this.#settled.entries()) {
      for (const [endpoint, numbers] of settled) {
        this.#posts.post(endpoint, [FORGET, this.#own, threadId, numbers], index === 1)
        this.#unseen.set(endpoint, (this.#unseen.get(endpoint) ?? 0) + numbers.length)
      }
      settled.clear()
    }
  }

  /** Returns clones of the objects of a message, or the ports, which go once; null where it is not here, or they are gone. */
  get(number) {
    const sent = this.#sent.get(number)
    if (sent === undefined) return null
    const { objects, ports } = sent
    if (ports.length === 0) return { objects: structuredClone(objects), ports: null }
    if (!sent.isAsked || sent.haveMoved) return null
    sent.haveMoved = true
    return { objects, ports }
  }

  has(number) {
    return this.#sent.has(number)
  }

  /** Returns true for an event of this thread with ports. */
  hasPorts(number) {
    return this.#sent.get(number)?.ports.length > 0
  }

  /** Another bus of this thread is to get them. */
  askHere(number) {
    const sent = this.#sent.get(number)
    if (sent !== undefined) sent.isAsked = true
  }

  /** Another thread asks for them, and has opened an end for the answer. */
  hearAsk(endpoint, number) {
    this.#posts.openTo(endpoint)
    const sent = this.#sent.get(number)
    if (sent === undefined || sent.haveMoved || !this.#sendAsked(endpoint, number, sent)) {
      this.#post(endpoint, GONE, number)
    } else {
      sent.to.set(endpoint, true)
    }
  }

  /** Returns false where a port cannot be moved: it was closed in the meantime. */
  #sendAsked(endpoint, number, sent) {
    const { objects, ports } = sent
    if (ports.length === 0) return this.#post(endpoint, SENT, number, objects)
    sent.haveMoved = true
    try {
      this.#posts.move(endpoint, [SENT, this.#own, threadId, number, objects], ports)
      return true
    } catch {
      return false
    }
  }

  /** Another thread has forgotten so many more. */
  hearSeen(endpoint, count) {
    this.#unseen.set(endpoint, Math.max(0, (this.#unseen.get(endpoint) ?? 0) - count))
  }

  /** An endpoint has ended. */
  forgetEndpoint(endpoint) {
    this.#unseen.delete(endpoint)
  }
}

module.exports = { SentHandles }
