'use strict'

// One `emit` of a bus that is observed: what goes beside the arguments to other threads, and the name of the emit in a trace.
// Listeners here and elsewhere share it.

const runQueue = require('../local/run-queue.js')
const { now } = require('../metrics/timed.js')

class Emit {
  /** Number of listeners that got the event. */
  listeners = 0
  /** When it began, by the clock of the process. */
  at = now()
  /** Its number in a trace; 0 without one. */
  id
  #tracker
  #args
  #headers = undefined

  constructor(tracker, event, args) {
    this.#tracker = tracker
    this.event = event
    this.#args = args
    this.id = runQueue.trace === null ? 0 : runQueue.trace.nextId()
  }

  /** What the bus has to say to those who get the event. It is asked once, when somebody does. */
  get headers() {
    if (this.#headers === undefined) this.#headers = this.#tracker.propagation?.inject(this.event, this.#args) ?? null
    return this.#headers
  }

  /** The note for other threads. */
  get note() {
    const { at, id, headers } = this
    return { at, id, headers }
  }
}

module.exports = { Emit }
