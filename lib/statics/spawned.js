'use strict'

// The worker's side of `spawn(() => new Worker(…))`: waits for the pool's message, and serves the pool.

const { validateFunction } = require('../validate.js')

const pooling = () => ({ ...require('../pool/factory.js'), ...require('../pool/serve.js') })

/**
 * Has a function register listeners when a pool has introduced itself. A worker that no pool has started waits for it.
 *
 * @param {(bus: object, workerData: unknown) => unknown} register as the default export of a module of `spawn`
 */
function spawned(register) {
  validateFunction(register, 'register')
  // It takes long to load, and few programs call this.
  const { isMainThread, parentPort, workerData } = require('node:worker_threads')
  if (isMainThread) {
    const error = new Error(
      'ParallelEventBus.spawned() is for a worker that bus.spawn(() => new Worker(…)) has started',
    )
    throw Object.assign(error, { code: 'ERR_NOT_SPAWNED' })
  }
  const { INTRODUCTION, serve } = pooling()
  parentPort.on('message', function listen(message) {
    const introduction = message?.[INTRODUCTION]
    if (introduction === undefined) return
    parentPort.off('message', listen)
    const { port, ...about } = introduction
    const data = 'workerData' in about ? about.workerData : workerData
    serve(port, about, async () => (bus) => register(bus, data))
  })
}

module.exports = { spawned }
