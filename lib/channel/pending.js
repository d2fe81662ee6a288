'use strict'

// A dispatch to other members that has not settled: its outcome is awaited, or an abort may cancel it.

const { keep } = require('../kept.js')
const native = require('../native.js')
const { onAbort } = require('../listeners/abort.js')
const { errorsFor } = require('./failures.js')

class PendingDispatch {
  #link
  #thread
  #event
  #outcome
  #release

  /** Returns one for a dispatch that needs it; else null. */
  static for(link, thread, event, { outcome, bounds }) {
    const signal = bounds?.signal
    return outcome === null && signal === undefined ? null : new PendingDispatch(link, thread, event, outcome, signal)
  }

  constructor(link, thread, event, outcome, signal) {
    this.#link = link
    this.#thread = thread
    this.#event = event
    this.#outcome = outcome
    /** Names the dispatch in the engine's message about it. */
    this.token = link.expect(this)
    if (signal !== undefined) this.#release = onAbort(signal, () => this.#abort(signal.reason))
  }

  /** Settles the dispatch, with the engine's message. */
  settled(success, failures, reply) {
    this.#release?.()
    this.#outcome?.settledElsewhere(success, errorsFor(this.#event, failures), reply)
  }

  /** Forgets a dispatch without listeners: no message will come. */
  drop() {
    this.#release?.()
    this.#link.drop(this.token)
  }

  #abort(reason) {
    this.#link.drop(this.token)
    native.cancel(this.#thread, this.token)
    this.#outcome?.abort(reason)
  }
}

keep(() => [new PendingDispatch({ expect: () => 0 }, 0, 'kept', null, undefined)])

module.exports = { PendingDispatch }
