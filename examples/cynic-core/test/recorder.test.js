'use strict'

// The recorder, on a bus of either base class.

const assert = require('node:assert/strict')
const { test } = require('node:test')
const { record } = require('@cynic/core/migration')
const { onBothBases, settled } = require('./support/bases.js')

onBothBases('services-bus.js', 'ServicesBus', ({ create, deferred }) => {
  test('tells events, listeners, failures and times, of a bus that goes on as it was', async () => {
    const bus = create({ onError() {} })
    const heard = []
    bus.on('a', (value) => heard.push(value))
    bus.on('b', (value) => heard.push(value))
    bus.on('b', (value) => {
      if (value === 'bad') throw new Error('no')
    })
    const recorder = record(bus)
    assert.equal(bus.emit('a', 1), true)
    assert.equal(bus.emit('b', 2), true)
    assert.equal(bus.emit('unheard'), false)
    if (deferred) bus.emit('b', 'bad')
    else assert.throws(() => bus.emit('b', 'bad'), { message: 'no' })
    await settled(bus)
    const { events, listeners, failureRate, emit, eventsPerSecond, memory } = recorder.report()
    assert.equal(events, 4)
    assert.deepEqual(listeners, { 0: 1, 1: 1, 2: 2 })
    assert.equal(failureRate, 1 / 5)
    assert.ok(eventsPerSecond > 0 && emit.p50 > 0)
    assert.ok(emit.p50 <= emit.p90 && emit.p90 <= emit.p99 && emit.p99 <= emit.max)
    assert.ok(memory.heap > 0 && memory.resident > memory.heap)

    recorder.stop()
    bus.emit('a', 3)
    await settled(bus)
    assert.equal(recorder.report().events, 4)
    assert.ok(!Object.hasOwn(bus, 'emit'))
    assert.deepEqual(heard, [1, 2, 'bad', 3])
  })

  test('reports before the first event', () => {
    const { events, emit, listeners, failureRate } = record(create()).report()
    assert.deepEqual([events, emit, listeners, failureRate], [0, { p50: 0, p90: 0, p99: 0, max: 0 }, {}, 0])
  })
})
