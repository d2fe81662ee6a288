'use strict'

// A listener that fails changes nothing for anyone else, and its failure is told to onError, or in a process warning.

const assert = require('node:assert/strict')
const { test } = require('node:test')
const { inspect } = require('node:util')
const { ParallelEventBus } = require('../..')
const { emitted, warningsOf } = require('../fixtures/failures.js')

const badThenable = { then: 5 }

/** Ways to fail, and the errors that are reported. */
const thrownError = new Error('thrown')
const failures = {
  'throws an error': [
    () => {
      throw thrownError
    },
    thrownError,
  ],
  'throws undefined': [
    () => {
      throw undefined
    },
    undefined,
  ],
  'throws a string': [
    () => {
      throw 'text'
    },
    'text',
  ],
  'throws null': [
    () => {
      throw null
    },
    null,
  ],
  rejects: [
    async () => {
      throw thrownError
    },
    thrownError,
  ],
  'rejects with undefined': [() => Promise.reject(), undefined],
  'returns a thenable that rejects': [() => ({ then: (_, reject) => reject(thrownError) }), thrownError],
  'returns a thenable whose then throws': [
    () => ({
      then() {
        throw thrownError
      },
    }),
    thrownError,
  ],
  'returns an object whose then cannot be read': [
    () => ({
      get then() {
        throw thrownError
      },
    }),
    thrownError,
  ],
}

for (const [name, [listener, expected]] of Object.entries(failures)) {
  test(`a listener that ${name} is counted and told, and stops nobody`, async () => {
    const told = []
    const bus = new ParallelEventBus({ onError: (...args) => told.push(args) })
    let calls = 0
    bus.on('x', () => {
      calls++
    })
    bus.on('x', listener)
    bus.on('x', async () => {
      calls++
    })
    bus.emit('x')
    const outcome = await bus.emitAndWait('x')
    assert.deepEqual(outcome, { success: 2, failed: 1, errors: [expected] })
    assert.deepEqual(told, [
      ['x', expected, listener],
      ['x', expected, listener],
    ])
    assert.equal(calls, 4)
    assert.equal(bus.getStats().listenersFailed, 2)
  })
}

test('any return value of a listener is a success', async () => {
  const values = [
    undefined,
    null,
    0,
    '',
    5,
    'text',
    {},
    [],
    badThenable,
    () => {},
    Object.create(null),
    Promise.resolve(5),
  ]
  const bus = new ParallelEventBus({ maxListeners: 0 })
  for (const value of values) bus.on('x', () => value)
  assert.deepEqual(await bus.emitAndWait('x'), { success: values.length, failed: 0, errors: [] })
})

test('a thenable that settles twice, or throws after settling, is heard once', async () => {
  const bus = new ParallelEventBus({ onError: () => {} })
  bus.on('x', () => ({
    then(resolve, reject) {
      resolve(1)
      reject(new Error('late'))
      resolve(2)
    },
  }))
  bus.on('x', () => ({
    then(resolve) {
      resolve(1)
      throw new Error('late')
    },
  }))
  bus.on('x', () => ({
    then(_, reject) {
      reject('first')
      reject('second')
    },
  }))
  assert.deepEqual(await bus.emitAndWait('x'), { success: 2, failed: 1, errors: ['first'] })
  assert.equal(bus.getStats().pending, 0)
})

test('a listener that never settles keeps nobody else', async () => {
  const bus = new ParallelEventBus()
  let calls = 0
  bus.on('x', () => ({ then() {} }))
  bus.on('x', () => new Promise(() => {}))
  bus.on('x', () => calls++)
  bus.on('y', () => calls++)
  bus.emit('x')
  await bus.emitAndWait('y')
  assert.equal(calls, 2)
  assert.equal(bus.getStats().pending, 1)
})

test('an error handler can be set, replaced and cleared', async () => {
  const told = []
  const bus = new ParallelEventBus({ onError: () => told.push('first') })
  bus.on('x', () => {
    throw new Error('x')
  })
  await bus.emitAndWait('x')
  bus.setErrorHandler(() => told.push('second'))
  await bus.emitAndWait('x')
  assert.deepEqual(told, ['first', 'second'])
  bus.clearErrorHandler()
  const warnings = await warningsOf(() => emitted(bus, 'x'))
  assert.equal(warnings.length, 1)
  assert.throws(() => bus.setErrorHandler(5), { code: 'ERR_INVALID_ARG_TYPE' })
})

