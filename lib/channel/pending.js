'use strict'

// An emission to other members whose outcome somebody waits for, or that an abort may take back.

const native = require('../native.js')
const { onAbort } = require('../listeners/abort.js')
const { errorsOf } = require('./failures.js')

class Waiting {
  #inbox
  #thread
  #event
  #outcome
  #release

  /** One for an emission that needs it; else null. */
  static for(inbox, thread, event, { outcome, limits }) {
    const signal = limits?.signal
    return outcome === null && signal === undefined ? null : new Waiting(inbox, thread, event, outcome, signal)
  }

  constructor(inbox, thread, event, outcome, signal) {
    this.#inbox = inbox
    this.#thread = thread
    this.#event = event
    this.#outcome = outcome
    /** Names the emission in the engine's letter about it. */
    this.token = inbox.expect(this)
    if (signal !== undefined) this.#release = onAbort(signal, () => this.#abort(signal.reason))
  }

  /** The engine's letter has come. */
  settled(success, failures, answer) {
    this.#release?.()
    this.#outcome?.settledElsewhere(success, errorsOf(this.#event, failures), answer)
  }

  /** Nobody got the event, so no letter will come. */
  drop() {
    this.#release?.()
    this.#inbox.drop(this.token)
  }

  #abort(reason) {
    this.#inbox.drop(this.token)
    native.cancel(this.#thread, this.token)
    this.#outcome?.abort(reason)
  }
}

module.exports = { Waiting }
