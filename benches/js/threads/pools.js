'use strict'

// Pools of threads for the tasks of `tasks.js`, each used as its documentation says.

const path = require('node:path')
const { Piscina } = require('piscina')
const { FixedThreadPool } = require('poolifier')
const { pool: createWorkerpool } = require('workerpool')
const { ParallelEventBus } = require('../../../index.js')
const { whySkipped } = require('../peers.js')

/**
 * @typedef {object} Pool
 * @property {(argument: unknown) => Promise<unknown>} run
 * @property {{ calls: number }[]} counters how often a task was done
 * @property {() => Promise<void>} close
 */

/** @typedef {(task: 'count' | 'handBack' | 'burn', threads: number) => Pool | Promise<Pool>} Open */

/** @type {Open} */
async function spawned(task, threads, options = {}) {
  const bus = new ParallelEventBus({ channel: 'bench' })
  const { calls, counters } = counted()
  await bus.spawn(path.join(__dirname, 'spawned.js'), { threads, workerData: calls, ...options })
  return { counters, run: (argument) => bus.request(task, argument), close: () => bus.close() }
}

/** @type {Open} */
function piscina(task, threads, options = {}) {
  const { calls, counters } = counted()
  const filename = path.join(__dirname, 'piscina.js')
  const pool = new Piscina({
    filename,
    name: task,
    minThreads: threads,
    maxThreads: threads,
    workerData: calls,
    ...options,
  })
  return { counters, run: (argument) => pool.run(argument), close: () => pool.destroy() }
}

/** @type {Open} */
async function tinypool(task, threads) {
  // Only published as an ES module.
  const { default: Tinypool } = await import('tinypool')
  const { calls, counters } = counted()
  const filename = path.join(__dirname, 'tinypool.mjs')
  const pool = new Tinypool({ filename, name: task, minThreads: threads, maxThreads: threads, workerData: calls })
  return { counters, run: (argument) => pool.run(argument), close: () => pool.destroy() }
}

/** @type {Open} */
function workerpool(task, threads) {
  const { calls, counters } = counted()
  const workerThreadOpts = { workerData: calls }
  const options = { minWorkers: threads, maxWorkers: threads, workerType: 'thread', workerThreadOpts }
  const pool = createWorkerpool(path.join(__dirname, 'workerpool.js'), options)
  return { counters, run: (argument) => pool.exec(task, [argument]), close: () => pool.terminate() }
}

/** @type {Open} */
function poolifier(task, threads) {
  const { calls, counters } = counted()
  const pool = new FixedThreadPool(threads, path.join(__dirname, 'poolifier.js'), {
    // Without a queue, a task waits for the thread that it was given to, however long that is busy.
    enableTasksQueue: true,
    workerOptions: { workerData: calls },
  })
  const close = async () => {
    const workers = pool.workerNodes.map(({ worker }) => worker)
    // Its promise stays pending now and then, in 5.3.2.
    pool.destroy().catch(() => {})
    await Promise.all(workers.map((worker) => worker.terminate()))
  }
  return { counters, run: (argument) => pool.execute(argument, task), close }
}

/** Memory for a counter that all threads of a pool see. */
function counted() {
  const words = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT))
  const counter = {
    get calls() {
      return Atomics.load(words, 0)
    },
  }
  return { calls: words.buffer, counters: [counter] }
}

/**
 * Opens pools, but for those that need a newer Node, and closes them when `use` is over.
 *
 * @param {Record<string, Open>} opening
 * @param {(pools: Record<string, Pool>) => Promise<T>} use
 * @returns {Promise<T>}
 * @template T
 */
async function withPools(task, threads, opening, use) {
  const pools = {}
  for (const [name, open] of Object.entries(opening)) {
    if (whySkipped(name) === null) pools[name] = await open(task, threads)
  }
  const result = await use(pools)
  await Promise.all(Object.values(pools).map((pool) => pool.close()))
  return result
}

module.exports = { spawned, piscina, tinypool, workerpool, poolifier, withPools }
