'use strict'

// The worker threads of the third run, and the capacity of their cores.

const { availableParallelism } = require('node:os')
const { ParallelEventBus } = require('../../index.js')
const { now } = require('./clock.js')

const THREAD = require.resolve('./thread.js')
const CALIBRATION_MS = 100

class Pool {
  bus
  /** Number of cores that all threads together can keep busy. */
  cores
  #threads

  /** Resolves when the threads have registered their listeners. */
  static async open(threads) {
    const pool = new Pool(threads)
    await pool.bus.spawn(THREAD, { threads })
    return pool
  }

  constructor(threads) {
    this.bus = new ParallelEventBus({ channel: 'demo', onError: warnOfCrash })
    this.cores = Math.min(threads, availableParallelism())
    this.#threads = threads
  }

  /**
   * Resolves to the number of cores that are free for this process. All threads want one for a moment: the processor
   * time that they get in it is the share that other processes leave.
   */
  async freeCores() {
    const start = now()
    const cpu = process.cpuUsage()
    const end = start + CALIBRATION_MS
    await Promise.all(Array.from({ length: this.#threads }, () => this.bus.request('spin', end)))
    const { user, system } = process.cpuUsage(cpu)
    return (user + system) / 1000 / (now() - start)
  }

  close() {
    return this.bus.close()
  }
}

/** The failure of a listener is in its reply; that a thread crashed, and is replaced, is in none. */
function warnOfCrash(event, error) {
  if (event === ParallelEventBus.threadExit) {
    process.emitWarning('a thread of the demo crashed, and is replaced', { detail: error.stack })
  }
}

module.exports = { Pool }
