'use strict'

// Where a listener's failure is told, when nobody can catch it: `onError`; else `captureRejections`, if the
// user turned it on; else one process warning for the first failure of each listener of each event. Telling
// must not fail: what goes wrong here becomes a warning itself.

const { captureRejectionSymbol, errorMonitor } = require('node:events')
const { describe, show } = require('./errors.js')
const outbox = require('./outbox.js')
const { adopt, follow, thenOf } = require('./promises.js')

class FailureReporter {
  #dispatcher
  #captures
  /** @type {WeakMap<Function, Set<string | symbol>>} the events for which a listener was warned of */
  #warned = new WeakMap()
  /** @type {Set<string>} what was warned of, of events that were lost */
  #warnedLost = new Set()

  constructor(dispatcher, { onError, captureRejections }) {
    this.#dispatcher = dispatcher
    this.#captures = captureRejections
    this.onError = onError
  }

  /** Tells of a listener's failure. Does not throw, whatever the handlers do. */
  report(emission, error, listener) {
    const { event } = emission
    if (this.onError !== undefined) this.#callHandler(event, error, listener)
    else if (!(this.#captures && !isOfErrors(event) && this.#capture(emission, error))) {
      this.#warnOnce(event, error, listener)
    }
  }

  /** An event of this bus did not get to the end of a listener in another thread. No listener here is to blame. */
  lost(event, error) {
    if (this.onError !== undefined) {
      this.#callHandler(event, error, undefined)
      return
    }
    const about = `${error.code} ${String(event)}`
    if (this.#warnedLost.has(about)) return
    this.#warnedLost.add(about)
    warn(
      'PARALLEL_EVENT_BUS_EVENT_LOST',
      `${show(event)} did not get to the end of a listener in another thread. More of the same are only counted: see getStats(), or set onError.`,
      error,
    )
  }

  /** A thread of a pool ended that was not told to. */
  crashed(event, error) {
    if (this.onError !== undefined) this.#callHandler(event, error, undefined)
    else warn('PARALLEL_EVENT_BUS_THREAD_CRASHED', 'a thread that `spawn` started ended, and is replaced', error)
  }

  /** An `error` whose listeners were all removed while it was queued. A synchronous emitter would have thrown it. */
  unheard({ args }) {
    warn('PARALLEL_EVENT_BUS_ERROR_UNHEARD', "the listeners of 'error' were removed before it reached them", args[0])
  }

  /** Adds or removes a listener where there is no emitter to throw to what a handler of `newListener` does. */
  guardHandler(handler, event, listener, change) {
    try {
      change()
    } catch (error) {
      this.report({ event: handler, args: [event, listener] }, error, listener)
    }
  }

  #callHandler(event, error, listener) {
    const { onError } = this
    guard('the onError handler', event, () => onError(event, error, listener))
  }

  /** As EventEmitter does: its rejection method, else an `error` event. Returns false if neither exists. */
  #capture({ event, args }, error) {
    const { bus, closed } = this.#dispatcher
    const captures = typeof bus[captureRejectionSymbol] === 'function'
    if (!captures && (closed || bus._events.error === undefined)) return false
    guard('the captureRejections handler', event, () =>
      captures ? bus[captureRejectionSymbol](error, event, ...args) : bus.emit('error', error),
    )
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
      `${describe(listener)} of ${show(event)} failed. Its further failures are only counted: see getStats(), or set onError.`,
      error,
    )
  }
}

/** A failing listener of `error` events is not told of itself by one: that would go round for ever. */
function isOfErrors(event) {
  return event === 'error' || event === errorMonitor
}

/** Calls a handler of the user's. What it throws, or rejects with, is a warning. */
function guard(handler, event, call) {
  const failed = (reason) => {
    warn('PARALLEL_EVENT_BUS_HANDLER_FAILED', `${handler} failed for ${show(event)}`, reason)
  }
  try {
    const result = call()
    const itsThen = thenOf(result)
    if (itsThen !== undefined) follow(adopt(result, itsThen), undefined, failed)
  } catch (reason) {
    failed(reason)
  }
}

/** A process warning. Where that fails, which is another's doing, at least the text is printed. */
function warn(code, message, cause) {
  const detail = show(cause)
  try {
    if (!outbox.exiting) process.emitWarning(message, { type: 'ParallelEventBusWarning', code, detail })
    // emitWarning waits for a tick that does not come any more.
    else process.emit('warning', Object.assign(new Error(message), { name: 'ParallelEventBusWarning', code, detail }))
  } catch (error) {
    print(`(${code}) ${message}\n${detail}\nIt could not be emitted as a warning: ${show(error)}\n`)
  }
}

function print(text) {
  try {
    process.stderr.write(text)
  } catch {
    // Nobody is left to be told.
  }
}

module.exports = { FailureReporter }
