'use strict'

// emitAndWait: 100 callers that each emit, wait for all listeners of that event, and emit again.

const { ParallelEventBus } = require('../../../index.js')
const { callAll } = require('../callers.js')
const { asyncListeners, countingListeners } = require('../listeners.js')
const { PrototypeBus } = require('../prototype.js')
const { compare } = require('./lines.js')

const CALLS = { callers: 100, each: 100 }

function row(kind, create, listeners, atLeast) {
  return {
    id: `wait-${listeners}-${kind}`,
    what: `${listeners} ${kind} listeners`,
    measure: async (settings) => {
      const contestants = { bus: bus(create(listeners)), prototype: prototype(create(listeners)) }
      contestants.emittery = await emittery(create(listeners))
      return compare(contestants, { prototype: { atLeast }, emittery: { atLeast } }, settings)
    },
  }
}

function bus(listeners) {
  const target = new ParallelEventBus()
  return contestant(target, listeners, () => target.emitAndWait('tick', 1))
}

function prototype(listeners) {
  const target = new PrototypeBus()
  return contestant(target, listeners, () => target.emitAndWait('tick', 1))
}

async function emittery(listeners) {
  // Only published as an ES module.
  const { default: Emittery } = await import('emittery')
  const target = new Emittery()
  return contestant(target, listeners, () => target.emit('tick', 1))
}

function contestant(target, { functions, counters }, emit) {
  for (const listener of functions) target.on('tick', listener)
  return {
    events: CALLS.callers * CALLS.each,
    counters,
    run: () => callAll(CALLS, emit),
  }
}

const NOTE =
  'The other two never leave the microtask queue, so 100 callers keep timers and I/O out until they are done; the ' +
  'bus goes through the event loop for each batch, and that is in its time. emittery copies the listeners and ' +
  'awaits a tick, then starts them; it rejects with the first error, and does not count or collect them.'

module.exports = [
  {
    title: 'emitAndWait, 100 in flight, sync listeners, speed against others',
    note: NOTE,
    rows: [row('sync', countingListeners, 3, 5), row('sync', countingListeners, 10, 5)],
  },
  {
    title: 'emitAndWait, 100 in flight, async listeners, speed against others',
    note:
      'As above. The listeners are async functions that await nothing themselves: what a listener awaits costs ' +
      'everybody the same, so it is left out, and with it the ratio of an application is smaller.',
    rows: [row('async', asyncListeners, 3, 3), row('async', asyncListeners, 10, 3)],
  },
]
