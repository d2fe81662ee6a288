'use strict'

// One thread of a pool, seen from the pool: starting, then ready, then ended. Pool and thread talk through a port of
// their own, because `parentPort` belongs to the user's module.

const { clearTimeout, setTimeout } = require('node:timers')
const { MessageChannel, Worker, receiveMessageOnPort } = require('node:worker_threads')
const { decodeAlone } = require('../codec/index.js')
const { ThreadExitedError, exitCodeError } = require('../errors.js')
const log = require('../log.js')
const { Deferred } = require('../promises.js')

const ENTRY = require.resolve('./thread.js')
/** Milliseconds until a warning that a thread is not ready. */
const PATIENCE = 10_000

class SpawnedThread {
  /** True once the module has registered its listeners. */
  isReady = false
  /** True once this thread knows, from any source, that the other one has ended. */
  isGone = false
  #worker
  #port
  #module
  /** @type {{ error: unknown } | null} the first error that the thread has failed with */
  #thrown = null
  #ready = new Deferred()
  #ended = new Deferred()
  #impatience
  #isTerminated = false

  /**
   * @param {import('./module.js').PoolModule} module
   * @param {{ channel: string, group: string, workerData: unknown }} about passed to the thread
   * @param {object} options of `new Worker`
   * @param {import('./pool.js').Host} host
   */
  constructor(module, about, options, { watchThread, exitReason }) {
    this.#module = module
    this.#start(about, options)
    this.id = this.#worker.threadId
    log('spawned thread %d', this.id)
    const startedAt = Date.now()
    watchThread(this.id, () => {
      this.isGone = true
    })
    this.#worker.once('exit', (code) => {
      watchThread(this.id, null)
      this.isGone = true
      const why = this.#end(() => exitReason(this.id) ?? exitCodeError(code))
      this.#ended.resolve({ why, wasReady: this.isReady, lifetime: Date.now() - startedAt })
      this.#ready.reject(why)
    })
    this.#bePatient(`${module.name} has not loaded`)
  }

  #start(about, options) {
    const { port1, port2 } = new MessageChannel()
    const workerData = { ...about, href: this.#module.href, port: port2 }
    try {
      this.#worker = new Worker(ENTRY, { ...options, workerData, transferList: [port2] })
    } catch (error) {
      port1.close()
      throw error
    }
    // Not `once`: a second error without a listener would end this thread, too.
    this.#worker.on('error', (error) => {
      this.#thrown ??= { error }
    })
    this.#port = port1
    port1.on('message', (message) => this.#hear(message))
    // The worker keeps this thread until it is ready.
    port1.unref()
  }

  /** Resolves when the module has registered its listeners. Rejects with the reason why it has not. */
  get ready() {
    return this.#ready.promise
  }

  /** Resolves when the thread has ended, with the reason, its lifetime in milliseconds, and whether it was ready. */
  get ended() {
    return this.#ended.promise
  }

  /** Lets the thread finish its events, and then end. */
  close() {
    this.#worker.ref()
    this.#port.postMessage('close')
  }

  /** Ends the thread at once. */
  terminate() {
    this.#isTerminated = true
    this.#worker.ref()
    this.#worker.terminate()
  }

  #hear({ is, ...about }) {
    if (is === 'loaded') this.#bePatient(`the function of ${this.#module.name} has not resolved`)
    else if (is === 'ready') this.#beReady()
    else this.#fail(this.#errorOf(is, about))
  }

  #errorOf(is, { error, ...about }) {
    if (is === 'without function') return this.#module.exportError(about)
    const thrown = decodeAlone(error, 0, error.length)
    return is === 'not loaded' ? this.#module.loadError(thrown) : thrown
  }

  #beReady() {
    clearTimeout(this.#impatience)
    // Too late: its exit is awaited, and has to keep the process.
    if (this.#isTerminated) return
    this.isReady = true
    log('thread %d is ready', this.id)
    // From now on events in flight keep the process alive, and an idle thread does not.
    this.#worker.unref()
    this.#ready.resolve()
  }

  #fail(error) {
    this.#thrown ??= { error }
    this.#ready.reject(error)
    // It is ending by itself, unless the module has a way to prevent that.
    this.terminate()
  }

  #end(exitReason) {
    // The thread's last messages may come later than its end.
    for (let last = this.#next(); last !== undefined; last = this.#next()) this.#hear(last.message)
    this.#port.close()
    clearTimeout(this.#impatience)
    log('thread %d ended', this.id)
    return this.#thrown === null ? new ThreadExitedError(null, this.id, exitReason()) : this.#thrown.error
  }

  #next() {
    return receiveMessageOnPort(this.#port)
  }

  #bePatient(what) {
    clearTimeout(this.#impatience)
    this.#impatience = setTimeout(() => {
      const code = 'PARALLEL_EVENT_BUS_THREAD_NOT_READY'
      process.emitWarning(`${what}; thread ${this.id} is not ready`, { type: 'ParallelEventBusWarning', code })
    }, PATIENCE)
    this.#impatience.unref()
  }
}

module.exports = { SpawnedThread }
