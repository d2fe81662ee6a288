'use strict'

// Emitting within a thread: an event goes to the listeners of this bus, by reference. The lane to other threads is
// `channel/lane.js`; it has the same methods.

const { NoListenersError } = require('../errors.js')
const { Answer, Outcome } = require('./outcome.js')
const { Registration } = require('../listeners/registration.js')

class LocalLane {
  #dispatcher
  #listeners

  constructor({ dispatcher, listeners }) {
    this.#dispatcher = dispatcher
    this.#listeners = listeners
  }

  /** For an awaited event. */
  outcome() {
    return new Outcome()
  }

  /** For a request. */
  answer(event) {
    return new Answer(event)
  }

  /**
   * Settles who gets an event, and queues it for them; `onHeard` is called just before. Returns false where nobody is
   * left to get it.
   */
  queue(event, args, outcome, limits, onHeard) {
    const registered = this.#listeners.get(event)
    if (registered === undefined) return false
    onHeard?.()
    if (this.#listeners.hasSpecial(event)) return this.#queueWithOnce(event, args, outcome, limits)
    this.#dispatcher.dispatchWithin(event, registered, args, outcome, limits)
    return true
  }

  /** As `queue` for an event with `once` listeners: they are claimed, so no later emission has them. */
  #queueWithOnce(event, args, outcome, limits) {
    const open = this.#listeners.open(event)
    if (open.length === 0) return false
    const once = open.filter((listener) => Registration.of(listener)?.once)
    const listeners = open.map((listener) => this.#listeners.claim(listener))
    this.#dispatcher.dispatchWithin(event, listeners, args, outcome, limits)
    this.#listeners.removeClaimed(event, once)
    return true
  }

  /** Asks the first listener. */
  ask(event, args, answer, limits) {
    const listener = this.#listeners.open(event)[0]
    if (listener === undefined) throw new NoListenersError(event)
    const listeners = answer.answering(this.#listeners.claim(listener), listener)
    this.#dispatcher.dispatchWithin(event, listeners, args, answer, limits)
    if (Registration.of(listener)?.once) this.#listeners.removeClaimed(event, [listener])
  }
}

module.exports = { LocalLane }
