'use strict'

// Reports of a listener's failure. It goes to `onError`; else to `captureRejections`, if the user turned that on; else,
// unless it is in an awaited outcome, it becomes a process warning. These tell of the first failure of each listener of
// each event, and of the 10th, the 100th and so on. A report must not fail: an error of a handler is a warning, too.

const { captureRejectionSymbol, errorMonitor } = require('node:events')
const { BusClosedError, describe, show } = require('../errors.js')
const runQueue = require('./run-queue.js')
const { adopt, follow, thenOf } = require('../promises.js')

/** Number of events for which failures of one listener are counted apart: programs may have ever new names. */
const MOST_EVENTS = 100

/** Counts things of one kind. They are worth telling at the 1st, the 10th, the 100th … */
class Count {
  #next = 1
  value = 0

  /** Counts more, and returns true if it is time to tell. */
  add(more = 1) {
    this.value += more
    if (this.value < this.#next) return false
    while (this.#next <= this.value) this.#next *= 10
    return true
  }
}

class FailureReporter {
  #tracker
  #captures
  /** @type {WeakMap<Function, Map<string | symbol, Count>>} failures by listener, then by event */
  #failures = new WeakMap()
  #isClosedTold = false
  #propagations = new Count()
  /** @type {Map<string, Count>} events that were lost, by the code of the error */
  #lost = new Map()

  constructor(tracker, { onError, captureRejections }) {
    this.#tracker = tracker
    this.#captures = captureRejections
    this.onError = onError
  }

  /** Reports a listener's failure. Does not throw, also where handlers do. */
  report(emission, error, listener) {
    const { event } = emission
    if (this.onError !== undefined) this.#callHandler(event, error, listener)
    else if (this.#captures && !isOfErrors(event) && this.#capture(emission, error)) return
    else if (!emission.isAwaited) this.#warn(event, error, listener)
  }

  /**
   * Reports events of this bus, as many as `error.count`, that did not get to the end of a listener in another thread or
   * process. No listener here is to blame.
   */
  lost(event, error) {
    if (this.onError !== undefined) {
      this.#callHandler(event, error, undefined)
      return
    }
    let count = this.#lost.get(error.code)
    if (count === undefined) {
      count = new Count()
      this.#lost.set(error.code, count)
    }
    if (!count.add(error.count)) return
    const text =
      count.value === 1
        ? `${show(event)} did not get to the end of a listener in another thread or process. The 10th, 100th … loss of this cause is told of, too; set onError to hear of all`
        : `${count.value} events did not get to the end of listeners in other threads or processes, for a cause as follows`
    warn('PARALLEL_EVENT_BUS_EVENT_LOST', text, error)
  }

  /** Reports, once, that a listener was added to a closed bus. */
  addedToClosed(event) {
    if (this.#isClosedTold) return
    this.#isClosedTold = true
    warn(
      'PARALLEL_EVENT_BUS_CLOSED',
      `a listener of ${show(event)} was added to a closed bus, which calls nobody: see close()`,
      new BusClosedError(event),
    )
  }

  /** Reports failures of a listener in a thread of a pool. They are relayed where there is a handler; it may be gone. */
  relayed(event, error, origin) {
    if (this.onError !== undefined) this.#callHandler(event, error, undefined, origin)
    else warn('PARALLEL_EVENT_BUS_LISTENER_FAILED', `a listener of ${show(event)} failed in a spawned thread`, error)
  }

  /** Reports that the teardown of a thread of a pool failed. */
  notTornDown(event, error, origin) {
    if (this.onError !== undefined) this.#callHandler(event, error, undefined, origin)
    else warn('PARALLEL_EVENT_BUS_TEARDOWN_FAILED', `the teardown of spawned thread ${origin.threadId} failed`, error)
  }

  /** Reports that a thread of a pool ended without being told to. */
  crashed(event, error, origin) {
    if (this.onError !== undefined) this.#callHandler(event, error, undefined, origin)
    else warn('PARALLEL_EVENT_BUS_THREAD_CRASHED', 'a thread that `spawn` started ended, and is replaced', error)
  }

  /** Reports that a function of `propagate` threw, or returned what is no headers. The event goes on. */
  propagationFailed(name, event, error) {
    if (!this.#propagations.add()) return
    const times = this.#propagations.value === 1 ? '' : ` ${this.#propagations.value} times, the last time`
    warn('PARALLEL_EVENT_BUS_PROPAGATION_FAILED', `propagate.${name} failed${times} for ${show(event)}`, error)
  }

  /** Reports an `error` that lost all its listeners while it was queued. A synchronous emitter would have thrown it. */
  unheard({ args }) {
    warn('PARALLEL_EVENT_BUS_ERROR_UNHEARD', "the listeners of 'error' were removed before it reached them", args[0])
  }

  /** Adds or removes a listener, and reports errors of `newListener` handlers: there is no emitter to throw them to. */
  guardHandler(handler, event, listener, change) {
    try {
      change()
    } catch (error) {
      this.report({ event: handler, args: [event, listener] }, error, listener)
    }
  }

  /** @param {import('../../index.js').FailureOrigin} [origin] of what happened in a thread of a pool */
  #callHandler(event, error, listener, origin) {
    const { onError } = this
    const args = origin === undefined ? [event, error, listener] : [event, error, listener, origin]
    guard('the onError handler', event, () => onError(...args))
  }

  /** Passes a failure on as EventEmitter does: to its rejection method, else as `error`. Returns false without both. */
  #capture({ event, args }, error) {
    const { bus, closed } = this.#tracker
    const captures = typeof bus[captureRejectionSymbol] === 'function'
    if (!captures && (closed || bus._events.error === undefined)) return false
    guard('the captureRejections handler', event, () =>
      captures ? bus[captureRejectionSymbol](error, event, ...args) : bus.emit('error', error),
    )
    return true
  }

  #warn(event, error, listener) {
    const count = this.#countOf(event, listener)
    if (!count.add()) return
    const who = `${describe(listener)} of ${show(event)}`
    const text =
      count.value === 1
        ? `${who} failed. The 10th, 100th … time is told of, too; set onError to hear of each`
        : `${who} failed ${count.value} times, the last time as follows`
    warn('PARALLEL_EVENT_BUS_LISTENER_FAILED', text, error)
  }

  #countOf(event, listener) {
    let events = this.#failures.get(listener)
    if (events === undefined) {
      events = new Map()
      this.#failures.set(listener, events)
    }
    const key = events.has(event) || events.size < MOST_EVENTS ? event : REST
    let count = events.get(key)
    if (count === undefined) {
      count = new Count()
      events.set(key, count)
    }
    return count
  }
}

/** Stands for the events of a listener that are not counted apart. */
const REST = Symbol('the rest')

/** Returns true for events of errors: a failure of their listener is not emitted as one, which would never end. */
function isOfErrors(event) {
  return event === 'error' || event === errorMonitor
}

/** Calls a handler of the user's. An error or a rejection of it becomes a warning. */
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

/** Emits a process warning. Where that fails, for a reason outside this package, at least the text is printed. */
function warn(code, message, cause) {
  const detail = show(cause)
  try {
    if (!runQueue.exiting) process.emitWarning(message, { type: 'ParallelEventBusWarning', code, detail })
    // emitWarning waits for a tick, and there will be none.
    else process.emit('warning', Object.assign(new Error(message), { name: 'ParallelEventBusWarning', code, detail }))
  } catch (error) {
    print(`(${code}) ${message}\n${detail}\nIt could not be emitted as a warning: ${show(error)}\n`)
  }
}

function print(text) {
  try {
    process.stderr.write(text)
  } catch {
    // There is no way left to tell.
  }
}

module.exports = { FailureReporter }
