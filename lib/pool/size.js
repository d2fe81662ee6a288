'use strict'

// The number of threads of a pool, between its bounds: one more where there is more to do than the threads take, one
// less where a thread has had nothing to do for long. It knows the time and the loads that it is told, and nothing else.

/**
 * The load of a thread.
 *
 * @typedef {object} Load
 * @property {object} thread
 * @property {number} inFlight number of its events that have not settled, queued ones included
 * @property {number} looks number of times that it has looked for events
 */

class Size {
  #min
  #max
  #idleTimeout
  #takes
  #wasCrowded = false
  /** @type {WeakMap<object, { looks: number, since: number }>} since when a thread has not looked for events */
  #idle = new WeakMap()

  /**
   * @param {{ min: number, max: number, idleTimeout: number, takes: number }} bounds in threads and milliseconds; `takes` is
   * the number of events that a thread takes
   */
  constructor({ min, max, idleTimeout, takes }) {
    this.#min = min
    this.#max = max
    this.#idleTimeout = idleTimeout
    this.#takes = takes
  }

  get min() {
    return this.#min
  }

  get max() {
    return this.#max
  }

  get isFixed() {
    return this.#min === this.#max
  }

  /**
   * Returns how many threads to start, and which ones to end.
   *
   * @param {number} now in milliseconds
   * @param {Load[]} loads of the ready threads
   * @param {number} starting number of threads that are not ready yet
   */
  look(now, loads, starting) {
    return { more: this.#more(loads, starting), idle: this.#tooMany(now, loads) }
  }

  /** A crowd counts that was there at the last look, too: a burst of short events is over by then. */
  #more(loads, starting) {
    const threads = loads.length + starting
    const waiting = loads.reduce((sum, { inFlight }) => sum + inFlight, 0) - threads * this.#takes
    const wasCrowded = this.#wasCrowded
    this.#wasCrowded = waiting > 0
    return wasCrowded ? Math.max(0, Math.min(Math.ceil(waiting / this.#takes), this.#max - threads)) : 0
  }

  #tooMany(now, loads) {
    const idle = loads.filter((load) => this.#isIdle(now, load)).map(({ thread }) => thread)
    return idle.slice(0, Math.max(0, loads.length - this.#min))
  }

  #isIdle(now, { thread, inFlight, looks }) {
    const last = this.#idle.get(thread)
    if (inFlight === 0 && last?.looks === looks) return now - last.since >= this.#idleTimeout
    this.#idle.set(thread, { looks, since: now })
    return false
  }
}

module.exports = { Size }
