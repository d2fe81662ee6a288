'use strict'

// An emission with a deadline or an abort signal: what `bus.with({ timeout, signal })` emits.

const { clearTimeout, setTimeout } = require('node:timers')
const { Emission } = require('./emission.js')
const { ListenerTimeoutError } = require('./errors.js')
const { onAbort } = require('./signals.js')

class LimitedEmission extends Emission {
  #limits
  #timer
  #release
  #started = false
  #aborted = false
  #finished = false
  /** Indexes of the listeners that are done, one way or another. What they do later is ignored. */
  #settled = new Set()

  /** @param {{ timeout?: number, signal?: AbortSignal }} limits the time counts from here, queueing included */
  constructor(dispatcher, event, listeners, args, outcome, limits) {
    super(dispatcher, event, listeners, args, outcome)
    this.#limits = limits
    if (limits.timeout !== undefined) this.#timer = setTimeout(() => this.#expire(), limits.timeout)
    if (limits.signal !== undefined) this.#release = onAbort(limits.signal, () => this.#abort())
  }

  start() {
    if (this.#finished) return
    this.#started = true
    super.start()
  }

  call(listener, index, bus, args) {
    // Taken back by the abort of a listener before it.
    if (this.#aborted) this.succeed(index)
    else if (super.call(listener, index, bus, args)) this.succeed(index)
    return false
  }

  followPromise(promise, index) {
    promise.then(
      () => this.succeed(index),
      (error) => this.fail(index, error),
    )
  }

  succeed(index) {
    if (this.#close(index)) super.succeed(index)
  }

  fail(index, error) {
    if (this.#close(index)) super.fail(index, error)
  }

  finish() {
    this.#finished = true
    clearTimeout(this.#timer)
    this.#release?.()
    super.finish()
  }

  /** Returns false where the listener at `index` was done before. */
  #close(index) {
    if (this.#settled.has(index)) return false
    this.#settled.add(index)
    return true
  }

  #expire() {
    const { event } = this
    const { timeout } = this.#limits
    const count = this.unsettled + this.#settled.size
    // Whoever is told of a failure may abort the signal, and with it what is left.
    for (let index = 0; index < count && !this.#finished; index++) {
      if (!this.#settled.has(index)) this.fail(index, new ListenerTimeoutError(event, this.listener(index), timeout))
    }
  }

  /** Tells who waits, and takes the emission back if it has not started. Running listeners go on. */
  #abort() {
    this.#aborted = true
    this.outcome?.abort(this.#limits.signal.reason)
    if (this.#started || this.#finished) return
    this.listeners = []
    this.finish()
  }
}

module.exports = { LimitedEmission }
