'use strict'

// The rounds of a pool, which looks at its threads now and then: is one stuck in a turn, are they too few, are they too many.
// A pool of a fixed number of threads that may take as long as they like makes none.

const { clearTimeout, setTimeout } = require('node:timers')
const { performance } = require('node:perf_hooks')
const { beatFor } = require('./pulse.js')

/** Milliseconds between two looks for a crowd, while there is something to do, and while there is not. */
const BUSY = 10
const QUIET = 50

class Rounds {
  #size
  #terminateAfter
  #pool
  #timer

  /**
   * @param {import('./size.js').Size} size
   * @param {number | undefined} terminateAfter milliseconds that one turn may take
   * @param {object} pool its threads and their loads, and the calls for what is found
   */
  constructor(size, terminateAfter, pool) {
    this.#size = size
    this.#terminateAfter = terminateAfter
    this.#pool = pool
  }

  start() {
    if (!this.#size.isFixed || this.#terminateAfter !== undefined) this.#next(QUIET)
  }

  stop() {
    clearTimeout(this.#timer)
  }

  #next(pause) {
    const beat = this.#terminateAfter === undefined ? Infinity : beatFor(this.#terminateAfter)
    this.#timer = setTimeout(() => this.#look(), Math.min(pause, beat))
    this.#timer.unref()
  }

  #look() {
    const now = performance.now()
    for (const thread of this.#pool.running()) {
      if (thread.pulse?.look(now) && !thread.isStuck) this.#pool.onStuck(thread)
    }
    this.#next(this.#size.isFixed ? Infinity : this.#fit(now))
  }

  /** Starts and ends threads. Returns the time until the next look. */
  #fit(now) {
    const loads = this.#pool.loads()
    const { more, idle } = this.#size.look(now, loads, this.#pool.starting())
    if (more > 0) this.#pool.onMore(more)
    if (idle.length > 0) this.#pool.onIdle(idle)
    return loads.some(({ inFlight }) => inFlight > 0) ? BUSY : QUIET
  }
}

module.exports = { Rounds }
