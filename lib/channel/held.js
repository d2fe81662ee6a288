'use strict'

// Events that were read and cannot be queued yet, because the handles of one of them are on their way. Later events of the
// same emitter wait behind it, so that they stay in order.

class Held {
  /** @type {Map<number, { emission: object, isReady: boolean }[]>} by the endpoint that emitted */
  #lists = new Map()
  #queue

  /** @param {(emission: object) => void} queue takes an event that need not be held any more */
  constructor(queue) {
    this.#queue = queue
  }

  get isEmpty() {
    return this.#lists.size === 0
  }

  /** Holds an event. Returns a function that lets go of it. */
  hold(endpoint, emission) {
    const held = { emission, isReady: false }
    const list = this.#lists.get(endpoint)
    if (list === undefined) this.#lists.set(endpoint, [held])
    else list.push(held)
    return () => {
      held.isReady = true
      this.#release(endpoint)
    }
  }

  /** Returns false where nothing of that emitter is held, and so this event is not. */
  add(endpoint, emission) {
    const list = this.#lists.get(endpoint)
    list?.push({ emission, isReady: true })
    return list !== undefined
  }

  #release(endpoint) {
    const list = this.#lists.get(endpoint)
    const waiting = list.findIndex(({ isReady }) => !isReady)
    const ready = list.splice(0, waiting < 0 ? list.length : waiting)
    if (list.length === 0) this.#lists.delete(endpoint)
    for (const { emission } of ready) this.#queue(emission)
  }
}

module.exports = { Held }
