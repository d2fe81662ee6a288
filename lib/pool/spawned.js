'use strict'

// One thread of a pool, seen from the pool: starting, then ready, perhaps retired, then ended. Pool and thread talk through
// a port of their own, because `parentPort` belongs to the user's module.

const { clearTimeout, setTimeout } = require('node:timers')
const { performance } = require('node:perf_hooks')
const { MessageChannel, receiveMessageOnPort } = require('node:worker_threads')
const { decodeAlone } = require('../codec/index.js')
const { ThreadExitedError, exitCodeError } = require('../errors.js')
const log = require('../log.js')
const { Deferred } = require('../promises.js')
const { pipeOutput } = require('./output.js')
const { Pulse } = require('./pulse.js')

/** Milliseconds until a warning that a thread is not ready. */
const PATIENCE = 10_000

class SpawnedThread {
  /** True once the module has registered its listeners. */
  isReady = false
  /** True once it was told to finish its events and end, or was terminated. */
  isRetired = false
  /** True once this thread knows, from any source, that the other one has ended. */
  isGone = false
  /** True if it was terminated. */
  isTerminated = false
  /** True if it was found stuck. */
  isStuck = false
  /** True if another one was started in its place, before its end. */
  isReplaced = false
  /** Number by which its bus is known in the channel, once it is ready. */
  member = 0
  /** @type {Pulse | null} where a turn of the thread may not last for ever */
  pulse = null
  #worker
  #port
  #source
  #host
  /** @type {{ error: unknown } | null} the first error that the thread has failed with */
  #thrown = null
  #ready = new Deferred()
  #ended = new Deferred()
  #impatience

  /**
   * @param {import('./module.js').PoolModule | import('./factory.js').WorkerFactory} source of its worker
   * @param {import('./serve.js').About} about passed to the thread
   * @param {{ terminateAfter?: number, stdout?: object, stderr?: object }} options of `spawn`
   * @param {import('./pool.js').Host} host
   */
  constructor(source, about, options, host) {
    this.#source = source
    this.#host = host
    this.#start(about, options)
    this.id = this.#worker.threadId
    log('spawned thread %d', this.id)
    const startedAt = Date.now()
    host.watchThread(this.id, () => {
      this.isGone = true
    })
    this.#worker.once('exit', (code) => {
      host.watchThread(this.id, null)
      this.isGone = true
      const why = this.#end(() => host.exitReason(this.id) ?? exitCodeError(code))
      this.#ended.resolve({ why, lifetime: Date.now() - startedAt })
      this.#ready.reject(why)
    })
    this.#bePatient(`${source.name} has not loaded`)
  }

  #start(about, options) {
    const { terminateAfter } = options
    if (terminateAfter !== undefined) this.pulse = new Pulse(terminateAfter, performance.now())
    const pulse = this.pulse === null ? undefined : { beats: this.pulse.beats, every: this.pulse.every }
    const { port1, port2 } = new MessageChannel()
    try {
      this.#worker = this.#source.start({ ...about, relays: this.#host.isHandled(), pulse }, port2)
    } catch (error) {
      port1.close()
      throw error
    }
    // Not `once`: a second error without a listener would end this thread, too.
    this.#worker.on('error', (error) => {
      this.#thrown ??= { error }
    })
    pipeOutput(this.#worker, options)
    this.#port = port1
    port1.on('message', (message) => this.#hear(message))
    // The worker keeps this thread until it is ready.
    port1.unref()
  }

  /** Resolves when the module has registered its listeners. Rejects with the reason why it has not. */
  get ready() {
    return this.#ready.promise
  }

  /** Resolves when the thread has ended, with the reason and its lifetime in milliseconds. */
  get ended() {
    return this.#ended.promise
  }

  /** True while events go to it. */
  get isListening() {
    return this.isReady && !this.isRetired && !this.isGone
  }

  /** Lets the thread finish its events, and then end. */
  retire() {
    this.isRetired = true
    this.#worker.ref()
    this.#port.postMessage({ is: 'close' })
  }

  /** Ends the thread at once. */
  terminate() {
    this.isRetired = true
    this.#kill()
  }

  /** Ends the thread at once, with a reason for those with events there. For the pool it has crashed. */
  terminateStuck(error) {
    this.#host.leaveReason(this.id, error)
    this.#kill()
  }

  #kill() {
    this.isTerminated = true
    this.#worker.ref()
    this.#worker.terminate()
  }

  /** Tells the thread whether somebody handles the failures of its listeners. */
  relay(relays) {
    this.#port.postMessage({ is: 'relay', relays })
  }

  #hear({ is, ...about }) {
    if (is === 'failure') this.#hearFailure(about)
    else if (is === 'not torn down') this.#host.onTeardownFailed(decode(about.error), this.#origin())
    else if (is === 'loaded') this.#bePatient(`the function of ${this.#source.name} has not resolved`)
    else if (is === 'ready') this.#beReady(about.member)
    else this.#fail(this.#errorOf(is, about))
  }

  #hearFailure({ event, error, listener, count }) {
    this.#port.postMessage({ is: 'read' })
    this.#host.onFailure(eventOf(event), decode(error), this.#origin(listener, count))
  }

  #origin(listener = undefined, count = 1) {
    return { threadId: this.id, listener, count }
  }

  #errorOf(is, { error, ...about }) {
    if (is === 'without function') return this.#source.exportError(about)
    const thrown = decode(error)
    return is === 'not loaded' ? this.#source.loadError(thrown) : thrown
  }

  #beReady(member) {
    clearTimeout(this.#impatience)
    // Too late: its exit is awaited, and has to keep the process.
    if (this.isTerminated) return
    this.isReady = true
    this.member = member
    this.#host.watchLoad(member, true)
    log('thread %d is ready', this.id)
    // From now on events in flight keep the process alive, and an idle thread does not.
    this.#worker.unref()
    this.#ready.resolve()
  }

  #fail(error) {
    this.#thrown ??= { error }
    this.#ready.reject(error)
    // It is ending by itself, unless the module has a way to prevent that.
    this.#kill()
  }

  #end(exitReason) {
    // The thread's last messages may come later than its end.
    for (let last = this.#next(); last !== undefined; last = this.#next()) this.#hear(last.message)
    this.#port.close()
    if (this.member !== 0) this.#host.watchLoad(this.member, false)
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

function decode(bytes) {
  return decodeAlone(bytes, 0, bytes.length)
}

/** Returns the name of an event of another thread. A symbol that is not registered is nobody's here: only its text is left. */
function eventOf(event) {
  if (typeof event !== 'object') return event
  return event.symbol === undefined ? event.text : Symbol.for(event.symbol)
}

module.exports = { SpawnedThread }
