'use strict'

// One bus for all of the application: names of three levels with wildcards, requests, history, health.

const { randomUUID } = require('node:crypto')
const { performance } = require('node:perf_hooks')
const { ParallelEventBus } = require('../bus/index.js')
const { unheardError } = require('./errors.js')
const { Health } = require('./health.js')
const { Replies } = require('./replies.js')
const { matches, patternsOf, validateName, validatePattern } = require('./topic.js')

/** Milliseconds since 1970, with their fractions: latencies are less than one. */
const clock = () => performance.timeOrigin + performance.now()

class UnifiedBus extends ParallelEventBus {
  #now
  #health
  #historyLimit
  #history = []
  #replies = new Replies()

  /** @param {{ historyLimit?: number, now?: () => number }} options and those of the base class */
  constructor({ historyLimit = 1000, now = clock, ...options } = {}) {
    super(options)
    this.#now = now
    this.#health = new Health({ now })
    this.#historyLimit = historyLimit
  }

  /** @param {string} name of three levels, such as `perception:human:state` */
  publish(name, payload, { source } = {}) {
    const event = this.#event(name, payload, source)
    this.#deliver(event)
    return event
  }

  /** Returns a function that takes the subscription back. Any level of the pattern may be `*`. */
  subscribe(pattern, handler) {
    validatePattern(pattern)
    const listener = (event) => this.#timed(handler, event)
    this.on(pattern, listener)
    return () => {
      this.off(pattern, listener)
    }
  }

  /**
   * Publishes, and resolves to the first value that a subscriber passes to `event.reply`. Rejects with `ERR_BUS_TIMEOUT`
   * or `ERR_BUS_UNHEARD`.
   *
   * Not the base class's `request`, which goes to one listener of one name: here any of those that match may reply.
   */
  request(name, payload, { timeout = 5000, source } = {}) {
    const event = this.#event(name, payload, source)
    const reply = this.#replies.wait(event, timeout)
    if (!this.#deliver(event)) this.#replies.fail(event.id, unheardError(name))
    return reply
  }

  /** The last events that pass every filter that is given, oldest first. */
  history({ pattern = '*:*:*', source, since = 0, limit = this.#historyLimit } = {}) {
    validatePattern(pattern)
    return this.#history
      .filter((event) => matches(pattern, event.name) && event.timestamp >= since)
      .filter((event) => source === undefined || event.source === source)
      .slice(-limit)
  }

  /** Events per second, of the last ten; the median and the 95th percentile of the times of handlers, in ms. */
  health() {
    return this.#health.report()
  }

  #event(name, payload, source = 'unknown') {
    validateName(name)
    const id = randomUUID()
    const reply = (answer) => this.#replies.settle(id, answer)
    return { id, name, type: name, payload, source, timestamp: this.#now(), reply }
  }

  /** Returns whether anyone subscribes. */
  #deliver(event) {
    this.#health.published()
    this.#history.push(event)
    if (this.#history.length > this.#historyLimit) this.#history.shift()
    // Not `some`: every pattern is told.
    return patternsOf(event.name).filter((pattern) => this.emit(pattern, event)).length > 0
  }

  /** Throws and rejects as the handler does: the base class deals with that. */
  #timed(handler, event) {
    const done = () => this.#health.handled(this.#now() - event.timestamp)
    let result
    try {
      result = handler(event)
    } finally {
      if (typeof result?.then === 'function') result.then(done, done)
      else done()
    }
    return result
  }
}

module.exports = { UnifiedBus }
