'use strict'

// A listener that fails changes nothing for anyone else, and its failure is told: to onError, to
// captureRejections, or in a process warning.

const assert = require('node:assert/strict')
const { EventEmitter, captureRejectionSymbol, errorMonitor } = require('node:events')
const { test } = require('node:test')
const { inspect } = require('node:util')
const { ParallelEventBus } = require('../..')

/** The warnings of this library that `run` causes. */
async function warningsOf(run) {
  const warnings = []
  const listen = (warning) => warning.name === 'ParallelEventBusWarning' && warnings.push(warning)
  process.on('warning', listen)
  try {
    await run()
    // process.emitWarning tells its listeners in a tick of their own.
    await new Promise((resolve) => setImmediate(resolve))
  } finally {
    process.off('warning', listen)
  }
  return warnings
}

const badThenable = { then: 5 }

/** An event that nobody waits for, and its listeners' end. */
async function emitted(bus, event) {
  bus.emit(event)
  await bus.idle()
}

/** Ways to fail, and what is reported. */
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
  'returns an object whose then can not be read': [
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

test('what a listener returns is a success, whatever it is', async () => {
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
  assert.match(warnings[0].detail, /Error: broken for good\n +at .*broken .*isolation\.test\.js/)
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

test('what fails after its emitter has given up is a warning', async () => {
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

test('a failure that can not even be inspected is told', async () => {
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

test('a listener is called, whatever its own call property is', async () => {
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
  assert.match(warnings[0].detail, /isolation\.test\.js/)
})
