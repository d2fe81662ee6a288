'use strict'

// The success criteria of a migration, and whether the results of a check meet them.

const { failureRateOf, growthOf, latencyOf, lessBy, tallyOf } = require('./summary.js')

const LEAST_REDUCTION = 30
const MIB = 2 ** 20
/** What the heap may grow by, beyond what it grew by before: V8 keeps feedback and code that come late. */
const MOST_GROWTH = MIB

/** @returns {{ name: string, met: boolean, numbers: string }[]} */
function criteriaOf(results) {
  return [latency(results), errors(results), losses(results), memory(results)]
}

/** Of the time that the emitter waits. That listeners which compute are done sooner nobody can promise on one thread. */
function latency(results) {
  const rows = results.latency.filter(({ kind }) => kind === 'cpu')
  const reductions = rows.map((row) => lessBy(latencyOf(row, 'emit')))
  return {
    name: `emit waits less by more than ${LEAST_REDUCTION} %`,
    met: reductions.every((reduction) => reduction > LEAST_REDUCTION),
    numbers: rows.map(({ listeners }, at) => `${reductions[at].toFixed(1)} % (${listeners} listeners)`).join(', '),
  }
}

function errors(results) {
  const rates = failureRateOf(results)
  const { before, after } = results.failures
  const escaped = ({ thrown, unhandled }) => thrown + unhandled
  return {
    name: 'no more errors',
    met: rates.after <= rates.before && escaped(after) <= escaped(before),
    numbers:
      `with a listener that fails at each tenth event, ${rates.before.toFixed(1)} % of the calls failed or were not ` +
      `made before, ${rates.after.toFixed(1)} % after; the emitter got ${escaped(before)} and ${escaped(after)} errors`,
  }
}

function losses(results) {
  const { expected, missing, repeated, disordered } = tallyOf(results).after
  return {
    name: 'no event lost',
    met: missing + repeated + disordered === 0,
    numbers: `of ${expected} calls of listeners ${missing} missing, ${repeated} repeated, ${disordered} out of order`,
  }
}

function memory(results) {
  const { before, after } = growthOf(results, 'heapUsed')
  return {
    name: 'memory stable',
    met: after <= Math.max(0, before) + MOST_GROWTH,
    numbers:
      `over ${results.memory.after.events} events the heap grew by ${inMiB(before)} MiB before, ` +
      `${inMiB(after)} MiB after`,
  }
}

function inMiB(bytes) {
  return (bytes / MIB).toFixed(2)
}

module.exports = { criteriaOf }
