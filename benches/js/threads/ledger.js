'use strict'

// Counts of threads, in memory that all of them see: the proof that each of them heard every event, and the way in which
// the last one knows that it is the last. The same for all contestants, so that none has a cheaper way to say so.

/** The kinds of counts: the ways on which a thread hears of something. */
const WAYS = ['bus', 'broadcast', 'port', 'echo']
/** In words. A cache line for each thread, so that they do not get in each other's way. */
const LINE = 16
/** The first line: the number of threads that have finished, then the goals of each, way by way. */
const FINISHED = 0
const FIRST_TARGET = 1

class Ledger {
  #words
  #threads

  /** @param {SharedArrayBuffer} memory from `memoryFor` */
  constructor(memory) {
    this.#words = new Int32Array(memory)
    this.#threads = this.#words.length / LINE - 1
  }

  static memoryFor(threads) {
    return new SharedArrayBuffer((1 + threads) * LINE * Int32Array.BYTES_PER_ELEMENT)
  }

  /** Before they are sent: each thread will hear of so many more on a way. Nothing else is expected meanwhile. */
  expect(way, count) {
    this.#words[FINISHED] = 0
    this.#words[FIRST_TARGET + WAYS.indexOf(way)] += count
  }

  /** Returns a function that a thread calls for everything it hears on a way. The last call calls `finished`. */
  counting(thread, way, finished) {
    const words = this.#words
    const at = (1 + thread) * LINE + WAYS.indexOf(way)
    const target = FIRST_TARGET + WAYS.indexOf(way)
    return (count) => {
      words[at] += count
      if (words[at] === words[target] && Atomics.add(words, FINISHED, 1) + 1 === this.#threads) finished()
    }
  }

  /** One for each thread, as `race` takes them. */
  counters(way) {
    const words = this.#words
    return Array.from({ length: this.#threads }, (_, thread) => ({
      get calls() {
        return words[(1 + thread) * LINE + WAYS.indexOf(way)]
      },
    }))
  }
}

module.exports = { Ledger }
