'use strict'

// `pool.recycle()` replaces threads without losing an event. What the module returns is its teardown.

const assert = require('node:assert/strict')
const path = require('node:path')
const { ParallelEventBus } = require('../..')
const native = require('../../native.js')
const { moduleOf, sharedCells } = require('../fixtures/modules.js')
const { stage, test, until, warnings } = require('../fixtures/stage.js')

const POOL = path.join(__dirname, '../fixtures/pool.mjs')

test('recycle replaces every thread, and no event is lost or started twice', async (t) => {
  const { bus, errors } = stage(t)
  const before = native.counters().threads
  const pool = await bus.spawn(POOL, { threads: 3 })
  const old = pool.threadIds
  const requests = []
  const counts = []
  let isDone = false
  const recycling = pool.recycle()
  assert.equal(pool.recycle(), recycling, 'calls while it goes on are one')
  recycling.finally(() => {
    isDone = true
  })
  while (!isDone) {
    requests.push(bus.request('slow', 3))
    counts.push(pool.threadIds.length)
    await new Promise((resolve) => setImmediate(resolve))
  }
  await recycling
  const ids = await Promise.all(requests)
  assert.ok(ids.some((id) => old.includes(id)) && ids.some((id) => !old.includes(id)))
  assert.ok(Math.min(...counts) >= 3 && Math.max(...counts) <= 4, 'one by one, the new one first')
  assert.equal(pool.threadIds.length, 3)
  assert.ok(!pool.threadIds.some((id) => old.includes(id)))
  assert.deepEqual([errors, bus.getStats().listenersFailed], [[], 0])
  assert.equal(native.counters().threads, before + 3)
  const again = pool.threadIds
  await pool.recycle()
  assert.ok(!pool.threadIds.some((id) => again.includes(id)))
  await pool.close()
})

test('recycle rejects where a new thread cannot be started, and the old ones stay', async (t) => {
  const { bus, errors } = stage(t)
  const module = moduleOf((bus, cells) => {
    if (Atomics.add(cells, 0, 1) === 2) throw new Error('the third')
    bus.on('x', () => 5)
  })
  const pool = await bus.spawn(module, { threads: 2, workerData: sharedCells() })
  const old = pool.threadIds
  await assert.rejects(pool.recycle(), { message: 'the third' })
  assert.deepEqual([pool.threadIds, await bus.request('x'), errors], [old, 5, []])
  await pool.recycle()
  assert.ok(!pool.threadIds.some((id) => old.includes(id)))
  await pool.close()
})

test('a pool that is closed while it recycles ends; one that is closed has nothing to replace', async (t) => {
  const { bus } = stage(t)
  const before = native.counters().threads
  for (const end of ['close', 'terminate']) {
    const pool = await bus.spawn(POOL, { threads: 2 })
    const recycling = pool.recycle()
    await pool[end]()
    await recycling
    await pool.recycle()
    assert.deepEqual([pool.threadIds, native.counters().threads], [[], before])
  }
})

/** Its teardown waits, and counts. */
const TEARDOWN = moduleOf(async (bus, cells) => {
  let running = 0
  bus.on('x', async () => {
    running++
    await new Promise((resolve) => setTimeout(resolve, 5))
    running--
    Atomics.add(cells, 0, 1)
  })
  bus.on('crash', () => process.exit(1))
  return async () => {
    await new Promise((resolve) => setImmediate(resolve))
    if (bus.emit('x') || running > 0) throw new Error('too early')
    Atomics.add(cells, 1, 1)
  }
})

test('the teardown of a module runs behind the last event at close and recycle, and not at a crash', async (t) => {
  const { bus, errors } = stage(t)
  const cells = sharedCells()
  const done = () => Atomics.load(cells, 1)
  const pool = await bus.spawn(TEARDOWN, { threads: 2, workerData: cells })
  const gone = pool.threadIds
  bus.emit('crash')
  await until(() => pool.threadIds.length === 2 && pool.threadIds.some((id) => !gone.includes(id)))
  assert.equal(done(), 0)
  await pool.recycle()
  assert.equal(done(), 2)
  for (let each = 0; each < 6; each++) bus.emit('x')
  await pool.close()
  assert.deepEqual([done(), Atomics.load(cells, 0)], [4, 6])
  assert.deepEqual(
    errors.filter(([event, { code }]) => event === ParallelEventBus.threadExit && code !== 'ERR_THREAD_EXITED'),
    [],
  )
  const terminated = await bus.spawn(TEARDOWN, { threads: 1, workerData: cells })
  await terminated.terminate()
  assert.equal(done(), 4)
})

test('a teardown that fails is told, with its thread, and the thread ends', async (t) => {
  const { bus, errors } = stage(t)
  const module = moduleOf(() => () => Promise.reject(Object.assign(new Error('no disk'), { code: 'E_DISK' })))
  const pool = await bus.spawn(module, { threads: 1 })
  const [threadId] = pool.threadIds
  await pool.close()
  const [[event, error, listener, origin], ...others] = errors
  assert.deepEqual(
    [event, error.code, listener, origin, others],
    [ParallelEventBus.threadExit, 'E_DISK', undefined, { threadId, listener: undefined, count: 1 }, []],
  )
  bus.clearErrorHandler()
  const heard = warnings(t)
  const silent = await bus.spawn(module, { threads: 1 })
  await silent.close()
  await until(() => heard.some(({ code }) => code === 'PARALLEL_EVENT_BUS_TEARDOWN_FAILED'))
})
