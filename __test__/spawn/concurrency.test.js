'use strict'

// `spawn(module, { concurrency })`: how many calls of a thread's listeners run at once.

const assert = require('node:assert/strict')
const { moduleOf, sharedCells } = require('../fixtures/modules.js')
const { stage, test, until } = require('../fixtures/stage.js')

/** Two listeners of the group whose calls count in the first number, and end when the second one says so; and others. */
const WAITING = moduleOf((bus, cells) => {
  const wait = async (value) => {
    Atomics.add(cells, 0, 1)
    while (Atomics.load(cells, 1) === 0) await new Promise((resolve) => setTimeout(resolve, 1))
    Atomics.sub(cells, 0, 1)
    return value
  }
  bus.on('a', wait)
  bus.on('b', wait)
  bus.on('own', () => wait('own'), { concurrency: Infinity })
  bus.on('all', () => Atomics.add(cells, 2, 1), { group: null })
})

const running = (cells) => Atomics.load(cells, 0)
const open = (cells) => Atomics.store(cells, 1, 1)

test('no more calls of the listeners of a thread run at once than its pool says, whatever the events', async (t) => {
  const { bus } = stage(t)
  const cells = sharedCells()
  const pool = await bus.spawn(WAITING, { threads: 2, concurrency: 3, workerData: cells })
  const requests = Array.from({ length: 20 }, (_, number) => bus.request(number % 2 === 0 ? 'a' : 'b', number))
  await until(() => running(cells) === 6)
  // A listener of every thread, and one that says so itself, do not wait behind them.
  assert.equal((await bus.emitAndWait('all')).success, 2)
  const own = Array.from({ length: 3 }, () => bus.request('own'))
  await until(() => running(cells) === 9)
  assert.equal(bus.getStats().pending, 23)
  open(cells)
  assert.deepEqual(
    await Promise.all(requests),
    Array.from({ length: 20 }, (_, number) => number),
  )
  await Promise.all(own)
  await pool.close()
})

test('a pool grows by what is beyond the concurrency of its threads', async (t) => {
  const { bus } = stage(t)
  const cells = sharedCells()
  const pool = await bus.spawn(WAITING, { minThreads: 1, maxThreads: 3, concurrency: 4, workerData: cells })
  const requests = Array.from({ length: 4 }, () => bus.request('a'))
  await until(() => running(cells) === 4)
  requests.push(bus.request('a'))
  // A thread that starts takes over what waits.
  await until(() => running(cells) === 5)
  assert.equal(pool.threadIds.length, 2)
  open(cells)
  await Promise.all(requests)
  await pool.close()
})

test('the concurrency of a pool is checked', async (t) => {
  const { bus } = stage(t)
  for (const concurrency of [0, -1, 1.5, Number.NaN]) {
    await assert.rejects(bus.spawn(WAITING, { concurrency }), { code: 'ERR_OUT_OF_RANGE' })
  }
  for (const concurrency of ['1', null, 1n]) {
    await assert.rejects(bus.spawn(WAITING, { concurrency }), { code: 'ERR_INVALID_ARG_TYPE' })
  }
})
