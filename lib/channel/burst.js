'use strict'

// Events of this thread that were emitted and have not crossed into the engine: in a burst they cross many at once.
//
// To cross, and what the engine does then, costs nearly half as much as to encode a small event. An event alone crosses
// at once. Where several do in a short time, the next ones are written down until the turn is over: their payloads stay
// where they were encoded, one behind the other, and here is a record of each. They cross when there are enough of them,
// and with whatever crosses next. If the thread blocks in the middle, the engine fetches them: twice a millisecond, and
// before anybody begins or ceases to listen. `src/core/unsent.rs` is the other side, and `src/node/records.rs` says how
// the words are laid out.

const { performance } = require('node:perf_hooks')
const native = require('../native.js')
const outbox = require('../local/run-queue.js')

/** So many events that cross alone, in so short a time, are the beginning of a burst. */
const BURST = 16
const BURST_MS = 0.5
/** So many are written down before they cross; and no more once so many bytes of the encoder's buffer are used. */
const MOST_RECORDS = 32
const MOST_BYTES = 16_384

const COUNT = 0
const CHANGES = 1
const FIRST = 2
const RECORD = 3

class Unsent {
  /** A burst is on: what can be written down should be. */
  isOpen = false
  #thread
  #words = new Uint32Array(new SharedArrayBuffer(4 * (FIRST + RECORD * MOST_RECORDS)))
  /** Since when how many crossed alone. */
  #since = 0
  #alone = 0

  constructor(thread) {
    this.#thread = thread
    native.lendRecords(thread, this.#words)
  }

  get isEmpty() {
    return this.#words[COUNT] === 0
  }

  /**
   * How often listeners have changed. What was known of them before is known no longer. Read as it is: whoever has a
   * way to know that another thread has changed them has synchronised with it.
   */
  get changes() {
    return this.#words[CHANGES]
  }

  /** Writes an event down. Its payload lies in the lent buffer, and stays there until `isEmpty`. */
  add(route, start, end) {
    const words = this.#words
    const count = words[COUNT]
    const at = FIRST + RECORD * count
    words[at] = route
    words[at + 1] = start
    words[at + 2] = end
    // Nobody may see the number before the rest.
    Atomics.store(words, COUNT, count + 1)
    if (count + 1 === MOST_RECORDS || end > MOST_BYTES) native.flushBurst(this.#thread, 0)
  }

  /** An event crossed alone. */
  crossed() {
    if (this.isOpen || ++this.#alone < BURST) return
    const now = performance.now()
    if (now - this.#since < BURST_MS && !outbox.exiting) this.#open()
    this.#alone = 0
    this.#since = now
  }

  #open() {
    this.isOpen = true
    native.beginBurst(this.#thread)
    // Not `queueMicrotask`, which Jest's mock timers hold back.
    Promise.resolve().then(this.close)
  }

  /** The burst is over, with the turn. */
  close = () => {
    if (!this.isOpen) return
    this.isOpen = false
    native.flushBurst(this.#thread, 1)
  }
}

module.exports = { Unsent }
