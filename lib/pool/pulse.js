'use strict'

// Whether a thread is stuck in one turn of its event loop. The thread beats, in memory that both sides share, whenever its
// loop turns; its owner looks. A thread that spins with nothing waiting is found like any other.

/** Number of beats, and of looks, in the time that is allowed. */
const BEATS = 8
/** In milliseconds. */
const LONGEST_BEAT = 1000

/** Returns the milliseconds between two beats, and two looks, for the time that a turn may take. */
function beatFor(limit) {
  return Math.max(1, Math.min(limit / BEATS, LONGEST_BEAT))
}

class Pulse {
  /** @type {Int32Array} the number of beats, for the thread to count */
  beats = new Int32Array(new SharedArrayBuffer(4))
  #limit
  #every
  #last = 0
  #lookedAt
  #silence = 0

  /**
   * @param {number} limit milliseconds that one turn may take
   * @param {number} now in milliseconds
   */
  constructor(limit, now) {
    this.#limit = limit
    this.#every = beatFor(limit)
    this.#lookedAt = now
  }

  /** Milliseconds from one beat to the next. */
  get every() {
    return this.#every
  }

  /** Looks for a beat. Returns true if one turn has taken longer than it may. */
  look(now) {
    const beats = Atomics.load(this.beats, 0)
    // A process that was suspended, or an owner that was blocked, has not seen the thread in that time.
    const passed = Math.min(now - this.#lookedAt, 2 * this.#every)
    this.#silence = beats === this.#last ? this.#silence + passed : 0
    this.#last = beats
    this.#lookedAt = now
    return this.isStuck
  }

  /** True if it was so at the last look. The turn may have begun just before the next beat was due. */
  get isStuck() {
    return this.#silence >= this.#limit + this.#every
  }
}

module.exports = { Pulse, beatFor }
