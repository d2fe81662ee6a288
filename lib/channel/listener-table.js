'use strict'

// The listeners of this thread that the engine knows, by the ids that it knows them by.

/** A table of so many entries, all of them free, is not kept. */
const MUCH = 1024

class ListenerTable {
  /** Messages are being read: those to come may be for listeners that are gone. */
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

  /** The engine has nothing for this listener any more: its id is free, once everything before was read. */
  forget(id) {
    if (this.isReading) this.#gone.push(id)
    else this.release(id)
  }

  /** Messages were read to the end. */
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
