'use strict'

// Requests that wait for a reply, by the id of the requesting event.

const { timeoutError } = require('./errors.js')

class Replies {
  #waiting = new Map()

  /** Resolves to the first reply. Rejects with `ERR_BUS_TIMEOUT` when none comes in `timeout` ms. */
  wait({ id, type }, timeout) {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => this.fail(id, timeoutError(type, timeout)), timeout)
      this.#waiting.set(id, { type, resolve, reject, timer })
    })
  }

  /** A reply to an event that nobody waits for, any more or at all, is not an error. */
  settle(id, value) {
    this.#take(id)?.resolve(value)
  }

  fail(id, error) {
    this.#take(id)?.reject(error)
  }

  /** @param {(type: string) => Error} errorOf */
  failAll(errorOf) {
    for (const [id, { type }] of this.#waiting) this.fail(id, errorOf(type))
  }

  #take(id) {
    const waiting = this.#waiting.get(id)
    this.#waiting.delete(id)
    clearTimeout(waiting?.timer)
    return waiting
  }
}

module.exports = { Replies }
