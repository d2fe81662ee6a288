'use strict'

// The numbers of a bus and its channel as series, for systems that store numbers: what they are called is theirs.

const { whereIs } = require('../channel/foreign.js')
const { countsOf } = require('../metrics/report.js')
const { OTHERS, survey } = require('../metrics/survey.js')
const { countOf, countsUpTo } = require('../metrics/times.js')
const { COUNTS, RUN, WAIT } = require('../metrics/words.js')
const { METRICS } = require('../pool/pool.js')

const MS = 1e-3

/** The outcomes of listeners, as they are called outside, by their names in metrics. */
const OUTCOMES = {
  delivered: 'delivered',
  failed: 'failed',
  timedOut: 'timed_out',
  refused: 'refused',
  lost: 'lost',
  cancelled: 'cancelled',
}

/**
 * @param {object} state of a bus
 * @param {number[]} bounds of the buckets of times, in seconds
 */
function seriesOf({ tracker, pools }, bounds) {
  const { events, threads } = survey(tracker)
  return {
    events: events.map(({ name = OTHERS, own, fates }) => ({
      event: name,
      counts: countsOf({ own, fates }),
      wait: histogramOf(own, WAIT, bounds),
      run: histogramOf(own, RUN, bounds),
    })),
    threads: threads.map(threadOf),
    pools: Array.from(pools, (pool) => pool[METRICS]),
  }
}

/** Returns the counts of times up to each bound, of all, and their sum; null where no times are recorded. */
function histogramOf(own, at, bounds) {
  if (own.length <= COUNTS) return null
  const upTo = bounds.map((bound) => bound / MS)
  return { counts: countsUpTo(upTo, own, at), count: countOf(own, at), sum: own[at] * MS }
}

function threadOf({
  threadId,
  received,
  inFlight,
  running,
  runningByEvent,
  queuedBytes,
  maxQueued,
  stalledFor,
  age,
  idle,
}) {
  const { threadId: thread, peer } = whereIs(threadId)
  return {
    thread,
    peer,
    received,
    running,
    runningByEvent,
    queued: Math.max(0, inFlight - running),
    queuedBytes,
    maxQueued,
    stalled: stalledFor * MS,
    busy: idle === undefined ? undefined : Math.max(0, age - idle) * MS,
  }
}

module.exports = { OUTCOMES, seriesOf }
