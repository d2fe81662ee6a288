'use strict'

// With captureRejections, failures of listeners are events of the bus, or go to its rejection method.

const assert = require('node:assert/strict')
const { EventEmitter, captureRejectionSymbol, errorMonitor } = require('node:events')
const { test } = require('node:test')
const { ParallelEventBus } = require('../..')
const { warningsOf } = require('../fixtures/failures.js')

const thrownError = new Error('thrown')

test('captureRejections turns a failure into an error event', async () => {
  for (const listener of [
    async () => {
      throw thrownError
    },
    () => {
      throw thrownError
    },
  ]) {
    const bus = new ParallelEventBus({ captureRejections: true })
    const errors = []
    bus.on('x', listener)
    bus.on('error', (error) => errors.push(error))
    const warnings = await warningsOf(async () => {
      bus.emit('x')
      await bus.idle()
    })
    assert.deepEqual(errors, [thrownError])
    assert.deepEqual(warnings, [])
  }
})

test('captureRejections calls the rejection method instead, where there is one', async () => {
  const calls = []
  class Sub extends ParallelEventBus {
    [captureRejectionSymbol](...args) {
      calls.push(args)
    }
  }
  const bus = new Sub({ captureRejections: true })
  bus.on('x', async () => {
    throw thrownError
  })
  await bus.emitAndWait('x', 1, 2)
  assert.deepEqual(calls, [[thrownError, 'x', 1, 2]])
})

test('captureRejections follows the setting for all emitters', async () => {
  EventEmitter.captureRejections = true
  try {
    const bus = new ParallelEventBus()
    const errors = []
    bus.on('error', (error) => errors.push(error))
    bus.on('x', async () => {
      throw thrownError
    })
    await bus.emitAndWait('x')
    await bus.idle()
    assert.deepEqual(errors, [thrownError])
  } finally {
    EventEmitter.captureRejections = false
  }
})

test('an error listener that rejects under captureRejections does not go round', async () => {
  const bus = new ParallelEventBus({ captureRejections: true })
  let calls = 0
  bus.on('x', async () => {
    throw new Error('x')
  })
  bus.on('error', async () => {
    calls++
    throw new Error('from the error listener')
  })
  const warnings = await warningsOf(async () => {
    bus.emit('x')
    bus.emit('error', new Error('direct'))
    await bus.idle()
    await bus.idle()
  })
  assert.equal(calls, 2)
  assert.equal(warnings.length, 1)
})

test('an error monitor that fails under captureRejections does not go round', async () => {
  const bus = new ParallelEventBus({ captureRejections: true })
  let calls = 0
  bus.on(errorMonitor, () => {
    calls++
    throw new Error('from the monitor')
  })
  bus.on('error', () => {})
  const warnings = await warningsOf(async () => {
    bus.emit('error', new Error('x'))
    await bus.idle()
    await bus.idle()
  })
  assert.deepEqual([calls, warnings.length], [1, 1])
})

test('a rejection method that rejects is a warning', async () => {
  const bus = new ParallelEventBus({ captureRejections: true })
  bus[captureRejectionSymbol] = async () => {
    throw new Error('handler')
  }
  bus.on('x', () => {
    throw new Error('x')
  })
  const warnings = await warningsOf(() => bus.emitAndWait('x'))
  assert.deepEqual(
    warnings.map(({ code }) => code),
    ['PARALLEL_EVENT_BUS_HANDLER_FAILED'],
  )
})

test('captureRejections without an error listener, or on a closed bus, is a warning, not a crash', async () => {
  for (const prepare of [(bus) => bus, (bus) => bus.on('error', () => assert.fail('the bus is closed'))]) {
    const bus = prepare(new ParallelEventBus({ captureRejections: true }))
    bus.on('x', async () => {
      throw new Error('x')
    })
    const warnings = await warningsOf(async () => {
      bus.emit('x')
      await bus.close()
    })
    assert.deepEqual(
      warnings.map(({ code }) => code),
      ['PARALLEL_EVENT_BUS_LISTENER_FAILED'],
    )
  }
})

test('onError comes before captureRejections', async () => {
  const told = []
  const bus = new ParallelEventBus({ captureRejections: true, onError: (event) => told.push(event) })
  bus.on('error', () => told.push('error event'))
  bus.on('x', () => {
    throw new Error('x')
  })
  await bus.emitAndWait('x')
  await bus.idle()
  assert.deepEqual(told, ['x'])
})
