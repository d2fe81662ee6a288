'use strict'

// How a bus does: events per second of late, and how long handlers take, from the publishing to their end.

const { createHistogram } = require('node:perf_hooks')

const NS_PER_MS = 1e6
const MS_PER_SECOND = 1000

class Health {
  #now
  #seconds
  #since
  #latencies = createHistogram()
  /** How many events each second had; those that have passed are dropped. */
  #counts = new Map()

  /** @param {{ now: () => number, seconds?: number }} options a clock in ms, and how many seconds are "of late" */
  constructor({ now, seconds = 10 }) {
    this.#now = now
    this.#seconds = seconds
    this.#since = now()
  }

  published() {
    const second = this.#second()
    if (!this.#counts.has(second)) this.#forget(second)
    this.#counts.set(second, (this.#counts.get(second) ?? 0) + 1)
  }

  handled(ms) {
    this.#latencies.record(Math.max(1, Math.round(ms * NS_PER_MS)))
  }

  /** Latencies in ms; 0 before the first. */
  report() {
    this.#forget(this.#second())
    const events = [...this.#counts.values()].reduce((sum, count) => sum + count, 0)
    const seconds = Math.min(this.#seconds, Math.max(1, (this.#now() - this.#since) / MS_PER_SECOND))
    return { eventsPerSecond: events / seconds, handled: this.#latencies.count, p50: this.#at(50), p95: this.#at(95) }
  }

  #at(percentile) {
    return this.#latencies.count === 0 ? 0 : this.#latencies.percentile(percentile) / NS_PER_MS
  }

  #second() {
    return Math.floor(this.#now() / MS_PER_SECOND)
  }

  #forget(now) {
    for (const second of this.#counts.keys()) if (second <= now - this.#seconds) this.#counts.delete(second)
  }
}

module.exports = { Health }
