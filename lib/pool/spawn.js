'use strict'

// `bus.spawn`: joins a pool of threads to the bus that starts it.

const { randomUUID } = require('node:crypto')
const { BusClosedError, needsChannel } = require('../errors.js')
const { FailureReporter } = require('../local/failures.js')
const { threadExit } = require('../symbols.js')
const { WorkerFactory } = require('./factory.js')
const { PoolModule } = require('./module.js')
const { busOptionsOf, sizeOf, validateSpawnOptions } = require('./options.js')
const { ThreadPool } = require('./pool.js')
const { Size } = require('./size.js')
const { SpawnedThread } = require('./spawned.js')

/**
 * Starts a pool. Resolves to it when every thread has registered its listeners.
 *
 * @param {import('../state.js').BusState} state of the bus
 * @param {string | URL | (() => import('node:worker_threads').Worker)} module with a default export that registers
 * listeners, or a function that starts a worker
 * @param {import('../../index.js').SpawnOptions} options
 * @param {Function} caller the function of which the caller goes into the stacks of errors
 */
async function spawn(state, module, options, caller) {
  const { member, tracker, pools } = state
  if (member === null) throw needsChannel('bus.spawn()')
  if (tracker.closed) throw new BusClosedError('spawn')
  const pool = poolOf(state, sourceOf(module, options, caller), options)
  // From now on, so that `close()` also ends a pool that never gets ready.
  pools.add(pool)
  try {
    await pool.open()
  } catch (error) {
    throw tracker.closed ? new BusClosedError('spawn') : error
  }
  if (tracker.closed) {
    await pool.terminate()
    throw new BusClosedError('spawn')
  }
  return pool
}

function sourceOf(module, options, caller) {
  const isFactory = typeof module === 'function'
  validateSpawnOptions(options, isFactory)
  return isFactory ? new WorkerFactory(module) : new PoolModule(module, options, caller)
}

function poolOf(state, source, options) {
  const { member, inherited } = state
  const size = sizeOf(options)
  // The name is unique among all copies of the library.
  const about = {
    channel: member.channel,
    group: `spawn ${randomUUID()}`,
    concurrency: options.concurrency,
    maxQueue: options.maxQueue,
    takes: size.takes,
    busOptions: busOptionsOf(options, inherited),
    // A worker that a function starts has data of its own where there is none here.
    ...('workerData' in options && { workerData: options.workerData }),
  }
  const { terminateAfter, stdout, stderr } = options
  const host = hostOf(state, options)
  const start = () => new SpawnedThread(source, about, { terminateAfter, stdout, stderr }, host)
  return new ThreadPool(source.shown, { size: new Size(size), terminateAfter }, start, host)
}

/** Returns the pool's view of the bus. */
function hostOf({ member, tracker, pools }, { onError }) {
  const reporter =
    onError === undefined ? tracker.reporter : new FailureReporter(tracker, { onError, captureRejections: false })
  return {
    watchThread: (threadId, heard) => member.watchThread(threadId, heard),
    exitReason: (threadId) => member.exitReason(threadId),
    leaveReason: (threadId, error) => member.leaveReason(threadId, error),
    watchLoad: (id, isWatched) => member.watchLoad(id, isWatched),
    loads: (ids) => member.loads(ids),
    isHandled: () => reporter.onError !== undefined,
    onFailure: (event, error, origin) => reporter.relayed(event, error, origin),
    onTeardownFailed: (error, origin) => reporter.notTornDown(threadExit, error, origin),
    onCrash: (error, origin) => reporter.crashed(threadExit, error, origin),
    onEnd: (pool) => pools.delete(pool),
  }
}

module.exports = { spawn }
