'use strict'

// The bus that the services talk over. It was `class ServicesBus extends EventEmitter`: that word, and the line that
// imports it, are all that changed.

const { randomUUID } = require('node:crypto')
const { ParallelEventBus } = require('../bus/index.js')
const { timeoutError } = require('./errors.js')

const MAX_LISTENERS = 100

class ServicesBus extends ParallelEventBus {
  /** @param {{ debug?: boolean, historyLimit?: number }} options and those of the base class */
  constructor({ debug = false, historyLimit = 100, ...options } = {}) {
    super(options)
    this.setMaxListeners(MAX_LISTENERS)
    this.debug = debug
    this._historyLimit = historyLimit
    this._history = []
    this._stats = { published: 0, byType: {} }
  }

  /**
   * Tells the listeners of `type`, of its category (`order:*` for `order:paid`) and of everything (`*`).
   *
   * @returns the event, as listeners get it
   */
  publish(type, data, meta = {}) {
    const event = { id: randomUUID(), type, data, meta, timestamp: Date.now() }
    this.#note(event)
    this.emit(type, event)
    this.emit(`${type.split(':')[0]}:*`, event)
    this.emit('*', event)
    return event
  }

  /** Returns a function that takes the subscription back. `type` may be a category, or `*`. */
  subscribe(type, listener) {
    this.on(type, listener)
    return () => {
      this.off(type, listener)
    }
  }

  /** As `subscribe`, for one event. */
  subscribeOnce(type, listener) {
    this.once(type, listener)
    return () => {
      this.off(type, listener)
    }
  }

  /** Resolves to the next event of a type. Rejects with `ERR_BUS_TIMEOUT` when none comes in `timeout` ms. */
  waitFor(type, timeout = 5000) {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        stop()
        reject(timeoutError(type, timeout))
      }, timeout)
      const stop = this.subscribeOnce(type, (event) => {
        clearTimeout(timer)
        resolve(event)
      })
    })
  }

  /** The last events, oldest first. */
  getHistory({ type, limit = this._historyLimit } = {}) {
    const events = type === undefined ? this._history : this._history.filter((event) => event.type === type)
    return events.slice(-limit)
  }

  /** The services' own numbers. Those of the base class are `super.getStats()`. */
  getStats() {
    const { published, byType } = this._stats
    return { published, byType: { ...byType }, history: this._history.length }
  }

  #note(event) {
    if (this.debug) console.debug(`[services] ${event.type} ${event.id}`)
    this._stats.published++
    this._stats.byType[event.type] = (this._stats.byType[event.type] ?? 0) + 1
    this._history.push(event)
    if (this._history.length > this._historyLimit) this._history.shift()
  }
}

module.exports = { ServicesBus }
