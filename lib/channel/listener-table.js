'use strict'

// The listeners of this thread that the engine knows, by the ids that it knows them by.

/** Number of entries from which a table is not kept where all of them are free. */
const MUCH = 1024

class ListenerTable {
  /** True while messages are being read: those to come may be for listeners that are gone. */
  isReading = false
  /** @type {(import('../listeners/registration.js').Registration | undefined)[]} */
  #listeners = []
  #free = []
  /** Ids that are free when all messages were read. */
  #gone = []

  /** Returns the id for a listener. */
  add(registration) {
    const id = this.#free.pop() ?? this.#listeners.length
    this.#listeners[id] = registration
    return id
  }

  get(id) {
    return this.#listeners[id]
  }

  /** Frees an id for which the engine has nothing more, once all earlier messages are read. */
  forget(id) {
    if (this.isReading) this.#gone.push(id)
    else this.release(id)
  }

  /** Ends the reading of messages, and frees the ids that waited for that. */
  endReading() {
    this.isReading = false
    for (const id of this.#gone.splice(0)) this.release(id)
  }

  /** Frees an id at once: the message that says so is the last that names it. */
  release(id) {
    this.#listeners[id] = undefined
    this.#free.push(id)
    if (this.#free.length < this.#listeners.length || this.#free.length < MUCH) return
    this.#listeners = []
    this.#free = []
  }
}

module.exports = { ListenerTable }
