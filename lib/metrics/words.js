'use strict'

// The numbers that a thread counts for the events of one name, in one array of doubles. On a channel the engine has it, too,
// so that any thread can read it at any time, also while this one is stuck or has ended: every number is a sum.
//
// First the counts. Then, where times are recorded, a histogram of the wait and one of the run: the sum in milliseconds,
// and a count for each bucket. The buckets are those of HdrHistogram: powers of two of an eighth of a microsecond, each in 16
// equal parts. So a time is known to 6 %, from 2 µs on. One of more than
// 38 hours counts as 38 hours.

/** Places of counts. Of events of this bus, and of its own listeners that they were addressed to. */
const EMITTED = 0
const UNHEARD = 1
const ADDRESSED = 2
/** Listeners of events that are over, those that failed and those that were cancelled included. */
const SETTLED = 3
const FAILED = 4
const TIMED_OUT = 5
const CANCELLED = 6
/** Number of counts of a bus without a channel. V8 keeps so few doubles in its heap, where they cost little. */
const COUNTS_HERE = 7
/** Of events of other buses: events that have begun and ended here, listeners that have settled, and that failed. */
const STARTED = 7
const FINISHED = 8
const HEARD = 9
const HEARD_FAILED = 10
const COUNTS = 11

const UNITS_PER_MS = 8000
const PARTS = 16
/** Number of buckets, up to 2 ** 40 units: 38 hours. */
const BUCKETS = 37 * PARTS

const WAIT = COUNTS
const RUN = WAIT + 1 + BUCKETS
const ALL = RUN + 1 + BUCKETS

/** Adds a time to a histogram that begins at a place. */
function record(words, at, ms) {
  // Clocks of two threads may differ by less than they can tell.
  let units = ms > 0 ? ms * UNITS_PER_MS : 0
  let row = 0
  if (units >= 2 ** 31) {
    units /= 2 ** 16
    row = 16
  }
  let part = Math.min(units, 2 ** 31 - 1) | 0
  if (part >= PARTS) {
    const shift = 27 - Math.clz32(part)
    row += shift
    part >>= shift
  }
  words[at] += Math.max(0, ms)
  words[at + 1 + Math.min(row * PARTS + part, BUCKETS - 1)]++
}

/** Returns the least time of a bucket, in milliseconds. */
function startOf(bucket) {
  const row = Math.max(0, Math.floor(bucket / PARTS) - 1)
  return ((bucket - row * PARTS) * 2 ** row) / UNITS_PER_MS
}

module.exports = {
  EMITTED,
  UNHEARD,
  ADDRESSED,
  SETTLED,
  FAILED,
  TIMED_OUT,
  CANCELLED,
  STARTED,
  FINISHED,
  HEARD,
  HEARD_FAILED,
  COUNTS,
  COUNTS_HERE,
  BUCKETS,
  WAIT,
  RUN,
  ALL,
  record,
  startOf,
}
