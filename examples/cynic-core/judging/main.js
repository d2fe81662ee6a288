'use strict'

// Judges an item in 36 dimensions on one thread and on several, in turns, and tells how much faster the latter is:
// node judging/main.js [threads]

const { deepEqual } = require('node:assert/strict')
const { availableParallelism, loadavg } = require('node:os')
const { performance } = require('node:perf_hooks')
const { median } = require('../migration/median.js')
const { Court } = require('./court.js')
const { DIMENSIONS, stepsFor } = require('./dimensions.js')

const DIMENSION_MS = 5
const ROUNDS = 7
const ITEM = 'lib/bus.js'

async function main([threads = availableParallelism()]) {
  // Of the last minute. Above 0, other programs were at work, and take a share of the threads' cores.
  const load = loadavg()[0].toFixed(1)
  const court = await Court.open({ threads: Number(threads), steps: stepsFor(DIMENSION_MS) })
  const times = { here: [], threads: [] }
  let judgedBy
  // The first round is for V8 to compile its functions.
  for (let round = 0; round <= ROUNDS; round++) {
    const here = await timed(() => court.judgeHere(ITEM))
    const there = await timed(() => court.judgeInThreads(ITEM))
    deepEqual(there.value.scores, here.value)
    judgedBy = there.value.threadIds
    if (round === 0) continue
    times.here.push(here.ms)
    times.threads.push(there.ms)
  }
  await court.close()
  print(times, judgedBy, load)
}

async function timed(judge) {
  const start = performance.now()
  const value = await judge()
  return { value, ms: performance.now() - start }
}

function print(times, { size: threads }, load) {
  const ratios = times.here.map((ms, round) => ms / times.threads[round])
  console.log(`${DIMENSIONS.length} dimensions of about ${DIMENSION_MS} ms each, medians of ${ROUNDS} rounds
one thread:   ${median(times.here).toFixed(1)} ms
threads (${threads}):  ${median(times.threads).toFixed(1)} ms
speed-up:     ${median(ratios).toFixed(2)}×, on ${availableParallelism()} cores (load average when it began: ${load})
the same ${DIMENSIONS.length} scores in every round`)
}

main(process.argv.slice(2))
