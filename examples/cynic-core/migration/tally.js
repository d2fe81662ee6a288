'use strict'

// Counts the calls of a workload's listeners one by one, so that a missing call cannot hide behind a repeated one.

class Tally {
  #listeners
  #emitted = 0
  /** Number of calls, by event and listener. Clamped: a call that is repeated without end does not become 0. */
  #calls
  /** Number of the event that each listener has to hear next. */
  #next
  #disordered = 0
  #failed = 0

  /** @param {{ events: number, listeners: number }} size number of events that will be emitted at most */
  constructor({ events, listeners }) {
    this.#listeners = listeners
    this.#calls = new Uint8ClampedArray(events * listeners)
    this.#next = new Array(listeners).fill(0)
  }

  /** Number of calls that have to be made for the emitted events. */
  get expected() {
    return this.#emitted * this.#listeners
  }

  /** Notes an event, and returns its number. */
  emitted() {
    return this.#emitted++
  }

  /** Notes a call. An event that has lost its data has the number NaN, and counts as missing and out of order. */
  called(listener, event) {
    if (event !== this.#next[listener]) this.#disordered++
    this.#next[listener] = event + 1
    this.#calls[event * this.#listeners + listener]++
  }

  failed() {
    this.#failed++
  }

  /** `reached[n]` is the number of events that n listeners were called for. */
  report() {
    const reached = new Array(this.#listeners + 1).fill(0)
    let missing = 0
    let repeated = 0
    for (let event = 0; event < this.#emitted; event++) {
      const calls = this.#calls.subarray(event * this.#listeners, (event + 1) * this.#listeners)
      const called = calls.reduce((count, each) => (each > 0 ? count + 1 : count), 0)
      reached[called]++
      missing += this.#listeners - called
      repeated += calls.reduce((count, each) => (each > 1 ? count + each - 1 : count), 0)
    }
    const { expected } = this
    return { expected, missing, repeated, disordered: this.#disordered, failed: this.#failed, reached }
  }
}

module.exports = { Tally }
