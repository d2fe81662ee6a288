'use strict'

// Where a listener's failure is told, when nobody can catch it: `onError`; else `captureRejections`, if the
// user turned it on; else one process warning for the first failure of each listener of each event. Telling
// must not fail: what goes wrong here becomes a warning itself.

const { captureRejectionSymbol, errorMonitor } = require('node:events')
const { inspect } = require('node:util')
const { describe } = require('./errors.js')

class FailureReporter {
  #dispatcher
  #captures
  /** @type {WeakMap<Function, Set<string | symbol>>} the events for which a listener was warned of */
  #warned = new WeakMap()

  constructor(dispatcher, { onError, captureRejections }) {
    this.#dispatcher = dispatcher
    this.#captures = captureRejections
    this.onError = onError
  }

  report(emission, error, listener) {
    const { event } = emission
    if (this.onError !== undefined) this.#callHandler(event, error, listener)
    else if (!(this.#captures && !isOfErrors(event) && this.#capture(emission, error))) {
      this.#warnOnce(event, error, listener)
    }
  }

  #callHandler(event, error, listener) {
    const { onError } = this
    const warn = (reason) => warnOfHandler('the onError handler', event, reason)
    try {
      const result = onError(event, error, listener)
      if (typeof result?.then === 'function') result.then(undefined, warn)
    } catch (reason) {
      warn(reason)
    }
  }

  /** As EventEmitter does: its rejection method, else an `error` event. Returns false if neither exists. */
  #capture({ event, args }, error) {
    const { bus, closed } = this.#dispatcher
    try {
      if (typeof bus[captureRejectionSymbol] === 'function') bus[captureRejectionSymbol](error, event, ...args)
      else if (!closed && bus._events.error !== undefined) bus.emit('error', error)
      else return false
    } catch (reason) {
      warnOfHandler('the captureRejections handler', event, reason)
    }
    return true
  }

  #warnOnce(event, error, listener) {
    let events = this.#warned.get(listener)
    if (events === undefined) {
      events = new Set()
      this.#warned.set(listener, events)
    }
    if (events.has(event)) return
    events.add(event)
    warn(
      'PARALLEL_EVENT_BUS_LISTENER_FAILED',
      `${describe(listener)} of ${inspect(event)} failed. Its further failures are only counted: see getStats(), or set onError.`,
      error,
    )
  }
}

/** A failing listener of `error` events is not told of itself by one: that would go round for ever. */
function isOfErrors(event) {
  return event === 'error' || event === errorMonitor
}

function warnOfHandler(handler, event, reason) {
  warn('PARALLEL_EVENT_BUS_HANDLER_FAILED', `${handler} failed for ${inspect(event)}`, reason)
}

function warn(code, message, cause) {
  process.emitWarning(message, { type: 'ParallelEventBusWarning', code, detail: stackOf(cause) })
}

/** The stack of what was thrown, or whatever can be said of it. */
function stackOf(thrown) {
  try {
    return inspect(thrown)
  } catch {
    return 'a value that can not be inspected'
  }
}

module.exports = { FailureReporter }
