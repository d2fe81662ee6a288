'use strict'

// A burst: events of this thread that were published and have not crossed into the engine. They cross many at once.
//
// A crossing, with the work of the engine then, costs nearly half as much as encoding a small event. An event alone
// crosses at once. Where several do in a short time, the next ones are written down until the turn is over. Their
// payloads stay where they were encoded, one behind the other, and here is a record of each. They cross when there are
// enough of them, and with the next event that crosses alone. If the thread blocks in the middle, the engine fetches
// them: twice a millisecond, and before any listener is added or removed. `src/node/protocol.rs` draws the records.

const { performance } = require('node:perf_hooks')
const native = require('../native.js')
const runQueue = require('../local/run-queue.js')
const { NativePromise } = require('../promises.js')
const { BURST_COUNT, BURST_FIRST, BURST_GENERATION, BURST_RECORD } = require('./protocol.js')

/** Number of events that begin a burst where they cross alone within BEGINNING_MS. */
const BEGINNING = 16
const BEGINNING_MS = 0.5
/** The number of events that are written down before they cross, and the bytes of their payloads. */
const MOST_RECORDS = 32
const MOST_BYTES = 16_384

class Burst {
  /** True while events are to be written down where they can be. */
  isOpen = false
  #thread
  #words = new Uint32Array(new SharedArrayBuffer(4 * (BURST_FIRST + BURST_RECORD * MOST_RECORDS)))
  /** Number of events that crossed alone since a time, in milliseconds. */
  #since = 0
  #alone = 0

  constructor(thread) {
    this.#thread = thread
    native.lendRecords(thread, this.#words)
  }

  get isEmpty() {
    return this.#words[BURST_COUNT] === 0
  }

  /**
   * The generation of listeners: how often they have changed. Knowledge of an earlier generation is out of date. A plain
   * read will do: a thread that knows of another thread's change has synchronised with it.
   */
  get generation() {
    return this.#words[BURST_GENERATION]
  }

  /** Writes an event down. Its payload lies in the lent buffer, and stays there until `isEmpty`. */
  add(route, start, end) {
    const words = this.#words
    const count = words[BURST_COUNT]
    const at = BURST_FIRST + BURST_RECORD * count
    words[at] = route
    words[at + 1] = start
    words[at + 2] = end
    // No other thread may see the number before the rest.
    Atomics.store(words, BURST_COUNT, count + 1)
    if (count + 1 === MOST_RECORDS || end > MOST_BYTES) native.flushBurst(this.#thread, 0)
  }

  /** Counts an event that crossed alone. */
  crossed() {
    if (this.isOpen || ++this.#alone < BEGINNING) return
    const now = performance.now()
    if (now - this.#since < BEGINNING_MS && !runQueue.exiting) this.#open()
    this.#alone = 0
    this.#since = now
  }

  #open() {
    this.isOpen = true
    native.beginBurst(this.#thread)
    // Not `queueMicrotask`, which Jest's mock timers hold back.
    NativePromise.resolve().then(this.close)
  }

  /** Ends the burst, with the turn. */
  close = () => {
    if (!this.isOpen) return
    this.isOpen = false
    native.flushBurst(this.#thread, 1)
  }
}

module.exports = { Burst }
