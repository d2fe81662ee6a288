'use strict'

// getStats: the numbers of emitted events, of their listeners, and of failed ones.

const assert = require('node:assert/strict')
const { test } = require('node:test')
const { ParallelEventBus } = require('../..')

/** Asserts that an object has these properties, among others. */
function assertHas(object, properties) {
  assert.deepEqual({ ...object, ...properties }, { ...object })
}

test('a fresh bus has counted nothing', () => {
  assert.deepEqual(new ParallelEventBus().getStats(), {
    eventsEmitted: 0,
    listenersInvoked: 0,
    listenersFailed: 0,
    parallelBatches: 0,
    averageListenersPerEvent: 0,
    failureRate: '0%',
    pending: 0,
    delivered: 0,
    failed: 0,
    timedOut: 0,
    refused: 0,
    lost: 0,
    cancelled: 0,
    unheard: 0,
    received: 0,
    receivedDelivered: 0,
    receivedFailed: 0,
  })
})

test('events are counted when they are emitted, and only those that somebody hears', async () => {
  const bus = new ParallelEventBus({ onError() {} })
  bus.on('one', () => {})
  bus.on('two', () => {})
  bus.on('two', () => {
    throw new Error('x')
  })
  bus.emit('nobody')
  await bus.emitAndWait('nobody')
  bus.emit('one')
  const waiting = bus.emitAndWait('two')
  const stats = { eventsEmitted: 2, listenersInvoked: 3, parallelBatches: 2, averageListenersPerEvent: '1.50' }
  assertHas(bus.getStats(), {
    ...stats,
    listenersFailed: 0,
    failureRate: '0.00%',
    pending: 2,
    unheard: 2,
    delivered: 0,
  })
  await waiting
  assertHas(bus.getStats(), {
    ...stats,
    listenersFailed: 1,
    failureRate: '33.33%',
    pending: 0,
    delivered: 2,
    failed: 1,
  })
})

test('resetStats starts again and leaves alone the events in flight', async () => {
  const bus = new ParallelEventBus()
  bus.on('x', () => {})
  await bus.emitAndWait('x')
  bus.emit('x')
  bus.resetStats()
  assert.equal(bus.getStats().pending, 1)
  assert.equal(bus.getStats().eventsEmitted, 0)
  await bus.idle()
  assert.equal(bus.getStats().pending, 0)
})

test('each bus counts its own', async () => {
  const [a, b] = [new ParallelEventBus(), new ParallelEventBus()]
  a.on('x', () => b.emit('x'))
  b.on('x', () => {})
  await a.emitAndWait('x')
  await b.idle()
  assert.equal(a.getStats().eventsEmitted, 1)
  assert.equal(b.getStats().eventsEmitted, 1)
})

test('failures of events from before a reset do not count after it', async () => {
  const bus = new ParallelEventBus({ onError() {} })
  const failing = async () => {
    throw new Error('late')
  }
  bus.on('x', failing)
  bus.on('x', failing)
  bus.emit('x')
  bus.emit('x')
  bus.resetStats()
  await bus.idle()
  assert.deepEqual([bus.getStats().listenersFailed, bus.getStats().failureRate], [0, '0%'])
  bus.once('x', () => {})
  await bus.emitAndWait('x')
  const { listenersInvoked, listenersFailed, failureRate } = bus.getStats()
  assert.deepEqual([listenersInvoked, listenersFailed, failureRate], [3, 2, '66.67%'])
})