test('onError is told of the listener as it was registered', async () => {
  const told = []
  const bus = new ParallelEventBus({ onError: (_event, _error, listener) => told.push(listener) })
  const listener = () => {
    throw new Error('x')
  }
  bus.once('x', listener)
  bus.once('x', listener, { timeout: 1000 })
  bus.on('x', listener, { timeout: 1000 })
  await bus.emitAndWait('x')
  await bus.request('x').catch(() => {})
  assert.deepEqual(told, [listener, listener, listener, listener])
})

for (const [name, onError] of [
  [
    'throws',
    () => {
      throw new Error('handler')
    },
  ],
  [
    'rejects',
    async () => {
      throw new Error('handler')
    },
  ],
]) {
  test(`an onError that ${name} is a warning and nothing more`, async () => {
    const bus = new ParallelEventBus({ onError })
    let calls = 0
    bus.on('x', () => {
      throw new Error('listener')
    })
    bus.on('x', () => calls++)
    const warnings = await warningsOf(async () => {
      assert.equal((await bus.emitAndWait('x')).failed, 1)
    })
    assert.equal(calls, 1)
    assert.equal(warnings.length, 1)
    assert.equal(warnings[0].code, 'PARALLEL_EVENT_BUS_HANDLER_FAILED')
    assert.match(warnings[0].detail, /handler/)
  })
}

test('listeners that refuse to be looked at fail like any other, and stop nobody', async () => {
  const fail = () => {
    throw new Error('x')
  }
  const hostile = [
    Object.assign(() => fail(), { listener: 'text' }),
    Object.defineProperty(() => fail(), 'name', { value: Symbol('name') }),
    Object.defineProperty(() => fail(), 'name', { get: fail }),
    Object.defineProperty(() => fail(), 'listener', { get: fail }),
    new Proxy(() => fail(), { get: fail }),
  ]
  const bus = new ParallelEventBus()
  for (const listener of hostile) bus.on('x', listener)
  const warnings = await warningsOf(() => emitted(bus, 'x'))
  assert.equal(bus.getStats().listenersFailed, hostile.length)
  assert.equal(warnings.length, hostile.length)
})

test('a listener is called, whether it has a call property of its own or not', async () => {
  const bus = new ParallelEventBus()
  let calls = 0
  const own = Object.assign(() => calls++, { call: () => assert.fail('not this one') })
  const bare = Object.setPrototypeOf(() => calls++, null)
  bus.on('x', own)
  bus.on('x', bare)
  for (const args of [[], [1], [1, 2], [1, 2, 3]]) await bus.emitAndWait('x', ...args)
  assert.equal(calls, 8)
})

test('a thenable that settles with a promise is followed to the end of that', async () => {
  const bus = new ParallelEventBus({ onError() {} })
  bus.on('x', () => ({ then: (resolve) => resolve(Promise.reject(new Error('nested'))) }))
  bus.on('x', () => ({ then: (resolve) => resolve(new Promise(() => {})) }), { timeout: 5 })
  const { failed, errors } = await bus.emitAndWait('x')
  assert.equal(failed, 2)
  assert.match(errors[0].message, /nested/)
  assert.equal(errors[1].code, 'ERR_LISTENER_TIMEOUT')
})

test('where telling of a failure fails, listeners run and promises settle all the same', async (t) => {
  const { emitWarning } = process
  const { write } = process.stderr
  const printed = []
  t.after(() => {
    process.emitWarning = emitWarning
    process.stderr.write = write
  })
  process.emitWarning = () => {
    throw new Error('no warnings, please')
  }
  process.stderr.write = (text) => printed.push(text)
  const fails = () => {
    throw Object.assign(new Error('fails'), {
      [inspect.custom]() {
        throw new Error('not to be looked at')
      },
    })
  }
  const reporters = {
    'a warning that throws': {},
    'an onError that throws': { onError: fails },
    'an onError that returns a thenable that throws': { onError: () => ({ then: fails }) },
    'an onError whose result refuses to be read': { onError: () => Object.defineProperty({}, 'then', { get: fails }) },
  }
  for (const [name, options] of Object.entries(reporters)) {
    const bus = new ParallelEventBus(options)
    let calls = 0
    bus.on('x', fails)
    bus.on('x', async () => fails())
    bus.on('x', () => calls++)
    const { success, failed } = await bus.emitAndWait('x')
    assert.deepEqual([success, failed, calls], [1, 2, 1], name)
    await emitted(bus, 'x')
    await assert.rejects(bus.request('x'), /fails/)
    await bus.idle()
  }
  assert.match(printed[0], /PARALLEL_EVENT_BUS_LISTENER_FAILED.*'x' failed/)
})
