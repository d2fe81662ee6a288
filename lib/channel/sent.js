'use strict'

// The message of monitoring about an event to other threads, in the thread of its emitter: from the emit until its listeners
// there have settled. `local/tracing.js` tells of listeners, each in its own thread.

const runQueue = require('../local/run-queue.js')
const { settled } = require('../local/tracing.js')
const { emissions } = require('../local/trace-channels.js')

const NONE = Object.freeze([])

class SentEvent {
  #tracker
  #message = null

  constructor(tracker) {
    this.#tracker = tracker
  }

  /** Tells that the event is on its way to so many listeners elsewhere. */
  begin(event, args, elsewhere) {
    if (elsewhere === 0) return
    const { bus, emit } = this.#tracker
    if (emit !== null) emit.listeners += elsewhere
    this.#message = { bus, event, args, listeners: NONE, elsewhere }
    if (runQueue.trace !== null && emit !== null) runQueue.trace.sent(emit, this.#message)
    emissions.start.publish(this.#message)
    emissions.end.publish(this.#message)
  }

  settle(success, errors) {
    const message = this.#message
    if (message === null) return
    message.result = { success, failed: errors.length, errors }
    if (errors.length > 0) this.#fail(errors[0])
    settled(emissions, message)
  }

  /** Tells that its emitter has given up. */
  cancel(reason) {
    if (this.#message === null) return
    this.#fail(reason)
    settled(emissions, this.#message)
  }

  #fail(error) {
    this.#message.error = error
    emissions.error.publish(this.#message)
  }
}

module.exports = { SentEvent }
