'use strict'

// emit + delivery: a burst of events, each with one argument, until the last listener of the last event is done.

const { EventEmitter } = require('node:events')
const { ParallelEventBus } = require('../../../index.js')
const { countingListeners } = require('../listeners.js')
const { PrototypeBus } = require('../prototype.js')
const { compare } = require('./lines.js')

const BURST = 10_000

function againstEmitter(listeners, atLeast) {
  return {
    id: `deliver-${listeners}-emitter`,
    what: counted(listeners),
    measure: (settings) =>
      compare(
        { bus: bus(listeners), 'EventEmitter.emit': emitter(listeners) },
        { 'EventEmitter.emit': atLeast },
        settings,
      ),
  }
}

function againstPrototype(listeners, atLeast) {
  return {
    id: `deliver-${listeners}-prototype`,
    what: counted(listeners),
    measure: (settings) =>
      compare({ bus: bus(listeners), prototype: prototype(listeners) }, { prototype: atLeast }, settings),
  }
}

function bus(listeners) {
  const { target, counters } = listening(new ParallelEventBus({ maxListeners: 0 }), listeners)
  return {
    events: BURST,
    counters,
    async run() {
      for (let event = 0; event < BURST; event++) target.emit('tick', 1)
      await target.idle()
    },
  }
}

function emitter(listeners) {
  const { target, counters } = listening(new EventEmitter().setMaxListeners(0), listeners)
  return {
    events: BURST,
    counters,
    run() {
      for (let event = 0; event < BURST; event++) target.emit('tick', 1)
    },
  }
}

function prototype(listeners) {
  const { target, counters } = listening(new PrototypeBus({ maxListeners: 0 }), listeners)
  return {
    events: BURST,
    counters,
    async run() {
      for (let event = 0; event < BURST; event++) target.emit('tick', 1)
      await target.lastBatch
    },
  }
}

function listening(target, listeners) {
  const { functions, counters } = countingListeners(listeners)
  for (const listener of functions) target.on('tick', listener)
  return { target, counters }
}

function counted(listeners) {
  return listeners === 1 ? '1 listener' : `${listeners} listeners`
}

const groups = [
  {
    title: 'emit + delivery, bursts of 10 000, beside EventEmitter.emit',
    note:
      'EventEmitter calls the listeners on the emitter’s stack: it neither defers nor isolates them, waits for none ' +
      'of them, keeps no statistics, and the emitter is busy for as long as they are. One event in a hot loop is its ' +
      'best case: V8 inlines emit and a single listener into the loop.',
    rows: [againstEmitter(1, 1 / 4), againstEmitter(3, 1 / 3), againstEmitter(10, 1 / 2), againstEmitter(50, 2 / 3)],
  },
  {
    title: 'emit + delivery, bursts of 10 000, beside the prototype',
    note:
      'The prototype (prototype.js) runs listeners as microtasks: no timer or I/O gets a turn before the whole burst ' +
      'is delivered, which is memory it has to hold and a wait this number does not show.',
    rows: [againstPrototype(1, 5), againstPrototype(3, 10), againstPrototype(10, 20), againstPrototype(50, 50)],
  },
]

module.exports = { groups, BURST, bus, counted, listening }
