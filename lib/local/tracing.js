'use strict'

// Two tracing channels of node:diagnostics_channel, for monitoring: one message per emission, one per listener. An emission
// to other threads has a message where it was emitted, too (`channel/sent.js`).
//
// An emission is traced if there are subscribers when the turn begins in which its listeners are started. Without any,
// this is one look per turn. A traced emission differs in two things: its listeners have a function around them, and
// its outcome has an object before it.

const { adopt, follow, thenOf } = require('../promises.js')
const { hasToWait, originalOf, standIn, storedOf } = require('../listeners/registration.js')
const { OutcomeBefore } = require('./outcome.js')
const runQueue = require('./run-queue.js')
const { emissions, listeners } = require('./trace-channels.js')

/**
 * Starts the listeners of an emission, by `start`, and publishes its outcome and that of each.
 *
 * @param {import('./emission.js').Emission} emission
 * @param {() => void} start
 */
function trace(emission, start) {
  const { event, args, tracker } = emission
  const called = typeof emission.listeners === 'function' ? [emission.listeners] : emission.listeners
  const message = { bus: tracker.bus, event, args, listeners: called.map(originalOf) }
  const outcome = new TracedOutcome(message, emission.outcome)
  emission.outcome = outcome
  emission.listeners = called.map((listener) => tracedListener(message, listener))
  if (runQueue.trace !== null) runQueue.trace.starts(emission, message)
  emissions.start.runStores(message, start)
  outcome.started()
}

/** Keeps the errors of an emission, for its message. */
class TracedOutcome extends OutcomeBefore {
  #message
  #errors = []
  #isStarting = true

  constructor(message, next) {
    super(next)
    this.#message = message
  }

  /** Listeners have begun already. */
  begin() {}

  failed(index, error) {
    this.#errors[index] = error
    super.failed(index, error)
  }

  settle(count) {
    // `filter` skips the gaps.
    const errors = this.#errors.filter(() => true)
    this.#message.result = { success: count - errors.length, failed: errors.length, errors }
    if (errors.length > 0) fail(emissions, this.#message, errors[0])
    if (!this.#isStarting) settled(emissions, this.#message)
    super.settle(count)
  }

  /** Notes that all listeners were called. */
  started() {
    this.#isStarting = false
    emissions.end.publish(this.#message)
  }
}

function tracedListener(emission, called) {
  const { bus, event, args } = emission
  const message = { bus, event, args, listener: originalOf(called), emission }

  function listener(...own) {
    // It is called once more, when it need not wait any longer.
    if (hasToWait(called)) return Reflect.apply(called, this, own)
    return listeners.start.runStores(message, () => {
      try {
        return observed(Reflect.apply(called, this, own), message)
      } catch (error) {
        fail(listeners, message, error)
        throw error
      } finally {
        listeners.end.publish(message)
      }
    })
  }

  return standIn(listener, storedOf(called))
}

/** Returns a listener's result, or a promise for a result with a `then`, which may only be called once. */
function observed(result, message) {
  const itsThen = thenOf(result)
  if (itsThen === undefined) {
    message.result = result
    return result
  }
  return follow(
    adopt(result, itsThen),
    (value) => {
      message.result = value
      settled(listeners, message)
      return value
    },
    (error) => {
      fail(listeners, message, error)
      settled(listeners, message)
      throw error
    },
  )
}

function fail(channel, message, error) {
  message.error = error
  channel.error.publish(message)
}

/** Publishes that all is over that a message tells of. */
function settled(channel, message) {
  channel.asyncStart.publish(message)
  channel.asyncEnd.publish(message)
}

module.exports = { settled, trace }
