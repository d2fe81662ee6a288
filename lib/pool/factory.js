'use strict'

// A function of the program that makes the workers of a pool, in the place of a module: bundlers know `new Worker(new URL(…))`,
// and nothing else. The file of the worker calls `ParallelEventBus.spawned`.

const { invalidArgType } = require('../errors.js')

/** The key under which a worker is told of its pool. Registered, because a bundle has a copy of the library. */
const INTRODUCTION = '@cynic/parallel-event-bus.pool'

class WorkerFactory {
  name = 'the worker'
  /** Its name for `util.inspect`. */
  shown = '() => new Worker()'
  #make

  /** @param {() => import('node:worker_threads').Worker} make */
  constructor(make) {
    this.#make = make
  }

  /** Starts a worker, and passes it the port to its pool. */
  start(about, port) {
    const worker = this.#make()
    if (typeof worker?.postMessage !== 'function' || typeof worker.terminate !== 'function' || !(worker.threadId > 0)) {
      throw invalidArgType('the result of the function', 'an instance of Worker', worker)
    }
    try {
      worker.postMessage({ [INTRODUCTION]: { ...about, port } }, [port])
    } catch (error) {
      worker.on('error', () => {})
      worker.terminate()
      throw error
    }
    return worker
  }
}

module.exports = { INTRODUCTION, WorkerFactory }
