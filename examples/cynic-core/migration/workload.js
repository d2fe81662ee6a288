'use strict'

// A bus with listeners that work, and count what they hear: no event may be lost, come twice or overtake another.

const { performance } = require('node:perf_hooks')
const { setTimeout: wait } = require('node:timers/promises')

/** What has not come after so many looks is lost. Counted, not timed: a process may be stopped for a while. */
const LOOKS = 20
const LOOK_MS = 25

/** What a listener does with each event. */
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
  #target
  #work
  #failEvery
  #listeners
  #event
  #emitted = 0
  #heard = 0
  #settled = 0
  #failed = 0
  #disordered = 0
  #lost = 0
  #resolve = null

  /**
   * @param {{ bus: object, on: string, emit: string, event: string }} target
   * @param {{ listeners: number, kind: 'nothing' | 'cpu' | 'wait', ms?: number, failEvery?: number }} load the first
   * listener throws at each event whose number `failEvery` divides
   */
  constructor(target, { listeners, kind, ms = 0, failEvery = 0 }) {
    this.#target = target
    this.#work = () => WORK[kind](ms)
    this.#failEvery = failEvery
    this.#listeners = listeners
    this.#event = target.event
    for (let index = 0; index < listeners; index++) target.bus[target.on](this.#event, this.#listener(index))
  }

  emit() {
    this.#target.bus[this.#target.emit](this.#event, { checkNumber: this.#emitted++ })
  }

  /** Resolves when every listener of what was emitted has settled, or nothing more comes. */
  async done() {
    if (this.#settled + this.#lost >= this.#expected) return
    const done = new Promise((resolve) => {
      this.#resolve = resolve
    })
    const stop = this.#watch()
    await done
    stop()
  }

  /** Calls of listeners so far. */
  tally() {
    return {
      expected: this.#expected,
      missing: Math.max(0, this.#expected - this.#heard),
      repeated: Math.max(0, this.#heard - this.#expected),
      disordered: this.#disordered,
      failed: this.#failed,
    }
  }

  get #expected() {
    return this.#emitted * this.#listeners
  }

  #listener(index) {
    let next = 0
    return (...args) => {
      const number = numberIn(args)
      if (number !== next) this.#disordered++
      next = number + 1
      this.#heard++
      return this.#run(index, number)
    }
  }

  #run(index, number) {
    if (index === 0 && this.#failEvery > 0 && number % this.#failEvery === 0) {
      this.#failed++
      this.#settle()
      throw new Error('a listener of the check that fails on purpose')
    }
    const result = this.#work()
    if (result === undefined) this.#settle()
    else return result.then(() => this.#settle())
  }

  #settle() {
    this.#settled++
    if (this.#settled + this.#lost === this.#expected) this.#resolve?.()
  }

  #watch() {
    let seen = this.#settled
    let looks = 0
    const timer = setInterval(() => {
      looks = this.#settled === seen ? looks + 1 : 0
      seen = this.#settled
      if (looks < LOOKS) return
      // Not waited for again.
      this.#lost = this.#expected - this.#settled
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
