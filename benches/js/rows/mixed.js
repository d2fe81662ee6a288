'use strict'

// Tasks of uneven length on two threads: how long all of them take, and how long short ones take beside long ones.

const { performance } = require('node:perf_hooks')
const { setTimeout: sleep } = require('node:timers/promises')
const { quantile, race } = require('../measure.js')
const { Ceiling } = require('../threads/ceiling.js')
const { piscina, poolifier, spawned, tinypool, withPools, workerpool } = require('../threads/pools.js')
const { stepsFor } = require('../threads/work.js')
const { MS, MS_PER_BATCH, compared, shared, skippedAmong } = require('./lines.js')

const THREADS = 2
const OPENING = {
  bus: (task, threads) => spawned(task, threads, { concurrency: 1 }),
  piscina,
  tinypool,
  workerpool,
  poolifier,
}
/** Two that are equally good change places from round to round. */
const AS_GOOD = 0.98

/** Milliseconds of each task, in the order in which they are given. */
const MIXES = {
  'one-long': ['1 task of 200 ms, 40 of 5 ms', [200, ...Array(40).fill(5)]],
  pareto: ['60 tasks, Pareto-distributed, 1 to 100 ms', pareto(60, 100)],
  equal: ['40 tasks of 5 ms', Array(40).fill(5)],
}

/** The same numbers each time: the shape is 1.2, so that few of them are most of the work. */
function pareto(count, most) {
  let random = 7
  return Array.from({ length: count }, () => {
    random = (random * 16_807) % 2_147_483_647
    return Math.min(most, (1 - random / 2_147_483_647) ** (-1 / 1.2))
  })
}

/** The time until all are done: the share of the machine's capacity that comes through, and each pool beside it. */
function makespan(lengths) {
  return async (settings) => {
    const perMs = stepsFor(1)
    const tasks = lengths.map((ms) => Math.round(ms * perMs))
    const ceiling = new Ceiling(THREADS, tasks)
    const lines = await withPools('burn', THREADS, OPENING, async (pools) => {
      const contestants = of(
        pools,
        tasks.length,
        ({ run }) =>
          () =>
            allOf(run, tasks),
      )
      const best = { events: 1, counters: perRun([ceiling], tasks.length), run: () => ceiling.run() }
      const { ceiling: floor, ...raced } = await race({ ...contestants, ceiling: best }, settings)
      const { bus, ...others } = raced
      return [
        ...shared({ bus, ceiling: floor }, 'the ceiling', { atLeast: 100 / 1.05 }, MS_PER_BATCH),
        ...compared(bus, others, goalsOf(others), MS_PER_BATCH),
      ]
    })
    await ceiling.close()
    return [...lines, ...skippedAmong(Object.keys(OPENING))]
  }
}

async function allOf(run, tasks) {
  await Promise.all(tasks.map((steps) => run(steps)))
}

const LONG_MS = 500
const SHORT_MS = 1
const SHORTS = 100

/** The 99th percentile of short tasks, given one after another, while one thread has a long one. */
async function beside(settings) {
  const perMs = stepsFor(1)
  const lines = await withPools('burn', THREADS, OPENING, async (pools) => {
    const contestants = of(
      pools,
      SHORTS + 1,
      ({ run }) =>
        () =>
          p99OfShorts(run, perMs),
    )
    const { bus, ...others } = await race(contestants, settings)
    return compared(bus, others, goalsOf(others), MS)
  })
  return [...lines, ...skippedAmong(Object.keys(OPENING))]
}

/** Returns nanoseconds. */
async function p99OfShorts(run, perMs) {
  const long = run(LONG_MS * perMs)
  const shorts = []
  for (let short = 0; short < SHORTS; short++) {
    shorts.push(timed(() => run(SHORT_MS * perMs)))
    await sleep(LONG_MS / SHORTS)
  }
  const times = (await Promise.all(shorts)).sort((a, b) => a - b)
  await long
  return 1e6 * quantile(times, 0.99)
}

async function timed(call) {
  const start = performance.now()
  await call()
  return performance.now() - start
}

function of(pools, tasks, runOf) {
  const contestant = (pool) => ({ events: 1, counters: perRun(pool.counters, tasks), run: runOf(pool) })
  return Object.fromEntries(Object.entries(pools).map(([name, pool]) => [name, contestant(pool)]))
}

function goalsOf(others) {
  return Object.fromEntries(Object.keys(others).map((name) => [name, AS_GOOD]))
}

/** An event of `race` is a list of tasks here. */
function perRun([counter], tasks) {
  return [
    {
      get calls() {
        return counter.calls / tasks
      },
    },
  ]
}

module.exports = [
  {
    title: 'tasks of uneven length on 2 threads',
    note:
      'All are given at once, and wait for a thread. A task is a number of steps of a loop, the same for all. The ceiling ' +
      'is two threads that take one task after another, in this order, from shared memory: no message is sent. The bus has ' +
      '`concurrency: 1`.',
    payload: 'a number there, how many steps, and a number back: up to 11 bytes each as JSON',
    rows: Object.entries(MIXES).map(([id, [what, lengths]]) => ({
      id: `mixed-${id}`,
      what,
      measure: makespan(lengths),
    })),
  },
  {
    title: 'short tasks beside a long one, on 2 threads',
    note: `One thread has a task of ${LONG_MS} ms; meanwhile ${SHORTS} of ${SHORT_MS} ms are given, one each ${LONG_MS / SHORTS} ms.`,
    payload: 'a number there, how many steps, and a number back: up to 11 bytes each as JSON',
    rows: [{ id: 'beside', what: 'p99 of short tasks', measure: beside }],
  },
]
