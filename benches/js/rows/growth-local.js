'use strict'

// The growth of costs within a thread: with the listeners of an event, the names of events, and the events in flight.

const { EventEmitter } = require('node:events')
const { ParallelEventBus } = require('../../../index.js')
const { callAll } = require('../callers.js')
const { countingListeners } = require('../listeners.js')
const { PrototypeBus } = require('../prototype.js')
const { inFull, point, shorter } = require('./curves.js')
const { compare } = require('./lines.js')

// Listeners

/** So many calls of listeners are a burst, and at least so many events. */
const CALLS = 10_000
const FEWEST_EVENTS = 100

function listening(listeners) {
  const events = Math.max(FEWEST_EVENTS, CALLS / listeners)
  return {
    ...point('listeners', listeners, inFull(listeners, 'listener')),
    full: listeners !== 100,
    measure: (settings) => {
      const contestants = {
        bus: bursts(new ParallelEventBus({ maxListeners: 0 }), listeners, events),
        'EventEmitter.emit': bursts(new EventEmitter().setMaxListeners(0), listeners, events),
      }
      return compare(contestants, {}, shorter(settings))
    },
  }
}

function bursts(target, listeners, events) {
  const { functions, counters } = countingListeners(listeners)
  for (const listener of functions) target.on('tick', listener)
  return {
    events,
    counters,
    async run() {
      for (let event = 0; event < events; event++) target.emit('tick', 1)
      // The prototype has no `idle`.
      await (target.idle?.() ?? target.lastBatch)
    },
  }
}

// Names

/** Events of a burst. Where there are more names than that, each has its turn after some bursts. */
const BURST = 10_000

function naming(count) {
  return {
    ...point('names', count, inFull(count, 'name')),
    full: count !== 10_000,
    measure: (settings) => {
      const names = Array.from({ length: count }, (_, number) => `event:${number}`)
      const contestants = {
        bus: rounds(new ParallelEventBus(), names),
        'EventEmitter.emit': rounds(new EventEmitter(), names),
      }
      return compare(contestants, {}, shorter(settings))
    },
  }
}

/** Each name has one listener, and its turn. */
function rounds(target, names) {
  const { functions, counters } = countingListeners(1)
  for (const name of names) target.on(name, functions[0])
  let turn = 0
  return {
    events: BURST,
    counters,
    async run() {
      for (let event = 0; event < BURST; event++) target.emit(names[turn++ % names.length], 1)
      await target.idle?.()
    },
  }
}

// Bursts

function queueing(events) {
  return {
    ...point('burst-length', events, inFull(events, 'event')),
    full: true,
    measure: (settings) => {
      const contestants = {
        bus: bursts(new ParallelEventBus(), 3, events),
        prototype: bursts(new PrototypeBus(), 3, events),
      }
      return compare(contestants, {}, shorter(settings))
    },
  }
}

// In flight

function waiting(callers) {
  const how = { callers, each: Math.max(1, 10_000 / callers) }
  return {
    ...point('waiting', callers, inFull(callers, 'in flight')),
    full: callers !== 10_000,
    measure: (settings) => {
      const contestants = { bus: calling(new ParallelEventBus(), how), prototype: calling(new PrototypeBus(), how) }
      return compare(contestants, {}, shorter(settings))
    },
  }
}

function calling(target, how) {
  const { functions, counters } = countingListeners(3)
  for (const listener of functions) target.on('tick', listener)
  return {
    events: how.callers * how.each,
    counters,
    run: () => callAll(how, () => target.emitAndWait('tick', 1)),
  }
}

module.exports = [
  {
    title: 'growth: emit + delivery, by listeners of the event',
    note: 'One event, to all of its listeners. Each listener adds a call in a `try`.',
    rows: [1, 10, 100, 1000].map(listening),
  },
  {
    title: 'growth: emit + delivery, by names of events',
    note: 'Each name has one listener, and is emitted in its turn: with many, memory that is not in the caches.',
    rows: [1, 100, 10_000, 100_000].map(naming),
  },
  {
    title: 'growth: emit + delivery, by length of the burst',
    note:
      'To 3 listeners. An event alone pays for its own way through the event loop. What a long burst queues is more ' +
      'than V8’s young generation holds: it is copied, by whoever keeps it.',
    rows: [1, 10, 100, 1000, 10_000, 100_000].map(queueing),
  },
  {
    title: 'growth: emitAndWait within a thread, by how many are in flight',
    note: 'With 3 sync listeners. One at a time, the bus goes through the event loop for each; the prototype never does.',
    rows: [1, 10, 100, 1000, 10_000, 100_000].map(waiting),
  },
]
