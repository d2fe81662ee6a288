'use strict'

// A bus with listeners that work, and count their events: none may be lost, come twice or overtake another.

const { performance } = require('node:perf_hooks')
const { setTimeout: wait } = require('node:timers/promises')
const { Tally } = require('./tally.js')

/** Number of looks without news after which missing calls are lost. Counted: a process may be stopped for a while. */
const LOOKS = 20
const LOOK_MS = 25

/** The work of a listener at each event. */
const WORK = {
  nothing() {},
  /** Holds its thread, as a computation does. */
  cpu(ms) {
    for (const end = performance.now() + ms; performance.now() < end; );
  },
  /** Waits without holding its thread, as for a database. */
  wait: (ms) => wait(ms),
}

class Workload {
  /** Time in ms at which a listener was called last; undefined without a clock. */
  lastStart
  /** Time in ms at which a listener settled last; undefined without a clock. */
  lastEnd
  #target
  #work
  #failEvery
  #now
  #tally
  #settled = 0
  #lost = 0
  #resolve = null

  /**
   * @param {{ bus: object, on: string, emit: string, event: string }} target
   * @param {{ events: number, listeners: number, kind: 'nothing' | 'cpu' | 'wait', ms?: number, failEvery?: number }}
   * load `events` is the number of events that will be emitted at most. The first listener throws at each event with a
   * number that `failEvery` divides
   * @param {() => number} [now] clock in ms, for `lastStart` and `lastEnd`. Reading one costs more than a small bus
   */
  constructor(target, { events, listeners, kind, ms = 0, failEvery = 0 }, now) {
    this.#target = target
    this.#work = () => WORK[kind](ms)
    this.#failEvery = failEvery
    this.#now = now
    this.#tally = new Tally({ events, listeners })
    for (let index = 0; index < listeners; index++) target.bus[target.on](target.event, this.#listener(index))
  }

  emit() {
    const { bus, emit, event } = this.#target
    bus[emit](event, { checkNumber: this.#tally.emitted() })
  }

  /**
   * Resolves when every listener of every emitted event has settled, or nothing more comes.
   *
   * @returns {Promise<boolean>} false if calls are lost
   */
  async done() {
    if (this.#open > 0) {
      const done = new Promise((resolve) => {
        this.#resolve = resolve
      })
      const stop = this.#watch()
      await done
      stop()
    }
    return this.#lost === 0
  }

  /** Calls of listeners so far: see `Tally.report`. */
  tally() {
    return this.#tally.report()
  }

  /** Number of calls that are waited for. */
  get #open() {
    return this.#tally.expected - this.#settled - this.#lost
  }

  #listener(index) {
    return (...args) => {
      const number = numberIn(args)
      if (this.#now !== undefined) this.lastStart = this.#now()
      this.#tally.called(index, number)
      return this.#run(index, number)
    }
  }

  #run(index, number) {
    if (index === 0 && this.#failEvery > 0 && number % this.#failEvery === 0) {
      this.#tally.failed()
      this.#settle()
      throw new Error('a listener of the check that fails on purpose')
    }
    const result = this.#work()
    if (result === undefined) this.#settle()
    else return result.then(() => this.#settle())
  }

  #settle() {
    if (this.#now !== undefined) this.lastEnd = this.#now()
    this.#settled++
    if (this.#open <= 0) this.#resolve?.()
  }

  #watch() {
    let seen = this.#settled
    let looks = 0
    const timer = setInterval(() => {
      looks = this.#settled === seen ? looks + 1 : 0
      seen = this.#settled
      if (looks < LOOKS) return
      // Not waited for again.
      this.#lost += this.#open
      this.#resolve()
    }, LOOK_MS)
    return () => clearInterval(timer)
  }
}

/** The event's number, in an argument or, where the bus puts data into an envelope, in a property of one. */
function numberIn(args) {
  for (const value of args) {
    if (typeof value?.checkNumber === 'number') return value.checkNumber
  }
  for (const value of args) {
    const data = Object.values(value ?? {}).find((each) => typeof each?.checkNumber === 'number')
    if (data !== undefined) return data.checkNumber
  }
  return Number.NaN
}

module.exports = { Workload }
