'use strict'

// What `bus.with({ timeout, signal })` returns: the bus's three ways to emit, each bounded.

class EmitterView {
  #emit
  #wait
  #ask

  constructor({ emit, wait, ask }) {
    this.#emit = emit
    this.#wait = wait
    this.#ask = ask
  }

  emit(event, ...args) {
    return this.#emit(event, args)
  }

  emitAndWait(event, ...args) {
    return this.#wait(event, args)
  }

  request(event, ...args) {
    return this.#ask(event, args)
  }
}

module.exports = { EmitterView }
