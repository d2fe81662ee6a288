'use strict'

// emit + delivery, as in `deliver.js`, beside the emitters and hooks that call their listeners on the emitter's stack.

const { EventEmitter2 } = require('eventemitter2')
const { EventEmitter: EventEmitter3 } = require('eventemitter3')
const { SyncHook } = require('tapable')
const { countingListeners } = require('../listeners.js')
const { BURST, bus, counted, listening } = require('./deliver.js')
const { compareWith } = require('./lines.js')

// Each has a loop of its own. In one that all of them share, V8 could inline none.

function eventemitter3(listeners) {
  const { target, counters } = listening(new EventEmitter3(), listeners)
  return {
    events: BURST,
    counters,
    run() {
      for (let event = 0; event < BURST; event++) target.emit('tick', 1)
    },
  }
}

function eventemitter2(listeners) {
  const { target, counters } = listening(new EventEmitter2({ maxListeners: 0 }), listeners)
  return {
    events: BURST,
    counters,
    run() {
      for (let event = 0; event < BURST; event++) target.emit('tick', 1)
    },
  }
}

function syncHook(listeners) {
  const { functions, counters } = countingListeners(listeners)
  const hook = new SyncHook(['number'])
  for (const listener of functions) hook.tap('counting', listener)
  return {
    events: BURST,
    counters,
    run() {
      for (let event = 0; event < BURST; event++) hook.call(1)
    },
  }
}

async function callHook(listeners) {
  // Only published as an ES module.
  const { Hookable } = await import('hookable')
  const { functions, counters } = countingListeners(listeners)
  const hooks = new Hookable()
  for (const listener of functions) hooks.hook('tick', listener)
  return {
    events: BURST,
    counters,
    run() {
      for (let event = 0; event < BURST; event++) hooks.callHook('tick', 1)
    },
  }
}

function row(listeners, full) {
  const peers = {
    eventemitter3: () => eventemitter3(listeners),
    eventemitter2: () => eventemitter2(listeners),
    'tapable SyncHook': () => syncHook(listeners),
    'hookable callHook': () => callHook(listeners),
  }
  return {
    id: `peers-${listeners}`,
    what: counted(listeners),
    full,
    measure: (settings) => compareWith(peers, { bus: bus(listeners) }, {}, settings),
  }
}

module.exports = [
  {
    title: 'emit + delivery, bursts of 10 000, beside other emitters and hooks',
    note:
      'All of these call the listeners on the emitter’s stack, as EventEmitter does: the emitter is busy for as long ' +
      'as they are, and nothing is kept for later. emittery has no such emit: it is below, among those that wait.',
    rows: [row(1, true), row(3, false), row(10, true), row(50, true)],
  },
]
