'use strict'

// The cost of having the library at all.

const { execFileSync } = require('node:child_process')
const { once } = require('node:events')
const { readdirSync, statSync } = require('node:fs')
const path = require('node:path')
const { performance } = require('node:perf_hooks')
const { Worker } = require('node:worker_threads')
const { ParallelEventBus } = require('../../../index.js')
const { summary } = require('../measure.js')
const { whySkipped } = require('../peers.js')
const { piscina, poolifier, spawned, tinypool, workerpool } = require('../threads/pools.js')
const { MS, absolute, compare, skippedAmong } = require('./lines.js')

const ROOT = path.join(__dirname, '../../..')
const MIB = 2 ** 20
/** The counters of the threads of the pools; see `tasks.js`. */
const CALLS = new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT)

/** The clock is read in the child, so its own start does not count. */
const TIME_REQUIRE = `
  const { performance } = require('node:perf_hooks')
  const start = performance.now()
  require(${JSON.stringify(ROOT)})
  console.log(performance.now() - start)
`

function requireTime({ quick }) {
  const times = Array.from({ length: quick ? 5 : 25 }, () =>
    Number(execFileSync(process.execPath, ['-e', TIME_REQUIRE])),
  )
  return [absolute({ unit: 'ms', ours: summary(times), goal: { atMost: 10 } })]
}

function binarySize() {
  const binaries = readdirSync(ROOT).filter((file) => file.endsWith('.node'))
  const sizes = binaries.map((file) => statSync(path.join(ROOT, file)).size / MIB)
  return [absolute({ unit: 'MiB', ours: summary([Math.max(...sizes)]), goal: { atMost: 5 } })]
}

/** From the call until the thread has registered its listeners; beside it, until an empty module of a thread runs. */
async function threadStart({ quick }) {
  const bus = new ParallelEventBus({ channel: 'bench' })
  const [ours, theirs] = [[], []]
  for (let round = -1; round < (quick ? 3 : 15); round++) {
    const spawned = await timed(async () => {
      const pool = await bus.spawn(path.join(__dirname, '../threads/spawned.js'), { threads: 1, workerData: CALLS })
      return () => pool.close()
    })
    const plain = await timed(async () => {
      const worker = new Worker('', { eval: true })
      await once(worker, 'online')
      return () => worker.terminate()
    })
    if (round < 0) continue
    ours.push(spawned)
    theirs.push(plain)
  }
  await bus.close()
  return [absolute({ against: 'new Worker', unit: 'ms', ours: summary(ours), theirs: summary(theirs) })]
}

/** From nothing until both threads have done a task, as each is free to say when it calls a pool ready. */
async function poolStart(settings) {
  const opening = { bus: spawned, piscina, tinypool, workerpool, poolifier }
  const peers = Object.keys(opening).filter((name) => whySkipped(name) === null)
  const contestants = Object.fromEntries(peers.map((name) => [name, starting(opening[name])]))
  const goals = { piscina: 1 }
  const lines = await compare(contestants, goals, settings, MS)
  return [...lines, ...skippedAmong(Object.keys(opening))]
}

/** Starts a pool in each run, and ends it: that is not counted. */
function starting(open) {
  const counter = { calls: 0 }
  const run = async () => {
    const start = performance.now()
    const pool = await open('count', 2)
    await Promise.all([pool.run(1), pool.run(1)])
    const ms = performance.now() - start
    counter.calls += pool.counters[0].calls / 2
    await pool.close()
    return 1e6 * ms
  }
  return { events: 1, counters: [counter], run }
}

/** How many milliseconds a start takes, not the end that it returns. */
async function timed(start) {
  const begin = performance.now()
  const end = await start()
  const ms = performance.now() - begin
  await end()
  return ms
}

module.exports = [
  {
    title: 'having it',
    note: 'Each `require` in a process of its own, files in the cache of the system. The start of Node is not in it.',
    rows: [
      { id: 'require', what: 'require', measure: requireTime },
      {
        id: 'pool',
        what: 'start of a pool of 2 threads, until both tasks that it is given are done',
        measure: poolStart,
      },
      { id: 'thread', what: 'spawn of 1 thread, until it listens', measure: threadStart },
      { id: 'binary', what: 'size of the binary', measure: binarySize },
    ],
  },
]
