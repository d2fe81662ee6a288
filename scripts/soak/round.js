'use strict'

// A round: threads that live for some seconds, end and are replaced, while the main thread lives on. Then all come to
// their ends.

const path = require('node:path')
const { setTimeout: wait } = require('node:timers/promises')
const { Worker } = require('node:worker_threads')
const { Actor, PATIENCE_MS, PURPOSE } = require('./actor.js')
const { Checks } = require('./checks.js')
const { Random } = require('./random.js')
const { tracing } = require('./watch.js')

const MOST_THREADS = 5
/** Share of the rounds with a trace. */
const TRACED = 0.3
const THREAD = path.join(__dirname, 'thread.js')

/** The actions of threads, and their frequencies: each round has its own. */
const WEIGHTS = {
  post: 10,
  postGrouped: 6,
  wait: 6,
  request: 6,
  bounded: 3,
  takenBack: 2,
  listen: 2,
  remove: 2,
  listenFor: 1,
  idle: 1,
  look: 0.5,
  burn: 0.5,
  ref: 0.5,
  join: 0.5,
  leave: 0.5,
  pool: 0.06,
  die: 0.1,
}

function weightsOf(random) {
  return Object.fromEntries(
    Object.entries(WEIGHTS).map(([action, weight]) => [action, weight * random.of([0.1, 1, 1, 4])]),
  )
}

class Round {
  /** How threads ended, counted. */
  ends = {}
  #random
  #ledger
  #channels
  #weights
  #checks
  #threads = new Set()

  constructor(ledger, seed) {
    this.#ledger = ledger
    this.#random = new Random(seed)
    this.#checks = new Checks(ledger, 'the round')
    this.#channels = [`soak ${seed} a`, `soak ${seed} b`].slice(0, this.#random.integer(1, 2))
    this.#weights = weightsOf(this.#random)
  }

  async run(ms) {
    const endTrace = this.#random.chance(TRACED) ? tracing(this.#checks) : null
    const timer = setTimeout(() => this.#ledger.add('over'), ms)
    const main = new Actor(this.#ledger, this.#part(0), null)
    const threads = Array.from({ length: this.#random.integer(1, MOST_THREADS) }, () => this.#keepThread())
    await main.live()
    clearTimeout(timer)
    this.#ledger.add('over')
    await main.end()
    await Promise.race([Promise.all(threads), this.#nothingHappens()])
    this.#endLate()
    await Promise.all(threads)
    await endTrace?.()
  }

  #part(thread) {
    return { seed: this.#random.seed(), thread, channels: this.#channels, weights: this.#weights }
  }

  /** Starts a thread, and another one when it ends. */
  async #keepThread() {
    while (!this.#ledger.isOver) await this.#seeThrough()
  }

  /** Resolves when a thread has ended. */
  #seeThrough() {
    const part = this.#part(1 + this.#ledger.add('threads'))
    const worker = new Worker(THREAD, { workerData: { memory: this.#ledger.memory, part } })
    this.#threads.add(worker)
    let end = 'exited'
    const terminate = (why) => {
      end = why
      worker.terminate()
    }
    if (this.#random.chance(0.3)) setTimeout(terminate, this.#random.integer(0, 1500), 'was terminated').unref()
    worker.on('message', (message) => {
      if (message === 'hangs') setTimeout(terminate, this.#random.integer(0, 30), 'was terminated in a loop')
      if (message === 'done') end = 'was done'
    })
    worker.on('error', (error) => {
      end = 'failed'
      if (error.message !== PURPOSE) this.#checks.violated('a thread failed', error)
    })
    return new Promise((resolve) => {
      worker.on('exit', () => {
        this.#threads.delete(worker)
        this.ends[end] = (this.ends[end] ?? 0) + 1
        resolve()
      })
    })
  }

  /** Resolves when it is of no use to wait for threads any more. */
  async #nothingHappens() {
    let seen
    do {
      seen = this.#ledger.get('heard')
      await wait(2 * PATIENCE_MS, undefined, { ref: false })
    } while (this.#ledger.get('heard') > seen)
  }

  /** Ends the threads that have not ended by themselves. */
  #endLate() {
    if (this.#threads.size === 0) return
    this.#checks.violated(`${this.#threads.size} threads do not end, although nothing is left to do`)
    for (const worker of this.#threads) worker.terminate()
  }
}

module.exports = { Round }
