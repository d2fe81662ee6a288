'use strict'

// One event at a time: the next one is emitted when all listeners of the last one are done.

const { EventEmitter } = require('node:events')
const { ParallelEventBus } = require('../../../index.js')
const { countingListeners } = require('../listeners.js')
const { PrototypeBus } = require('../prototype.js')
const { compare } = require('./lines.js')

const EVENTS = 1000
const LISTENERS = 3

function measure(settings) {
  const emitter = new EventEmitter()
  const contestants = {
    bus: emitting(new ParallelEventBus(), (bus) => bus.idle()),
    'setImmediate, then EventEmitter.emit': contestant(emitter, () => later(() => emitter.emit('tick', 1))),
    'EventEmitter.emit': emitting(new EventEmitter(), () => undefined),
    prototype: emitting(new PrototypeBus(), (bus) => bus.lastBatch),
  }
  return compare(contestants, { 'setImmediate, then EventEmitter.emit': 1 / 1.2 }, settings)
}

/** @param {(target: object) => Promise<void> | undefined} done waits for the listeners of the last event */
function emitting(target, done) {
  return contestant(target, () => {
    target.emit('tick', 1)
    return done(target)
  })
}

/** @param {() => Promise<void> | undefined} deliver emits an event, and waits for its listeners */
function contestant(target, deliver) {
  const { functions, counters } = countingListeners(LISTENERS)
  for (const listener of functions) target.on('tick', listener)
  return {
    events: EVENTS,
    counters,
    async run() {
      for (let event = 0; event < EVENTS; event++) await deliver()
    },
  }
}

/** The floor of every event that is delivered in a later turn of the event loop. */
function later(call) {
  return new Promise((resolve) => {
    setImmediate(() => {
      call()
      resolve()
    })
  })
}

module.exports = [
  {
    title: 'one event at a time, beside others',
    note:
      'An event alone pays for its own way through the event loop, so that timers and I/O get their turn; setImmediate is ' +
      'the floor of that. EventEmitter and a promise never leave the stack, or the microtask queue. An await of the ' +
      'loop is in the time of each.',
    rows: [{ id: 'single', what: 'emit to 3 listeners, until all are done', measure }],
  },
]
