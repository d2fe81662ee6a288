'use strict'

// The success criteria of a migration, and whether the results of a check meet them. A bus that calls no listener, or
// not all of them, meets none: a lost event was neither quick nor without errors.

const { BOUNDS, growthOf, isStable } = require('./memory.js')
const { bySide, failuresOf, lessBy, tallyOf, timesOf, wholeTallyOf } = require('./summary.js')

const LEAST_REDUCTION = 30
/** By how much the last listener may settle later than before: in percent, by percentile, and in ms beside that. */
const MOST_LATER = { p50: 10, p90: 50 }
const MOST_LATER_MS = 1
const MIB = 2 ** 20
const MISSING = 'not measured, because calls of listeners are missing'
const WORK = { cpu: 'that compute', wait: 'that wait' }

/** @returns {{ name: string, met: boolean, numbers: string }[]} */
function criteriaOf(results) {
  return [emitterWait(results), delivery(results), errors(results), losses(results), memory(results)]
}

/** Of the median. Every event has to have arrived, on both sides: else there is nothing to compare. */
function emitterWait(results) {
  const name = `emit waits less by more than ${LEAST_REDUCTION} %`
  if (!isDelivered(results)) return { name, met: false, numbers: MISSING }
  const rows = results.latency.filter(({ kind }) => kind === 'cpu')
  const reductions = rows.map((row) => {
    const { before, after } = timesOf(row, 'emit')
    return lessBy(before.p50, after.p50)
  })
  return {
    name,
    met: reductions.every((reduction) => reduction > LEAST_REDUCTION),
    numbers: rows.map(({ listeners }, at) => `${reductions[at].toFixed(1)} % (${listeners} listeners)`).join(', '),
  }
}

/**
 * With listeners that compute and with those that wait. Of the median; and of the 90th percentile, which other work of the
 * machine moves, with a wider bound.
 */
function delivery(results) {
  const name = 'delivery no later'
  if (!isDelivered(results)) return { name, met: false, numbers: MISSING }
  const compared = results.latency.flatMap((row) => {
    const { before, after } = timesOf(row, 'allDone')
    return Object.keys(MOST_LATER).map((point) => ({ ...row, point, before: before[point], after: after[point] }))
  })
  const shareOfBound = ({ point, before, after }) => after / (before * (1 + MOST_LATER[point] / 100) + MOST_LATER_MS)
  const bounds = Object.entries(MOST_LATER)
    .map(([point, more]) => `${point} ${more} % + ${MOST_LATER_MS} ms`)
    .join(', ')
  const worst = compared.reduce((most, each) => (shareOfBound(each) > shareOfBound(most) ? each : most))
  return {
    name,
    met: shareOfBound(worst) <= 1,
    numbers:
      `all done after ${worst.before.toFixed(1)} ms before, ${worst.after.toFixed(1)} ms after: at worst ${worst.point} ` +
      `with ${worst.listeners} listeners ${WORK[worst.kind]} (bounds: ${bounds})`,
  }
}

function errors(results) {
  const rates = failuresOf(results)
  const { before, after } = bySide((side) => rates[side].failed + rates[side].missing)
  const escaped = bySide((side) => results.failures[side].thrown + results.failures[side].unhandled)
  return {
    name: 'no more errors',
    met: after <= before && rates.after.missing === 0 && escaped.after <= escaped.before,
    numbers:
      `with a listener that fails at each tenth event, ${before.toFixed(1)} % of the calls failed or were not ` +
      `made before, ${after.toFixed(1)} % after; the emitter got ${escaped.before} and ${escaped.after} errors`,
  }
}

/** After the move, and also beside a listener that fails. Before, the calls after one that threw are not made. */
function losses(results) {
  const { expected, missing, repeated, disordered } = wholeTallyOf(results).after
  return {
    name: 'no event lost',
    met: expected > 0 && missing + repeated + disordered === 0,
    numbers: `of ${expected} calls of listeners ${missing} missing, ${repeated} repeated, ${disordered} out of order`,
  }
}

/** Whether the bytes that each event leaves behind, in the heap and outside, are stable. Growth before excuses none now. */
function memory({ memory: { before, after } }) {
  const name = 'memory stable'
  if (after.tally.missing > 0 || after.tally.expected === 0) return { name, met: false, numbers: MISSING }
  const inMiB = (side, kind) => (growthOf(side, kind) / MIB).toFixed(2)
  return {
    name,
    met: isStable(after),
    numbers:
      `from the first to the last third of ${after.readings.length} readings, ${after.interval} events apart, the heap ` +
      `grew by ${inMiB(after, 'heapUsed')} MiB (bound ${BOUNDS.heapUsed / MIB}), resident memory by ` +
      `${inMiB(after, 'rss')} MiB (bound ${BOUNDS.rss / MIB}); before the move by ${inMiB(before, 'heapUsed')} and ` +
      `${inMiB(before, 'rss')} MiB`,
  }
}

/** Whether each event of each row reached each of its listeners, before and after. */
function isDelivered(results) {
  const { before, after } = tallyOf(results)
  const rows = [...results.latency, ...results.burst]
  return before.missing + after.missing === 0 && rows.every(({ rounds }) => rounds.length > 0)
}

module.exports = { criteriaOf }
