'use strict'

// Worker threads that listen on a bus's channel as one group: what `bus.spawn` resolves to. Each thread that crashes
// is replaced, at once the first time, and later ones with more and more patience.

const { clearTimeout, setTimeout } = require('node:timers')
const { availableParallelism } = require('node:os')
const { pathToFileURL } = require('node:url')
const { Worker, threadId: ownThreadId } = require('node:worker_threads')
const { ThreadExitedError, invalidArgType } = require('../errors.js')
const log = require('../log.js')
const { validateSpawnOptions } = require('../validate.js')

const ENTRY = require.resolve('./thread.js')

/** Milliseconds before the second replacement in a row; each further one waits twice as long, up to the last. */
const FIRST_DELAY = 100
const LAST_DELAY = 30_000
/** A thread that lived for so many milliseconds ends the row. */
const STABLE_AFTER = 10_000

let lastPool = 0

class ThreadPool {
  #start
  #onCrash
  /** @type {Set<Worker>} those that are ready */
  #workers = new Set()
  /** @type {Set<Worker>} those that are not, yet */
  #starting = new Set()
  #timers = new Set()
  #crashesInARow = 0
  #closing = null

  /**
   * Starts a pool. `ready` resolves when every thread has registered its listeners, and rejects with what kept one from
   * it; no thread is left then.
   *
   * @param {string} channel
   * @param {string | URL} module whose default export registers listeners
   * @param {{ threads?: number, workerData?: unknown }} options and those of `new Worker` that are passed on
   * @param {(error: Error) => void} onCrash a thread ended that was not told to
   * @returns {{ pool: ThreadPool, ready: Promise<void> }}
   */
  static start(channel, module, options, onCrash) {
    validateSpawnOptions(options)
    const { threads = availableParallelism(), workerData, resourceLimits, env, execArgv } = options
    const group = `spawn ${++lastPool} of thread ${ownThreadId}`
    const data = { module: urlOf(module), channel, group, workerData }
    const start = () => new Worker(ENTRY, { workerData: data, resourceLimits, env, execArgv })
    const pool = new ThreadPool(start, onCrash)
    return { pool, ready: pool.#addAll(threads) }
  }

  constructor(start, onCrash) {
    this.#start = start
    this.#onCrash = onCrash
  }

  async #addAll(threads) {
    try {
      await Promise.all(Array.from({ length: threads }, () => this.#add()))
    } catch (error) {
      await this.terminate()
      throw error
    }
  }

  /** The ids of the threads that are ready. */
  get threadIds() {
    return Array.from(this.#workers, ({ threadId }) => threadId)
  }

  /** Starts a thread. Resolves when it is ready, rejects when it can not be started, or ends before. */
  async #add() {
    const worker = this.#start()
    const { threadId } = worker
    log('spawned thread %d', threadId)
    this.#starting.add(worker)
    await new Promise((resolve, reject) => {
      const startedAt = Date.now()
      let thrown
      worker.once('message', () => {
        // Too late where the pool is being ended, which waits for the exit and must not be left alone with that.
        if (this.#closing !== null || !this.#starting.delete(worker)) return
        this.#workers.add(worker)
        log('thread %d is ready', threadId)
        // From now on what is in flight keeps the process alive, and an idle thread does not.
        worker.unref()
        resolve()
      })
      worker.once('error', (error) => {
        thrown = { error }
      })
      worker.once('exit', () => {
        const error = thrown === undefined ? new ThreadExitedError(null, threadId) : thrown.error
        const wasReady = this.#workers.delete(worker)
        this.#starting.delete(worker)
        log('thread %d ended', threadId)
        if (wasReady) this.#crashed(error, Date.now() - startedAt)
        else reject(error)
      })
    })
  }

  #crashed(error, lifetime) {
    if (this.#closing !== null) return
    if (lifetime >= STABLE_AFTER) this.#crashesInARow = 0
    this.#onCrash(error)
    this.#replace(error)
  }

  #replace(error) {
    const crashes = this.#crashesInARow++
    const delay = crashes === 0 ? 0 : Math.min(FIRST_DELAY * 2 ** (crashes - 1), LAST_DELAY)
    log('a thread crashed, and is replaced in %d ms: %s', delay, error)
    const timer = setTimeout(() => {
      this.#timers.delete(timer)
      this.#add().catch((error) => this.#crashed(error, 0))
    }, delay)
    timer.unref()
    this.#timers.add(timer)
  }

  /** Lets the listeners that run or are queued finish, then ends the threads. Returns the same promise for every call. */
  close() {
    this.#closing ??= this.#end((worker) => worker.postMessage('close'))
    return this.#closing
  }

  /** Ends the threads at once: what they have not done fails with ThreadExitedError, or goes to another of its group. */
  terminate() {
    const ended = this.#end((worker) => worker.terminate())
    this.#closing ??= ended
    return ended
  }

  async #end(tell) {
    for (const timer of this.#timers) clearTimeout(timer)
    this.#timers.clear()
    // One that is still starting has no events yet.
    for (const worker of this.#starting) worker.terminate()
    const exits = [...this.#starting, ...this.#workers].map((worker) => exitOf(worker))
    for (const worker of this.#workers) tell(worker)
    await Promise.all(exits)
  }
}

/** As a URL: of a path, relative to the working directory. */
function urlOf(module) {
  if (module instanceof URL) return module.href
  if (typeof module !== 'string') throw invalidArgType('module', 'a URL or a path', module)
  return /^(file|data|node):/.test(module) ? module : pathToFileURL(module).href
}

function exitOf(worker) {
  worker.ref()
  return new Promise((resolve) => {
    worker.once('exit', resolve)
  })
}

// Older releases of Node 20 do not have it.
if (Symbol.asyncDispose !== undefined) {
  Object.defineProperty(ThreadPool.prototype, Symbol.asyncDispose, {
    value: function dispose() {
      return this.close()
    },
    configurable: true,
    writable: true,
  })
}

module.exports = { ThreadPool }
