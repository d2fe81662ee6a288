'use strict'

// The bus this one has to beat: the JavaScript prototype, written again from the words of its brief. `emit` is
// fire-and-forget, every listener gets a promise of its own, and Promise.all joins those of one event.

const { EventEmitter } = require('node:events')

class PrototypeBus extends EventEmitter {
  #onError
  #stats = { eventsEmitted: 0, listenersInvoked: 0, listenersFailed: 0, parallelBatches: 0 }
  /** The Promise.all of the last `emit`. Not the prototype's: without it nobody could tell when a burst is over. */
  lastBatch = Promise.resolve()

  constructor({ maxListeners = 55, onError } = {}) {
    super()
    this.setMaxListeners(maxListeners)
    this.#onError = onError
  }

  emit(event, ...args) {
    const listeners = this.rawListeners(event)
    if (listeners.length === 0) return false
    this.lastBatch = this.#dispatch(event, listeners, args, [])
    return true
  }

  async emitAndWait(event, ...args) {
    const listeners = this.rawListeners(event)
    const errors = []
    await this.#dispatch(event, listeners, args, errors)
    return { success: listeners.length - errors.length, failed: errors.length, errors }
  }

  #dispatch(event, listeners, args, errors) {
    this.#stats.eventsEmitted++
    this.#stats.parallelBatches++
    this.#stats.listenersInvoked += listeners.length
    return Promise.all(
      listeners.map((listener) =>
        Promise.resolve()
          .then(() => listener.apply(this, args))
          .catch((error) => this.#failed(event, error, listener, errors)),
      ),
    )
  }

  #failed(event, error, listener, errors) {
    this.#stats.listenersFailed++
    errors.push(error)
    this.#onError?.(event, error, listener)
  }

  setErrorHandler(onError) {
    this.#onError = onError
  }

  clearErrorHandler() {
    this.#onError = undefined
  }

  getStats() {
    const { eventsEmitted, listenersInvoked, listenersFailed } = this.#stats
    return {
      ...this.#stats,
      averageListenersPerEvent: eventsEmitted === 0 ? 0 : (listenersInvoked / eventsEmitted).toFixed(2),
      failureRate: listenersInvoked === 0 ? '0%' : `${((100 * listenersFailed) / listenersInvoked).toFixed(2)}%`,
    }
  }

  resetStats() {
    for (const name of Object.keys(this.#stats)) this.#stats[name] = 0
  }
}

module.exports = { PrototypeBus }
