'use strict'

// emitAndWait: 100 callers that each emit, wait for all listeners of that event, and emit again.

const { EventEmitter2 } = require('eventemitter2')
const { AsyncParallelHook } = require('tapable')
const { ParallelEventBus } = require('../../../index.js')
const { callAll } = require('../callers.js')
const { asyncListeners, countingListeners } = require('../listeners.js')
const { PrototypeBus } = require('../prototype.js')
const { compareWith } = require('./lines.js')

const CALLS = { callers: 100, each: 100 }
const KINDS = { sync: countingListeners, async: asyncListeners }

function row(kind, listeners, atLeast) {
  const create = () => KINDS[kind](listeners)
  const peers = {
    'emittery 1': () => emittery1(create()),
    'emittery 2': () => emittery2(create()),
    'eventemitter2 emitAsync': () => emitAsync(create()),
    'tapable AsyncParallelHook': () => parallelHook(create(), kind),
    'hookable callHookParallel': () => callHookParallel(create()),
  }
  const goals = { prototype: atLeast, 'emittery 1': atLeast, 'emittery 2': atLeast }
  return {
    id: `wait-${listeners}-${kind}`,
    what: `${listeners} ${kind} listeners`,
    measure: (settings) => compareWith(peers, { bus: bus(create()), prototype: prototype(create()) }, goals, settings),
  }
}

function bus({ functions, counters }) {
  const target = new ParallelEventBus()
  for (const listener of functions) target.on('tick', listener)
  return contestant(counters, () => target.emitAndWait('tick', 1))
}

function prototype({ functions, counters }) {
  const target = new PrototypeBus()
  for (const listener of functions) target.on('tick', listener)
  return contestant(counters, () => target.emitAndWait('tick', 1))
}

// Some are only published as ES modules.

async function emittery1({ functions, counters }) {
  const { default: Emittery } = await import('emittery-1')
  const target = new Emittery()
  for (const listener of functions) target.on('tick', listener)
  return contestant(counters, () => target.emit('tick', 1))
}

async function emittery2({ functions, counters }) {
  const { default: Emittery } = await import('emittery')
  const target = new Emittery()
  // Its listeners get an object with the data in it.
  for (const listener of functions) target.on('tick', ({ data }) => listener(data))
  return contestant(counters, () => target.emit('tick', 1))
}

function emitAsync({ functions, counters }) {
  const target = new EventEmitter2({ maxListeners: 0 })
  for (const listener of functions) target.on('tick', listener)
  return contestant(counters, () => target.emitAsync('tick', 1))
}

function parallelHook({ functions, counters }, kind) {
  const hook = new AsyncParallelHook(['number'])
  for (const listener of functions) {
    if (kind === 'async') hook.tapPromise('counting', listener)
    else hook.tap('counting', listener)
  }
  return contestant(counters, () => hook.promise(1))
}

async function callHookParallel({ functions, counters }) {
  const { Hookable } = await import('hookable')
  const hooks = new Hookable()
  for (const listener of functions) hooks.hook('tick', listener)
  return contestant(counters, () => hooks.callHookParallel('tick', 1))
}

function contestant(counters, emit) {
  return { events: CALLS.callers * CALLS.each, counters, run: () => callAll(CALLS, emit) }
}

module.exports = [
  {
    title: 'emitAndWait, 100 in flight, sync listeners, beside others',
    note:
      'The others never leave the microtask queue, so 100 callers keep timers and I/O out until they are done; the ' +
      'bus goes through the event loop for each batch, and that is in its time. Two have goals: the prototype and ' +
      'emittery, which as the bus do not start the listeners on the emitter’s stack.',
    rows: [row('sync', 3, 5), row('sync', 10, 5)],
  },
  {
    title: 'emitAndWait, 100 in flight, async listeners, beside others',
    note:
      'As above. The listeners are async functions that await nothing themselves: the cost of the awaited work is ' +
      'the same for all, so it is left out, and with it the ratio of an application is smaller.',
    rows: [row('async', 3, 3), row('async', 10, 3)],
  },
]
