'use strict'

// The times of an event: its wait, from the emit to the start of its listeners, and its run, from there until all of them
// have settled. It stands before the outcome of an emission, so no kind of emission knows of it.
//
// To read the clock costs more than all the rest. Emissions start one behind the other, so the end of one is the start of
// the next, and the clock is read once for both.

const { performance } = require('node:perf_hooks')
const { keep } = require('../kept.js')
const { OutcomeBefore } = require('../local/outcome.js')
const runQueue = require('../local/run-queue.js')
const { RUN, WAIT, record } = require('./words.js')

/** The clock of the process in milliseconds: that of this thread, and this much. */
const OFFSET = offset()

/** Reads both clocks some times: between two readings the thread may lose its processor. */
function offset() {
  let best = { took: Number.POSITIVE_INFINITY, offset: 0 }
  for (let left = 7; left > 0; left--) {
    const before = performance.now()
    const ofProcess = processNow()
    const took = performance.now() - before
    if (took < best.took) best = { took, offset: ofProcess - before - took / 2 }
  }
  return best.offset
}

function processNow() {
  return Number(process.hrtime.bigint()) / 1e6
}

/** In the place of the time of an emit that is not known. */
const UNKNOWN = -1

/** The last reading that was also the end of an emission, and the emission that starts with it. */
const last = { time: 0, turn: -1, next: -1 }

/** Returns the time by the clock of the process, for other threads. */
function now() {
  return performance.now() + OFFSET
}

/** Returns the time here for one by the clock of the process; UNKNOWN for undefined. */
function hereOf(time) {
  return time === undefined ? UNKNOWN : time - OFFSET
}

class TimedOutcome extends OutcomeBefore {
  #words
  #emittedAt
  #startedAt = UNKNOWN

  /** @param {number} emittedAt by `performance.now()`, or UNKNOWN */
  constructor(words, next, emittedAt) {
    super(next)
    this.#words = words
    this.#emittedAt = emittedAt
  }

  begin() {
    const isNow = last.next === runQueue.started && last.turn === runQueue.turn
    this.#startedAt = isNow ? last.time : performance.now()
    if (this.#emittedAt >= 0) record(this.#words, WAIT, this.#startedAt - this.#emittedAt)
    super.begin()
  }

  settle(count) {
    // An event that was cancelled or late has not begun.
    if (this.#startedAt >= 0) {
      const time = performance.now()
      record(this.#words, RUN, time - this.#startedAt)
      if (runQueue.current?.outcome === this) {
        last.time = time
        last.turn = runQueue.turn
        last.next = runQueue.started + 1
      }
    }
    super.settle(count)
  }
}

keep(() => [new TimedOutcome(new Float64Array(0), null, UNKNOWN)])

module.exports = { TimedOutcome, hereOf, now }
