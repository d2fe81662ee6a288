'use strict'

// Acknowledgements of batched events: collected as ranges, and handed to the engine many at a time.

const native = require('../native.js')
const runQueue = require('../local/run-queue.js')
const { NativePromise } = require('../promises.js')
const { ACK_WORDS } = require('./protocol.js')

/** Number of words of ranges that are collected before they are handed over. */
const MOST_WORDS = 1024 * ACK_WORDS

class Acks {
  #thread
  #turned
  #words = new Uint32Array(MOST_WORDS)
  #used = 0

  /** @param {() => void} turned ends a turn outside of a drain, and flushes */
  constructor(thread, turned) {
    this.#thread = thread
    this.#turned = turned
  }

  /** Acknowledges one event of a batch: its listeners are done. The engine learns of it with the next flush. */
  add(batch, index, failed) {
    const words = this.#words
    const last = this.#used - ACK_WORDS
    const isNext = last >= 0 && words[last] === batch && words[last + 1] + words[last + 2] === index
    // Failures are told event by event: the events of a range may have different names.
    if (isNext && failed === 0 && words[last + 3] === 0) {
      words[last + 2]++
      return
    }
    if (this.#used === MOST_WORDS) this.flush()
    // A drain turns at its end. A listener with a promise is done outside of any drain. Not by `queueMicrotask`, which
    // Jest's mock timers hold back.
    if (this.#used === 0 && runQueue.current === null) NativePromise.resolve().then(this.#turned)
    words[this.#used++] = batch
    words[this.#used++] = index
    words[this.#used++] = 1
    words[this.#used++] = failed
  }

  flush() {
    if (this.#used === 0) return
    native.settle(this.#thread, this.#words, this.#used)
    this.#used = 0
  }
}

module.exports = { Acks }
