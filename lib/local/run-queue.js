'use strict'

// This thread's run queue and its drain: one FIFO of emissions for all buses of the thread.
//
// The first emission in an empty run queue asks the engine for one wake; the engine's threadsafe function then
// calls the drain from the event loop. That is one crossing into Rust for a burst of any length. A drain is
// bounded, in emissions and in time, and goes on in the next turn, so that timers and I/O get theirs.

const { performance } = require('node:perf_hooks')
const { setImmediate } = require('node:timers')
const { isInSandbox, wakeSandbox } = require('./sandbox.js')
const native = require('../native.js')
const { isTraced } = require('./trace-channels.js')
const { version } = require('../../package.json')

/** Number of emissions, or of milliseconds, after which a drain gives the event loop its turn. */
const TURN_EMISSIONS = 16_384
const TURN_MS = 4
/**
 * Reading the clock costs as much as an emission, so it is read after 1, 2, 4, … of them and then after every
 * so many: slow listeners are noticed at once, and fast ones pay little.
 */
const CLOCK_EVERY = 32
/** Number of emissions that listeners may add while the process exits; more is taken for an endless exchange. */
const EXIT_EXTRA = 10_000

/** Bun and Deno have event loops of their own. */
const HAS_LIBUV = process.versions.bun === undefined && process.versions.deno === undefined

class RunQueue {
  // A list linked through `emission.next`.
  #head = null
  #tail = null
  /** Number of emissions queued, and of those started, since the thread began. */
  #emitted = 0
  #started = 0
  /** True if a drain is on its way or running, so that it need not be asked for. */
  #scheduled = false
  /** The emission that is starting its listeners, or null. */
  #current = null
  /** Number of emissions there had been when `#current` was started. */
  #emittedBefore = 0
  /** True while the process is in its `exit` event: no event loop will call a drain any more. */
  #exiting = false
  /** The link to other threads, once a bus of this one is in a channel: see `channel/link.js`. */
  link = null
  /** True if a tracing channel has subscribers. Looked at once a turn, which is cheaper than for each emission. */
  isTraced = false
  /** @type {Set<import('./gate.js').Gate>} of listeners that have as many calls as may run at once */
  fullGates = new Set()
  /** True if somebody wants to know of each emission here: a bus that records times or propagates, or a trace. */
  hasWatchers = false
  /** True if either is so. */
  isWatched = false
  /** The trace that this thread writes; see `observe/trace-file.js`. Null without one. */
  trace = null
  /** True if messages wait to be read for which the engine sends no wake. */
  #mustRead = false
  /** True if the drain goes on in the next turn. */
  #goesOn = false
  /** Number of turns. */
  turn = 0
  #handle = 0

  constructor() {
    process.on('exit', this.#onExit)
  }

  /** Queues an emission. It starts in a later turn, after all that were queued before. */
  push(emission) {
    // An event of a listener has the rank of the emission it was called for: see `listeners/removals.js`.
    emission.rank = this.#current === null ? this.#emitted + 1 : this.#current.rank
    this.resume(emission)
  }

  /** Queues what has waited elsewhere. Its rank stays. */
  resume(emission) {
    this.#emitted++
    const last = this.#tail
    this.#tail = emission
    if (last === null) this.#head = emission
    else last.next = emission
    if (!this.#scheduled) this.#schedule()
  }

  /** True if no emission is queued. */
  get isEmpty() {
    return this.#head === null
  }

  /** The emission that is starting its listeners right now, or null. */
  get current() {
    return this.#current
  }

  /** Number of emissions there have been. */
  get emitted() {
    return this.#emitted
  }

  /** Number of emissions there had been when the current one was started. */
  get emittedBefore() {
    return this.#emittedBefore
  }

  /** Number of emissions that have been started, the current one included. They start in the order they were queued. */
  get started() {
    return this.#started
  }

  /** True while the process is in its `exit` event. */
  get exiting() {
    return this.#exiting
  }

  /** The name of this thread to the engine, from its first emission on. */
  get handle() {
    if (this.#handle === 0) {
      const { threadId } = require('node:worker_threads')
      // Until Node 22, the engine calls the drain in the async context in which it got it. So there is to be none.
      native.callOutside(() => {
        this.#handle = native.attach(this.#drain, threadId, HAS_LIBUV)
      })
    }
    return this.#handle
  }

  #schedule() {
    if (this.#exiting) {
      this.#flush()
      return
    }
    // Only a channel needs a handle of the sandbox's own.
    if (isInSandbox && this.#handle === 0) wakeSandbox(this.#drain)
    else native.wake(this.handle)
    // Not before: had the call failed, for want of stack, say, no later emission would ask again.
    this.#scheduled = true
  }

  /** Has messages read in a later turn, although no wake comes for them. */
  readSoon() {
    this.#mustRead = true
    // A drain that is running, or on its way, sees to it.
    if (this.#scheduled) return
    this.#scheduled = true
    this.#goesOn = true
    setImmediate(this.#goOn)
  }

  #goOn = () => {
    this.#goesOn = false
    this.#drain(this.#mustRead)
  }

  /** Drains. Called by the engine after a wake, and by itself for the rest. Never throws: listeners are isolated. */
  #drain = (hasMessages) => {
    const end = performance.now() + TURN_MS
    let look = 1
    this.turn++
    // Reading queues emissions, and these are not to ask for another drain.
    this.#scheduled = true
    this.#lookForWatchers()
    try {
      if (hasMessages) this.#mustRead = this.link.read()
      for (let count = 1; this.#head !== null && count <= TURN_EMISSIONS; count++) {
        this.#startNext()
        if (count < look) continue
        if (performance.now() > end) break
        look += Math.min(look, CLOCK_EVERY)
      }
    } finally {
      // Also after a throw: the other emissions are not to suffer for it.
      if (this.link !== null) this.link.turned()
      if (this.#head === null && !this.#mustRead) this.#scheduled = false
      else if (!this.#goesOn) {
        this.#goesOn = true
        setImmediate(this.#goOn)
      }
    }
  }

  #lookForWatchers() {
    this.isTraced = isTraced()
    this.isWatched = this.isTraced || this.hasWatchers
  }

  #startNext() {
    const emission = this.#head
    this.#head = emission.next
    if (this.#head === null) this.#tail = null
    // A listener may hold on to its emission for long; it must not hold all later ones with it.
    emission.next = null
    const outer = this.#current
    this.#current = emission
    this.#emittedBefore = this.#emitted
    this.#started++
    try {
      emission.runInAsyncScope(emission.start, emission)
    } finally {
      this.#current = outer
    }
  }

  /**
   * Starts queued emissions in the `exit` event, and those of exit handlers at once. `process.exit()` right after an emit
   * would lose the event, where EventEmitter would have delivered it.
   */
  #onExit = () => {
    this.#exiting = true
    this.link?.burst.close()
    for (const gate of this.fullGates) gate.open()
    this.#flush()
  }

  #flush() {
    this.#scheduled = true
    this.turn++
    this.#lookForWatchers()
    let left = this.#emitted - this.#started + EXIT_EXTRA
    while (this.#head !== null && left-- > 0) this.#startNext()
    this.link?.acks.flush()
    this.#scheduled = false
  }
}

/**
 * The key of this thread's run queue. It is a registered symbol, so that several copies of the library (of one version)
 * in one thread still deliver in one order, with one wake.
 */
const key = Symbol.for(`@cynic/parallel-event-bus@${version}/run-queue`)
if (process[key] === undefined) Object.defineProperty(process, key, { value: new RunQueue() })

module.exports = process[key]
