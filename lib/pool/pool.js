'use strict'

// The result of `bus.spawn`: worker threads that listen on a bus's channel as one group. Each thread that crashes is
// replaced, at once the first time, and later ones after longer and longer pauses.

const { randomUUID } = require('node:crypto')
const { clearTimeout, setTimeout } = require('node:timers')
const { availableParallelism } = require('node:os')
const { inspect } = require('node:util')
const log = require('../log.js')
const { NativePromise } = require('../promises.js')
const { validateSpawnOptions } = require('../validate.js')
const { PoolModule } = require('./module.js')
const { SpawnedThread } = require('./spawned.js')

/** Milliseconds before the second replacement in a row; each further one waits twice as long, up to the last. */
const FIRST_DELAY = 100
const LAST_DELAY = 30_000
/** A thread that lived for so many milliseconds ends the row. */
const STABLE_AFTER = 10_000

/**
 * The pool's view of its bus.
 *
 * @typedef {object} Host
 * @property {string} channel
 * @property {(threadId: number, heard: (() => void) | null) => void} watchThread has `heard` called when the channel has
 * news that a thread has ended, before listeners and emitters get the news; null ends the watch
 * @property {(threadId: number) => unknown} exitReason returns the reason that a thread has left, or undefined
 * @property {(error: Error) => void} onCrash called when a thread has ended without being told to
 * @property {() => void} onEnd called when all threads have ended, and there will be no more
 */

class ThreadPool {
  #module
  #size
  /** Starts one thread; null once the pool ends, so that the data for the module, which may be large, can be freed. */
  #start
  /** @type {Host} */
  #host
  /** @type {Set<SpawnedThread>} those that have not ended */
  #threads = new Set()
  #timers = new Set()
  #crashesInARow = 0
  #closing = null
  /** @type {'starting' | 'ready' | 'closing' | 'closed'} */
  #state = 'starting'

  /**
   * Starts a pool. `ready` resolves when every thread has registered its listeners. It rejects with the reason of the
   * first thread that cannot, when all threads have ended.
   *
   * @param {string | URL} module with a default export that registers listeners
   * @param {{ threads?: number, workerData?: unknown }} options and those of `new Worker` that are passed on
   * @param {Host} host
   * @returns {{ pool: ThreadPool, ready: Promise<void> }}
   */
  static start(module, options, host) {
    validateSpawnOptions(options)
    const { threads = availableParallelism(), workerData, resourceLimits, env, execArgv } = options
    const what = new PoolModule(module, ThreadPool.start)
    // The name is unique among all copies of the library.
    const about = { channel: host.channel, group: `spawn ${randomUUID()}`, workerData }
    const start = () => new SpawnedThread(what, about, { resourceLimits, env, execArgv }, host)
    const pool = new ThreadPool(what, threads, start, host)
    return { pool, ready: pool.#addAll() }
  }

  constructor(module, size, start, host) {
    this.#module = module
    this.#size = size
    this.#start = start
    this.#host = host
  }

  async #addAll() {
    try {
      await NativePromise.all(Array.from({ length: this.#size }, () => this.#add()))
    } catch (error) {
      await this.terminate()
      throw error
    }
    if (this.#state === 'starting') this.#state = 'ready'
  }

  /** The ids of the ready threads. A thread that is known to have ended is left out before its `exit` event comes. */
  get threadIds() {
    return Array.from(this.#threads)
      .filter(({ isReady, isGone }) => isReady && !isGone)
      .map(({ id }) => id)
  }

  /** Starts a thread. Resolves when it is ready, rejects when it cannot be started, or does not get ready. */
  async #add() {
    const thread = this.#start()
    this.#threads.add(thread)
    thread.ended.then((end) => this.#ended(thread, end))
    await thread.ready
  }

  #ended(thread, { why, wasReady, lifetime }) {
    this.#threads.delete(thread)
    if (wasReady) this.#crashed(why, lifetime)
  }

  #crashed(error, lifetime) {
    if (this.#closing !== null) return
    if (lifetime >= STABLE_AFTER) this.#crashesInARow = 0
    this.#host.onCrash(error)
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
    this.#closing ??= this.#end((thread) => thread.close())
    return this.#closing
  }

  /** Ends the threads at once. Unsettled events fail with ThreadExitedError, or go to another listener of their group. */
  terminate() {
    const ended = this.#end((thread) => thread.terminate())
    this.#closing ??= ended
    return ended
  }

  async #end(tell) {
    this.#start = null
    if (this.#state !== 'closed') this.#state = 'closing'
    for (const timer of this.#timers) clearTimeout(timer)
    this.#timers.clear()
    const threads = Array.from(this.#threads)
    // One that is still starting has no events yet.
    for (const thread of threads) thread.isReady ? tell(thread) : thread.terminate()
    await NativePromise.all(threads.map(({ ended }) => ended))
    this.#state = 'closed'
    this.#host.onEnd()
  }

  [inspect.custom](depth, options) {
    const { threadIds } = this
    const view = { module: this.#module.href, threads: this.#size, threadIds, state: this.#state }
    return depth < 0 ? '[ThreadPool]' : `ThreadPool ${inspect(view, { ...options, depth: null })}`
  }
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
