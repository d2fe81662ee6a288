'use strict'

// The wait of a bus for threads that listen to an event. The engine gives notice of each new listener of an event for
// which a bus waits, so that nobody has to look again and again.

const native = require('../native.js')
const { BusClosedError } = require('../errors.js')
const { Deferred } = require('../promises.js')
const { onAbort } = require('../listeners/abort.js')
const { toEngine } = require('./names.js')

class AwaitedListeners {
  #thread
  #id
  /** @type {Map<string, Set<{ threads: number, settled: Deferred }>>} waits by event */
  #waits = new Map()

  /** @param {number} thread @param {number} id the bus's place in its channel */
  constructor(thread, id) {
    this.#thread = thread
    this.#id = id
  }

  /** Resolves when so many threads listen to the event. Rejects with the reason of an abort. */
  async wait(event, threads, signal) {
    if (signal?.aborted) throw signal.reason
    const wait = { threads, settled: new Deferred() }
    if (!this.#waits.has(event)) this.#waits.set(event, new Set())
    this.#waits.get(event).add(wait)
    const release = signal && onAbort(signal, () => wait.settled.reject(signal.reason))
    try {
      this.#look(event)
      await wait.settled.promise
    } finally {
      release?.()
      this.#forget(event, wait)
    }
  }

  /** Looks again, for every event: somebody has begun to listen to one of them. */
  look() {
    for (const event of this.#waits.keys()) this.#look(event)
  }

  #look(event) {
    const threads = native.awaitListeners(this.#thread, this.#id, toEngine(event))
    for (const wait of this.#waits.get(event)) if (threads >= wait.threads) wait.settled.resolve()
  }

  #forget(event, wait) {
    const waits = this.#waits.get(event)
    if (waits === undefined) return
    waits.delete(wait)
    if (waits.size > 0) return
    this.#waits.delete(event)
    native.awaitNoListeners(this.#thread, this.#id, toEngine(event))
  }

  /** Ends all waits: the bus is closed. */
  close() {
    const waits = Array.from(this.#waits)
    this.#waits.clear()
    for (const [event, each] of waits) for (const { settled } of each) settled.reject(new BusClosedError(event))
  }
}

module.exports = { AwaitedListeners }
