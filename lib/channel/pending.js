'use strict'

// A dispatch to other members that has not settled: its outcome is awaited, or an abort may cancel it.

const { keep } = require('../kept.js')
const native = require('../native.js')
const { onAbort } = require('../listeners/abort.js')
const { errorsFor } = require('./failures.js')
const { encodeShort } = require('./short-error.js')

class PendingDispatch {
  #link
  #thread
  #event
  #outcome
  /** Its trace, or null. */
  #sent
  #release

  /** Returns one for a dispatch that needs it; else null. */
  static for(link, thread, event, { outcome, bounds, sent }) {
    const signal = bounds?.signal
    if (outcome === null && signal === undefined && sent === null) return null
    return new PendingDispatch(link, thread, event, { outcome, signal, sent })
  }

  constructor(link, thread, event, { outcome, signal, sent }) {
    this.#link = link
    this.#thread = thread
    this.#event = event
    this.#outcome = outcome
    this.#sent = sent
    /** Names the dispatch in the engine's message about it. */
    this.token = link.expect(this)
    if (signal !== undefined) this.#release = onAbort(signal, () => this.#abort(signal))
  }

  /** Settles the dispatch, with the engine's message. */
  settled(success, failures, reply) {
    this.#release?.()
    const errors = errorsFor(this.#event, failures)
    this.#sent?.settle(success, errors)
    this.#outcome?.settledElsewhere(success, errors, reply)
  }

  /** Forgets a dispatch without listeners: no message will come. */
  drop() {
    this.#release?.()
    this.#link.drop(this.token)
  }

  #abort(signal) {
    this.#link.drop(this.token)
    if (native.cancel(this.#thread, this.token)) this.#tellRunning(signal)
    this.#sent?.cancel(signal.reason)
    this.#outcome?.abort(signal.reason)
  }

  /** Tells listeners that are running already, and want to know. */
  #tellRunning(signal) {
    let reason = reasons.get(signal)
    if (reason === undefined) {
      reason = encoded(this.#link.encoder, signal.reason)
      reasons.set(signal, reason)
    }
    native.tellCancelled(this.#thread, this.token, reason, 0, reason.length)
  }
}

/** @type {WeakMap<AbortSignal, Uint8Array>} their reasons, encoded: a signal may cancel many events */
const reasons = new WeakMap()

/** Returns the bytes of a reason; none of one that cannot be encoded. */
function encoded(encoder, reason) {
  try {
    const { buffer, start, end } = encodeShort(encoder, reason)
    return buffer.slice(start, end)
  } catch {
    return new Uint8Array(0)
  }
}

keep(() => [new PendingDispatch({ expect: () => 0 }, 0, 'kept', { outcome: null, signal: undefined, sent: null })])

module.exports = { PendingDispatch }
