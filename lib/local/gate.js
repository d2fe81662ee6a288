'use strict'

// The gate of a listener with `concurrency`, or of several that share it: no more than so many of their calls run at once. A
// call begins when an emission calls the listener, and ends when it has returned, or its promise has settled. Calls by hand,
// of what `rawListeners()` shows, do not count.
//
// What is beyond waits, in order. Where the listener is the only one of its emission, the whole emission may wait before it
// is started: then another thread may still take it over, and the emitter may cancel it. Else the other listeners of the
// emission are called, and this call alone waits.
//
// A call that ends hands its place to the next one that waits, which goes through the run queue: so however many wait,
// timers and I/O get their turns.

const { adopt, follow, thenOf } = require('../promises.js')
const runQueue = require('./run-queue.js')

/** Number of waiting calls from which on those that nobody needs any more are looked for. */
const FIRST_SWEEP = 1024

class Gate {
  /** @type {Set<import('../listeners/registration.js').Registration>} registrations of its listeners */
  registrations = new Set()
  #most
  #running = 0
  // A list linked through `waiting.next`.
  #first = null
  #last = null
  #count = 0
  #sweepAt = FIRST_SWEEP
  /** True while a call that has a place is on its way to `pass`. */
  #isAdmitting = false

  constructor(most) {
    this.#most = most
  }

  /** True if the next call has to wait. */
  get isFull() {
    return this.#running >= this.#most && !this.#isAdmitting
  }

  /** Calls a listener. Returns its result, or what is to `wait` for an emission if it cannot be called yet. */
  pass(registration, listener, bus, args) {
    if (this.isFull) return new Waiting(registration)
    if (this.#isAdmitting) this.#isAdmitting = false
    else this.#enter()
    let promise
    try {
      const result = Reflect.apply(listener, bus, args)
      const itsThen = thenOf(result)
      if (itsThen === undefined) {
        this.leave()
        return result
      }
      promise = adopt(result, itsThen)
    } catch (error) {
      this.leave()
      throw error
    }
    follow(promise, this.leave, this.leave)
    return promise
  }

  #enter() {
    if (++this.#running === this.#most) runQueue.fullGates.add(this)
  }

  /** Ends a call. The next one that waits gets its place. */
  leave = () => {
    const next = this.#takeWanted()
    if (next !== null) {
      runQueue.resume(next)
    } else if (this.#running-- === this.#most) {
      runQueue.fullGates.delete(this)
      runQueue.link?.hasPlace()
    }
  }

  /** Has `work` call the listener, in a place that was handed over. */
  admit(work) {
    this.#isAdmitting = true
    try {
      work()
    } finally {
      // It has not come to a call.
      if (this.#isAdmitting) {
        this.#isAdmitting = false
        this.leave()
      }
    }
  }

  add(waiting) {
    if (this.#count >= this.#sweepAt) this.#sweep()
    this.#append(waiting)
  }

  #append(waiting) {
    waiting.next = null
    if (this.#first === null) this.#first = waiting
    else this.#last.next = waiting
    this.#last = waiting
    this.#count++
  }

  #take() {
    const first = this.#first
    if (first === null) return null
    this.#first = first.next
    first.next = null
    this.#count--
    return first
  }

  #takeWanted() {
    let next = this.#take()
    while (next?.isOver) {
      next.drop()
      next = this.#take()
    }
    return next
  }

  /** Drops what was cancelled, has timed out or was taken over: however long the listener runs, it does not pile up. */
  #sweep() {
    for (let left = this.#count; left > 0; left--) {
      const waiting = this.#take()
      if (waiting.isOver) waiting.drop()
      else this.#append(waiting)
    }
    this.#sweepAt = Math.max(FIRST_SWEEP, 2 * this.#count)
  }

  /** Lets all through that wait: the process ends, and no call will. */
  open() {
    this.#most = Number.POSITIVE_INFINITY
    for (let next = this.#takeWanted(); next !== null; next = this.#takeWanted()) {
      this.#running++
      runQueue.resume(next)
    }
  }
}

/** The call of one listener of an emission, or a whole emission, that waits at a gate, and then in the run queue. */
class Waiting {
  next = null
  emission = null
  index = 0
  #registration

  constructor(registration) {
    this.#registration = registration
  }

  /** Waits for the place of a call. Then the emission is told to `resume`, or to `drop` it if it is over by then. */
  wait(emission, index) {
    this.emission = emission
    this.index = index
    this.#registration.gate.add(this)
  }

  get rank() {
    return this.emission.rank
  }

  get isOver() {
    return this.emission.rank > this.#registration.removedFrom || this.emission.isOver(this.index)
  }

  drop() {
    this.emission.drop(this.index)
  }

  runInAsyncScope(work, self) {
    this.emission.runInAsyncScope(work, self)
  }

  /** Called by the drain, in the async context of the emitter. */
  start() {
    this.#registration.gate.admit(() => {
      if (this.isOver) this.drop()
      else this.emission.resume(this.index)
    })
  }
}

module.exports = { Gate, Waiting }
