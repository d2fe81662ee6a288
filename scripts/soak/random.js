'use strict'

// Random numbers that a seed determines.

class Random {
  #state

  /** @param {number} seed any integer */
  constructor(seed) {
    this.#state = seed >>> 0
  }

  /** From 0 up to 1, which is not reached. (The generator is mulberry32.) */
  next() {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }

  /** An integer, both ends included. */
  integer(least, most) {
    return least + Math.floor(this.next() * (most - least + 1))
  }

  chance(probability) {
    return this.next() < probability
  }

  of(list) {
    return list[this.integer(0, list.length - 1)]
  }

  /** A key of `weights`, as often as its weight is heavy. */
  weighted(weights) {
    const entries = Object.entries(weights)
    let left = this.next() * entries.reduce((sum, [, weight]) => sum + weight, 0)
    for (const [key, weight] of entries) {
      left -= weight
      if (left < 0) return key
    }
    return entries.at(-1)[0]
  }

  /** A seed for somebody else. */
  seed() {
    return this.integer(0, 2 ** 31 - 1)
  }
}

module.exports = { Random }
