'use strict'

// Readiness of threads that a program has started itself: the promise that they listen.

const { ParallelEventBus } = require('../bus.js')
const { BusClosedError, invalidArgType, needsChannel } = require('../errors.js')
const { STATE } = require('../state.js')
const { keyOf, validateListeningOptions } = require('../validate.js')

/**
 * Resolves when so many threads listen to the event on the channel of a bus. Rejects with the reason of
 * `options.signal` when that aborts, and with BusClosedError when the bus is closed first.
 */
async function listening(bus, event, options = {}) {
  if (!(bus instanceof ParallelEventBus)) throw invalidArgType('bus', 'an instance of ParallelEventBus', bus)
  validateListeningOptions(options)
  const { member, tracker } = bus[STATE] ?? {}
  // Events with a symbol as their name do not leave their thread.
  if (typeof event === 'symbol') throw invalidArgType('event', 'of type string', event)
  if (member == null) throw needsChannel('ParallelEventBus.listening()')
  if (tracker.closed) throw new BusClosedError(event)
  const { threads = 1, signal } = options
  await member.listening.wait(keyOf(event), threads, signal)
}

module.exports = { listening }
