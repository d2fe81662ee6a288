'use strict'

// Failures of listeners in the threads of a pool: the handler of the bus that spawned it is told of them.

const assert = require('node:assert/strict')
const { ParallelEventBus } = require('../..')
const { moduleOf, sharedCells } = require('../fixtures/modules.js')
const { inProcess, keepBusyUntil, stage, test, turn, until } = require('../fixtures/stage.js')

const FAILING = moduleOf((bus, cells) => {
  bus.on('fail', function failing(how) {
    Atomics.add(cells, 0, 1)
    throw Object.assign(new RangeError(`failed ${how}`), { how, own: [1n] })
  })
  bus.on('reject', async () => {
    throw 'text'
  })
  bus.on('symbol', () => {
    bus.on(Symbol.for('registered'), () => Promise.reject(new Error('of a symbol')))
    bus.on(Symbol('own'), () => Promise.reject(new Error('of an own symbol')))
    for (const each of bus.eventNames()) if (typeof each === 'symbol') bus.emit(each)
  })
  bus.on('large', () => {
    throw Object.assign(new Error('x'.repeat(1e6)), { data: new Uint8Array(1e6) })
  })
})

test('a failure in a spawned thread is told to the handler of the spawner, with the thread', async (t) => {
  const { bus, errors } = stage(t)
  const pool = await bus.spawn(FAILING, { threads: 1, workerData: sharedCells() })
  const [threadId] = pool.threadIds
  await assert.rejects(bus.request('fail', 'first'), { name: 'RangeError' })
  bus.emit('reject')
  bus.emit('symbol')
  await until(() => errors.length === 4)
  const [[event, error, listener, origin], ...others] = errors
  assert.deepEqual([event, listener, origin], ['fail', undefined, { threadId, listener: 'failing', count: 1 }])
  assert.ok(error instanceof RangeError)
  assert.deepEqual([error.message, error.how, error.own], ['failed first', 'first', [1n]])
  assert.deepEqual(
    others.map(([event, error, , { listener }]) => [event, error.message ?? error, listener]),
    [
      ['reject', 'text', undefined],
      [Symbol.for('registered'), 'of a symbol', undefined],
      ['Symbol(own)', 'of an own symbol', undefined],
    ],
  )
  errors.length = 0
  bus.emit('large')
  await until(() => errors.length === 1)
  assert.ok(errors[0][1].message.length < 10_000, 'of a large error a part is told')
  await pool.close()
})

test('of a flood of failures, those beyond a bound are told by their number alone', async (t) => {
  const { bus, errors } = stage(t)
  const cells = sharedCells()
  const failures = 5000
  const pool = await bus.spawn(FAILING, { threads: 1, workerData: cells })
  for (let each = 0; each < failures; each++) bus.emit('fail', each)
  await turn()
  keepBusyUntil(() => Atomics.load(cells, 0) === failures, 'all have failed')
  const total = () => errors.reduce((sum, [, , , { count }]) => sum + count, 0)
  await until(() => total() === failures)
  assert.ok(errors.length < 200, `${errors.length} calls`)
  assert.ok(errors.some(([event, { how }, , { count }]) => event === 'fail' && how > 0 && count > 1000))
  await pool.close()
  assert.equal(total(), failures)
})

test('failures that were only counted are told when the thread ends', async (t) => {
  const { bus, errors } = stage(t)
  const cells = sharedCells()
  const module = moduleOf((bus, cells) => {
    bus.on('fail', (isLast) => {
      Atomics.add(cells, 0, 1)
      if (isLast) setImmediate(() => process.exit(0))
      throw new Error('failed')
    })
  })
  await bus.spawn(module, { threads: 1, workerData: cells })
  for (let each = 1; each <= 1000; each++) bus.emit('fail', each === 1000)
  keepBusyUntil(() => Atomics.load(cells, 0) === 1000, 'all have failed')
  const failed = () => errors.filter(([event]) => event === 'fail')
  await until(() => failed().reduce((sum, [, , , { count }]) => sum + count, 0) === 1000)
})

test('the handler of the time of the failure is told, and one of the pool, or of the module, is told instead', async (t) => {
  const { bus, errors } = stage(t)
  bus.clearErrorHandler()
  const cells = sharedCells()
  const pool = await bus.spawn(FAILING, { threads: 1, workerData: cells })
  const later = []
  bus.setErrorHandler((...about) => later.push(about))
  await assert.rejects(bus.request('fail'))
  await until(() => later.length === 1)
  await pool.close()

  const own = []
  const ofPool = await bus.spawn(FAILING, { threads: 1, workerData: cells, onError: (...about) => own.push(about) })
  bus.clearErrorHandler()
  await assert.rejects(bus.request('fail'))
  await until(() => own.length === 1)
  await ofPool.close()

  const module = moduleOf((bus, cells) => {
    bus.setErrorHandler(() => Atomics.add(cells, 1, 1))
    bus.on('fail', () => Promise.reject(new Error('failed')))
  })
  bus.setErrorHandler((...about) => later.push(about))
  const ofModule = await bus.spawn(module, { threads: 1, workerData: cells })
  bus.clearErrorHandler().setErrorHandler((...about) => later.push(about))
  await assert.rejects(bus.request('fail'))
  await until(() => Atomics.load(cells, 1) === 1)
  await ofModule.close()
  assert.deepEqual([later.length, own.length, errors.length], [1, 1, 0])
})

test('a crash is told with its thread', async (t) => {
  const { bus, errors } = stage(t)
  const module = moduleOf((bus) => {
    bus.on('crash', () => process.nextTick(() => Promise.reject(new Error('unhandled'))))
  })
  const pool = await bus.spawn(module, { threads: 1 })
  const [threadId] = pool.threadIds
  bus.emit('crash')
  await until(() => errors.length > 0)
  const [event, error, listener, origin] = errors[0]
  assert.deepEqual(
    [event, error.message, listener, origin],
    [ParallelEventBus.threadExit, 'unhandled', undefined, { threadId, listener: undefined, count: 1 }],
  )
})

test('without a handler a failure is a warning of its thread, as in any other thread', async () => {
  const { status, stderr } = await inProcess(`
    const module = ${JSON.stringify(moduleOf("(bus) => { bus.on('x', function failing() { throw new Error('on purpose') }) }"))}
    bus.spawn(module, { threads: 1 }).then(async () => {
      bus.emit('x')
      await bus.close()
    })
  `)
  assert.equal(status, 0)
  assert.match(stderr, /PARALLEL_EVENT_BUS_LISTENER_FAILED.*listener failing of 'x' failed/)
  assert.equal(stderr.match(/LISTENER_FAILED/g).length, 1)
})
