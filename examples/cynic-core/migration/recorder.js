'use strict'

// Watches a bus in a running application, on either base class: the numbers to keep before a migration and to compare
// with afterwards.

const { performance, createHistogram } = require('node:perf_hooks')
const { ParallelEventBus } = require('@cynic/parallel-event-bus')

const NS_PER_MS = 1e6
const MIB = 2 ** 20

class Recorder {
  #bus
  #emit
  #start = performance.now()
  #failedBefore
  #waits = createHistogram()
  #thrown = 0
  #calls = 0
  /** How many events had so many listeners. */
  #distribution = new Map()

  constructor(bus) {
    this.#bus = bus
    this.#emit = bus.emit
    this.#failedBefore = failuresOf(bus)
    const recorder = this
    bus.emit = function emit(event, ...args) {
      return recorder.#record(this, event, args)
    }
  }

  /** Returns the record since the start. Times in ms, memory in MiB. */
  report() {
    const failures = this.#thrown + failuresOf(this.#bus) - this.#failedBefore
    const { heapUsed, rss } = process.memoryUsage()
    return {
      events: this.#waits.count,
      eventsPerSecond: (1000 * this.#waits.count) / (performance.now() - this.#start),
      emit: { p50: this.#at(50), p90: this.#at(90), p99: this.#at(99), max: this.#at(100) },
      listeners: Object.fromEntries([...this.#distribution].sort(([a], [b]) => a - b)),
      failureRate: this.#calls === 0 ? 0 : failures / this.#calls,
      memory: { heap: heapUsed / MIB, resident: rss / MIB },
    }
  }

  /** Leaves the bus as it was. */
  stop() {
    delete this.#bus.emit
    if (this.#bus.emit !== this.#emit) this.#bus.emit = this.#emit
  }

  #record(bus, event, args) {
    const listeners = bus.listenerCount(event)
    this.#calls += listeners
    this.#distribution.set(listeners, (this.#distribution.get(listeners) ?? 0) + 1)
    const start = performance.now()
    try {
      return this.#emit.call(bus, event, ...args)
    } catch (error) {
      this.#thrown++
      throw error
    } finally {
      this.#waits.record(Math.max(1, Math.round((performance.now() - start) * NS_PER_MS)))
    }
  }

  #at(percentile) {
    return this.#waits.count === 0 ? 0 : this.#waits.percentile(percentile) / NS_PER_MS
  }
}

/** Returns the bus's own count, also where the class has another `getStats`. An EventEmitter throws instead. */
function failuresOf(bus) {
  return bus instanceof ParallelEventBus ? ParallelEventBus.prototype.getStats.call(bus).listenersFailed : 0
}

/**
 * Records the work of a bus from now on: `report()` tells, `stop()` ends it.
 *
 * @param {import('node:events').EventEmitter} bus
 */
function record(bus) {
  return new Recorder(bus)
}

module.exports = { record }
