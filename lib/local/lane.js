'use strict'

// Emitting within a thread: an event goes to the listeners of this bus, by reference. The lane to other threads is
// `channel/lane.js`; it has the same methods.

const { NoListenersError } = require('../errors.js')
const { Reply, Outcome } = require('./outcome.js')
const { Registration } = require('../listeners/registration.js')

class LocalLane {
  #tracker
  #listeners

  constructor({ tracker, listeners }) {
    this.#tracker = tracker
    this.#listeners = listeners
  }

  /** Returns the outcome of an awaited event. */
  outcome() {
    return new Outcome()
  }

  /** Returns the reply to a request. */
  reply(event) {
    return new Reply(event)
  }

  /**
   * Queues an event for its current listeners, and calls `onHeard` just before. Returns false where there are none.
   */
  enqueue(event, args, outcome, bounds, onHeard) {
    const registered = this.#listeners.get(event)
    if (registered === undefined) return this.#unheard(event)
    onHeard?.()
    if (this.#listeners.hasSpecial(event)) return this.#queueWithOnce(event, args, outcome, bounds)
    this.#tracker.enqueueWithin(event, registered, args, outcome, bounds)
    return true
  }

  /** Queues an event with `once` listeners. They are claimed, so no later emission has them. */
  #queueWithOnce(event, args, outcome, bounds) {
    const open = this.#listeners.open(event)
    if (open.length === 0) return this.#unheard(event)
    const once = open.filter((listener) => Registration.of(listener)?.once)
    const listeners = open.map((listener) => this.#listeners.claim(listener))
    this.#tracker.enqueueWithin(event, listeners, args, outcome, bounds)
    this.#listeners.removeClaimed(event, once)
    return true
  }

  #unheard(event) {
    this.#tracker.unheard(event)
    return false
  }

  /** Sends a request to the first listener. Returns false where there is none. */
  request(event, args, reply, bounds) {
    const listener = this.#listeners.open(event)[0]
    if (listener === undefined) {
      reply.reject(new NoListenersError(event))
      return this.#unheard(event)
    }
    const listeners = reply.replying(this.#listeners.claim(listener), listener)
    this.#tracker.enqueueWithin(event, listeners, args, reply, bounds)
    if (Registration.of(listener)?.once) this.#listeners.removeClaimed(event, [listener])
    return true
  }
}

module.exports = { LocalLane }
