'use strict'

// The result of `bus.spawn`: worker threads that listen on a bus's channel as one group. Each thread that crashes is
// replaced, at once the first time, and later ones after longer and longer pauses. One that is stuck is terminated.

const { clearTimeout, setTimeout } = require('node:timers')
const { inspect } = require('node:util')
const { stuckError } = require('../errors.js')
const log = require('../log.js')
const { NativePromise } = require('../promises.js')
const { validateCloseOptions } = require('../validate.js')
const { Rounds } = require('./rounds.js')

/** Milliseconds before the second replacement in a row; each further one waits twice as long, up to the last. */
const FIRST_DELAY = 100
const LAST_DELAY = 30_000
/** A thread that lived for so many milliseconds ends the row. */
const STABLE_AFTER = 10_000

/**
 * The pool's view of its bus.
 *
 * @typedef {object} Host
 * @property {(threadId: number, heard: (() => void) | null) => void} watchThread has `heard` called when the channel has
 * news that a thread has ended, before listeners and emitters get the news; null ends the watch
 * @property {(threadId: number) => unknown} exitReason returns the reason that a thread has left, or undefined
 * @property {(threadId: number, error: Error) => void} leaveReason leaves one for a thread that is about to be terminated
 * @property {(member: number, isWatched: boolean) => void} watchLoad watches the load of a thread's bus, or no more
 * @property {(members: number[]) => { inFlight: number, looks: number }[]} loads returns those that are watched
 * @property {() => boolean} isHandled returns true if somebody handles failures of listeners in the threads
 * @property {(event: string | symbol, error: unknown, origin: object) => void} onFailure called for each of them
 * @property {(error: unknown, origin: object) => void} onTeardownFailed called when a thread could not be torn down
 * @property {(error: unknown, origin: object) => void} onCrash called when a thread has ended without being told to
 * @property {(pool: ThreadPool) => void} onEnd called when all threads have ended, and there will be no more
 */

const METRICS = Symbol('metrics')

class ThreadPool {
  #shown
  #size
  /** Starts one thread; null once the pool ends, so that the data for the module, which may be large, can be freed. */
  #start
  /** @type {Host} */
  #host
  #terminateAfter
  /** @type {Set<import('./spawned.js').SpawnedThread>} those that have not ended */
  #threads = new Set()
  #rounds
  #timers = new Set()
  #crashesInARow = 0
  /** Number of threads that ended without being told to, or were terminated because they were stuck. */
  #restarts = 0
  #recycling = null
  #closing = null
  /** The time that `close` has been given. */
  #limit
  /** Number of events that threads had when they were terminated. */
  #unsettled = 0
  /** @type {'starting' | 'ready' | 'closing' | 'closed'} */
  #state = 'starting'

