'use strict'

// The bus of the core: envelopes, middlewares, requests. It stays an EventEmitter, for events about itself (`blocked`,
// `cleared`), which are heard at once. Published events go through the bus it holds.

const { randomUUID } = require('node:crypto')
const { EventEmitter } = require('node:events')
const { ParallelEventBus } = require('../bus/index.js')
const { blockedError, clearedError } = require('./errors.js')
const { Replies } = require('./replies.js')

const EVERYTHING = '*'
const COMPONENT_ERROR = 'component:error'

class CoreBus extends EventEmitter {
  #parallelBus
  #source
  #historyLimit
  #history = []
  #middlewares = new Set()
  #replies = new Replies()

  /**
   * @param {object} options
   * @param {string} [options.source] the publisher, where `publish` does not name one
   * @param {number} [options.historyLimit]
   * @param {new () => EventEmitter} [options.Emitter] the base that carries the events. `EventEmitter` is the way back.
   */
  constructor({ source = 'core', historyLimit = 1000, Emitter = ParallelEventBus } = {}) {
    super()
    this.#source = source
    this.#historyLimit = historyLimit
    this.#parallelBus = new Emitter()
    this.#parallelBus.setMaxListeners(0)
  }

  /**
   * Adds a function that sees each envelope before anybody else. One that returns `false` blocks it. Returns a function
   * that takes it out.
   */
  use(middleware) {
    this.#middlewares.add(middleware)
    return () => {
      this.#middlewares.delete(middleware)
    }
  }

  /** Returns the envelope, or null where a middleware blocked it. */
  publish(type, payload, options) {
    const envelope = this.#envelope(type, payload, options)
    return this.#deliver(envelope) ? envelope : null
  }

  /** Returns a function that takes the subscription back. The type `*` is everything. */
  subscribe(type, handler) {
    return this.#listen('on', type, handler)
  }

  /** As `subscribe`, for one event. */
  subscribeOnce(type, handler) {
    return this.#listen('once', type, handler)
  }

  /**
   * Publishes, and resolves to the payload of the first reply. Rejects with `ERR_BUS_TIMEOUT`, `ERR_BUS_BLOCKED` or
   * `ERR_BUS_CLEARED`.
   */
  request(type, payload, { timeout = 5000, ...options } = {}) {
    const envelope = this.#envelope(type, payload, options)
    // Waited for before it is published: with an EventEmitter the reply comes during `publish`.
    const reply = this.#replies.wait(envelope, timeout)
    if (!this.#deliver(envelope)) this.#replies.fail(envelope.id, blockedError(type))
    return reply
  }

  /** The last envelopes, oldest first. */
  history({ type, limit = this.#historyLimit } = {}) {
    const envelopes = type === undefined ? this.#history : this.#history.filter((each) => each.type === type)
    return envelopes.slice(-limit)
  }

  /** Forgets subscriptions, middlewares and history, and fails the requests that wait. */
  clear() {
    this.#parallelBus.removeAllListeners()
    this.#middlewares.clear()
    this.#history.length = 0
    this.#replies.failAll(clearedError)
    this.emit('cleared')
  }

  /** Resolves when every handler of every published event has settled; at once where events are delivered at once. */
  async idle() {
    await this.#parallelBus.idle?.()
  }

  #envelope(type, payload, { source = this.#source, correlationId } = {}) {
    const id = randomUUID()
    const reply = (answer) => this.#reply(envelope, answer)
    const envelope = { id, type, payload, timestamp: Date.now(), source, correlationId: correlationId ?? id, reply }
    return envelope
  }

  #reply({ id, type, correlationId }, answer) {
    const envelope = this.publish(`${type}:reply`, answer, { correlationId })
    if (envelope !== null) this.#replies.settle(id, answer)
    return envelope
  }

  #deliver(envelope) {
    for (const middleware of this.#middlewares) {
      if (middleware(envelope) !== false) continue
      this.emit('blocked', envelope)
      return false
    }
    this.#history.push(envelope)
    if (this.#history.length > this.#historyLimit) this.#history.shift()
    this.#parallelBus.emit(envelope.type, envelope)
    this.#parallelBus.emit(EVERYTHING, envelope)
    return true
  }

  #listen(how, type, handler) {
    const listener = (envelope) => this.#handle(handler, envelope)
    this.#parallelBus[how](type, listener)
    return () => {
      this.#parallelBus.off(type, listener)
    }
  }

  async #handle(handler, envelope) {
    try {
      await handler(envelope)
    } catch (error) {
      this.#failed(error, envelope)
    }
  }

  #failed(error, { id, type, correlationId }) {
    // A handler of failures that fails itself must not go round.
    if (type === COMPONENT_ERROR) process.emitWarning(error)
    else this.publish(COMPONENT_ERROR, { error, type, id }, { correlationId })
  }
}

module.exports = { CoreBus }
