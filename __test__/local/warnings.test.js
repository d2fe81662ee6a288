'use strict'

// Failures without any other report are process warnings, of a bounded number; and nothing else is one.

const assert = require('node:assert/strict')
const { test } = require('node:test')
const { ParallelEventBus } = require('../..')
const { emitted, warningsOf } = require('../fixtures/failures.js')

test('without a handler the 1st, 10th, 100th failure of each listener of each event is a warning with its stack', async () => {
  const bus = new ParallelEventBus()
  function broken() {
    throw new Error('broken for good')
  }
  const alsoBroken = async () => {
    throw new Error('also broken')
  }
  bus.on('x', broken)
  bus.on('x', alsoBroken)
  bus.on('y', broken)
  const warnings = await warningsOf(async () => {
    for (let round = 0; round < 99; round++) await emitted(bus, 'x')
    await emitted(bus, 'y')
  })
  assert.equal(warnings.length, 5)
  assert.equal(warnings[0].code, 'PARALLEL_EVENT_BUS_LISTENER_FAILED')
  assert.match(warnings[0].message, /broken.*'x'/)
  assert.match(warnings[0].detail, /Error: broken for good\n +at .*broken .*warnings\.test\.js/)
  const repeated = warnings.filter(({ message }) => message.includes('10 times')).map(({ message }) => message)
  assert.deepEqual(
    repeated.map((message) => message.slice(0, message.indexOf(' times'))),
    ["listener broken of 'x' failed 10", "listener alsoBroken of 'x' failed 10"],
  )
  assert.equal(bus.getStats().listenersFailed, 199)
})

test('failures that the emitter is told of are no warnings', async () => {
  const bus = new ParallelEventBus()
  bus.on('x', () => {
    throw new Error('x')
  })
  bus.once('y', async () => {
    throw new Error('y')
  })
  const warnings = await warningsOf(async () => {
    assert.equal((await bus.emitAndWait('x')).failed, 1)
    assert.equal((await bus.with({ timeout: 60_000 }).emitAndWait('x')).failed, 1)
    await assert.rejects(bus.request('x'), /x/)
    await assert.rejects(bus.request('y'), /y/)
  })
  assert.deepEqual(warnings, [])
})

test('a failure after its emitter has given up is a warning', async () => {
  const bus = new ParallelEventBus()
  const controller = new AbortController()
  bus.on('x', async () => {
    controller.abort()
    throw new Error('unheard by the emitter')
  })
  const warnings = await warningsOf(async () => {
    await assert.rejects(bus.with({ signal: controller.signal }).emitAndWait('x'), { name: 'AbortError' })
    await bus.idle()
  })
  assert.equal(warnings.length, 1)
})

test('warnings of one listener of events without end have a bound', async () => {
  const bus = new ParallelEventBus()
  const broken = () => {
    throw new Error('broken')
  }
  const warnings = await warningsOf(async () => {
    for (let number = 0; number < 199; number++) {
      bus.once(`reply:${number}`, broken)
      bus.emit(`reply:${number}`)
    }
    await bus.idle()
  })
  assert.equal(warnings.length, 102)
})

test('a failure that cannot even be inspected is told', async () => {
  const bus = new ParallelEventBus()
  const hostile = {
    get [Symbol.toStringTag]() {
      throw new Error('no')
    },
    [Symbol.for('nodejs.util.inspect.custom')]() {
      throw new Error('no')
    },
  }
  bus.on('x', () => {
    throw hostile
  })
  const warnings = await warningsOf(() => emitted(bus, 'x'))
  assert.equal(warnings.length, 1)
})

test('a listener that is added to a closed bus is a warning, once', async () => {
  const bus = new ParallelEventBus()
  await bus.close()
  const warnings = await warningsOf(() => {
    bus.on('x', () => {})
    bus.once('y', () => {})
  })
  assert.deepEqual(
    warnings.map(({ code, message }) => [code, message]),
    [['PARALLEL_EVENT_BUS_CLOSED', "a listener of 'x' was added to a closed bus, which calls nobody: see close()"]],
  )
  assert.match(warnings[0].detail, /warnings\.test\.js/)
})