  /**
   * @param {string} shown what the threads run, for `util.inspect`
   * @param {{ size: import('./size.js').Size, terminateAfter?: number }} about the pool
   * @param {() => import('./spawned.js').SpawnedThread} start starts one thread
   * @param {Host} host
   */
  constructor(shown, { size, terminateAfter }, start, host) {
    this.#shown = shown
    this.#size = size
    this.#terminateAfter = terminateAfter
    this.#start = start
    this.#host = host
    this.#rounds = new Rounds(size, terminateAfter, {
      loads: () => this.#loads(this.#listening()),
      starting: () => this.#timers.size + Array.from(this.#threads).filter(({ isReady }) => !isReady).length,
      running: () => Array.from(this.#threads).filter(({ isReady, isGone }) => isReady && !isGone),
      onStuck: (thread) => this.#stuck(thread),
      onMore: (count) => this.#grow(count),
      onIdle: (threads) => this.#shrink(threads),
    })
  }

  /**
   * Starts the first threads. Resolves when each has registered its listeners. Rejects with the reason of the first one
   * that cannot, when all have ended.
   */
  async open() {
    try {
      await NativePromise.all(Array.from({ length: this.#size.min }, () => this.#add()))
    } catch (error) {
      await this.terminate()
      throw error
    }
    if (this.#state !== 'starting') return
    this.#state = 'ready'
    this.#rounds.start()
  }

  /** The ids of the ready threads. A thread that is known to have ended is left out before its `exit` event comes. */
  get threadIds() {
    return this.#listening().map(({ id }) => id)
  }

  #listening() {
    return Array.from(this.#threads).filter(({ isListening }) => isListening)
  }

  #loads(threads) {
    const loads = this.#host.loads(threads.map(({ member }) => member))
    return threads.map((thread, index) => ({ thread, ...loads[index] }))
  }

  /** Starts a thread. Resolves when it is ready, rejects when it cannot be started, or does not get ready. */
  async #add() {
    const thread = this.#start()
    this.#threads.add(thread)
    thread.ended.then((end) => this.#ended(thread, end))
    await thread.ready
    return thread
  }

  #ended(thread, { why, lifetime }) {
    this.#threads.delete(thread)
    if (!thread.isReady || thread.isRetired || this.#closing !== null) return
    if (thread.isStuck) this.#crashesInARow = 0
    if (lifetime >= STABLE_AFTER) this.#crashesInARow = 0
    this.#crashed(why, thread)
  }

  /** Replaces a thread that ended without being told to, or did not get ready. */
  #crashed(error, { id: threadId, isReplaced } = {}) {
    if (this.#closing !== null) return
    this.#host.onCrash(error, { threadId, listener: undefined, count: 1 })
    if (isReplaced) return
    this.#restarts++
    const crashes = this.#crashesInARow++
    const delay = crashes === 0 ? 0 : Math.min(FIRST_DELAY * 2 ** (crashes - 1), LAST_DELAY)
    log('a thread crashed, and is replaced in %d ms: %s', delay, error)
    const timer = setTimeout(() => {
      this.#timers.delete(timer)
      this.#add().catch((error) => this.#crashed(error))
    }, delay)
    timer.unref()
    this.#timers.add(timer)
  }

  // Rounds

  #grow(count) {
    for (let left = count; left > 0; left--) this.#add().catch((error) => this.#crashed(error))
  }

  #shrink(threads) {
    for (const thread of threads) thread.retire()
  }

  /**
   * Terminates a thread that is stuck. The events that it has not started go to other threads. Where there is none, one is
   * started before.
   */
  async #stuck(thread) {
    thread.isStuck = true
    const isElsewhere = this.#listening().some(({ isStuck }) => !isStuck)
    if (!isElsewhere && this.#closing === null) {
      try {
        await this.#add()
        thread.isReplaced = true
      } catch (error) {
        this.#host.onCrash(error, { threadId: thread.id, listener: undefined, count: 1 })
      }
    }
    // By now, it may have come to its end after all.
    if (thread.isReplaced && !thread.pulse.isStuck) {
      thread.retire()
      return
    }
    if (this.#closing !== null) this.#unsettled += this.#inFlight([thread])
    log('thread %d is stuck, and terminated', thread.id)
    thread.terminateStuck(stuckError(thread.id, this.#terminateAfter))
  }

  /** Tells the threads whether somebody handles the failures of their listeners. */
  handlerChanged() {
    for (const thread of this.#threads) thread.relay(this.#host.isHandled())
  }

  // Renewal and the end

  /**
   * Replaces all threads, one by one: a new one is ready before an old one finishes its events and ends. Calls while it
   * goes on are one.
   */
  recycle() {
    this.#recycling ??= this.#recycle().finally(() => {
      this.#recycling = null
    })
    return this.#recycling
  }

  async #recycle() {
    for (const thread of this.#listening()) {
      if (this.#closing !== null) return
      if (!thread.isListening) continue
      try {
        await this.#add()
      } catch (error) {
        if (this.#closing !== null) return
        throw error
      }
      if (thread.isListening) thread.retire()
      await thread.ended
    }
  }

  /**
   * Lets the listeners that run or are queued finish, then ends the threads. Those that have not ended in time are
   * terminated. Returns the same promise for every call.
   */
  close(options = {}) {
    validateCloseOptions(options)
    this.#closing ??= this.#end((thread) => thread.retire())
    if (options.timeout !== undefined && this.#state === 'closing') {
      clearTimeout(this.#limit)
      this.#limit = setTimeout(() => this.#terminateAll(), options.timeout)
    }
    return this.#closing
  }

  /** Ends the threads at once. Unsettled events fail with ThreadExitedError, or go to another listener of their group. */
  terminate() {
    this.#closing ??= this.#end(() => {})
    this.#terminateAll()
    return this.#closing
  }

  #terminateAll() {
    const threads = Array.from(this.#threads)
    this.#unsettled += this.#inFlight(threads.filter(({ isReady, isTerminated }) => isReady && !isTerminated))
    for (const thread of threads) thread.terminate()
  }

  #inFlight(threads) {
    return this.#loads(threads).reduce((sum, { inFlight }) => sum + inFlight, 0)
  }

  async #end(tell) {
    this.#start = null
    this.#state = 'closing'
    for (const timer of this.#timers) clearTimeout(timer)
    this.#timers.clear()
    const threads = Array.from(this.#threads)
    for (const thread of threads) {
      // One that is still starting has no events yet.
      if (!thread.isReady) thread.terminate()
      else if (!thread.isRetired) tell(thread)
    }
    await NativePromise.all(threads.map(({ ended }) => ended))
    clearTimeout(this.#limit)
    this.#rounds.stop()
    this.#state = 'closed'
    this.#host.onEnd(this)
    return { unsettled: this.#unsettled }
  }

  /** Its numbers, for `ParallelEventBus.metrics`. */
  get [METRICS]() {
    const { min, max } = this.#size
    const { threadIds } = this
    return {
      module: this.#shown,
      state: this.#state,
      minThreads: min,
      maxThreads: max,
      threadIds,
      restarts: this.#restarts,
    }
  }

  [inspect.custom](depth, options) {
    const { threadIds } = this
    const { min, max, isFixed } = this.#size
    const threads = isFixed ? max : `${min} to ${max}`
    const view = { module: this.#shown, threads, threadIds, state: this.#state }
    return depth < 0 ? '[ThreadPool]' : `ThreadPool ${inspect(view, { ...options, depth: null })}`
  }
}

// Older releases of Node 20 do not have it.
if (Symbol.asyncDispose !== undefined) {
  Object.defineProperty(ThreadPool.prototype, Symbol.asyncDispose, {
    async value() {
      await this.close()
    },
    configurable: true,
    writable: true,
  })
}

module.exports = { METRICS, ThreadPool }
