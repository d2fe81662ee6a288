'use strict'

// The result of `bus.with({ timeout, signal, key })`: the bus's three ways to emit, each bounded.

const { keep } = require('./kept.js')

class EmitterView {
  #emit
  #wait
  #request

  constructor({ emit, wait, request }) {
    this.#emit = emit
    this.#wait = wait
    this.#request = request
  }

  emit(event, ...args) {
    return this.#emit(event, args)
  }

  emitAndWait(event, ...args) {
    return this.#wait(event, args)
  }

  request(event, ...args) {
    return this.#request(event, args)
  }
}

keep(() => [new EmitterView({})])

module.exports = { EmitterView }
