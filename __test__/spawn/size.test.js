'use strict'

// The number of threads of a pool between its bounds. Times are numbers that the test gives, where they matter.

const assert = require('node:assert/strict')
const { inspect } = require('node:util')
const { Size } = require('../../lib/pool/size.js')
const { moduleOf, release, sharedCells } = require('../fixtures/modules.js')
const { stage, test, until } = require('../fixtures/stage.js')

const BLOCKING = moduleOf((bus, cells) => {
  bus.on('block', () => {
    Atomics.wait(cells, 0, 0)
  })
})

const load = (thread, inFlight, looks = 0) => ({ thread, inFlight, looks })
const [A, B, C] = [{ name: 'A' }, { name: 'B' }, { name: 'C' }]

test('a pool has a thread for each event in flight, up to its most, while threads are missing for longer', async (t) => {
  const { bus } = stage(t)
  const cells = sharedCells()
  const pool = await bus.spawn(BLOCKING, { minThreads: 1, maxThreads: 3, workerData: cells })
  assert.equal(pool.threadIds.length, 1)
  assert.match(inspect(pool), /threads: '1 to 3'/)
  const requests = [bus.request('block'), bus.request('block')]
  await until(() => pool.threadIds.length === 2)
  requests.push(...Array.from({ length: 5 }, () => bus.request('block')))
  await until(() => pool.threadIds.length === 3)
  release(cells, 0)
  await Promise.all(requests)
  assert.equal(pool.threadIds.length, 3)
  await pool.close()
})

test('threads that have been idle for long end, down to the least, and are missed by nobody', async (t) => {
  const { bus, errors } = stage(t)
  const cells = sharedCells()
  const pool = await bus.spawn(BLOCKING, { minThreads: 1, maxThreads: 3, idleTimeout: 20, workerData: cells })
  const requests = Array.from({ length: 3 }, () => bus.request('block'))
  await until(() => pool.threadIds.length === 3)
  release(cells, 0)
  await Promise.all(requests)
  await until(() => pool.threadIds.length === 1)
  assert.equal((await bus.emitAndWait('block')).success, 1)
  assert.deepEqual([errors, pool.threadIds.length], [[], 1], 'no end of them is a crash')
  await pool.close()
})

test('a thread that cannot be started in addition is told of, and the pool goes on', async (t) => {
  const { bus, errors } = stage(t)
  const cells = sharedCells()
  const module = moduleOf((bus, cells) => {
    if (Atomics.add(cells, 2, 1) === 1) throw new Error('not the second')
    bus.on('block', () => {
      Atomics.wait(cells, 0, 0)
    })
  })
  const pool = await bus.spawn(module, { minThreads: 1, maxThreads: 2, workerData: cells })
  const requests = [bus.request('block'), bus.request('block')]
  await until(() => pool.threadIds.length === 2)
  assert.deepEqual(
    errors.map(([, { message }]) => message),
    ['not the second'],
  )
  release(cells, 0)
  await Promise.all(requests)
  await pool.close()
})

test('a crowd has to last from one look to the next', () => {
  const size = new Size({ min: 1, max: 4, idleTimeout: 100, takes: 1 })
  assert.equal(size.look(0, [load(A, 5)], 0).more, 0)
  assert.equal(size.look(10, [load(A, 0)], 0).more, 0)
  assert.equal(size.look(20, [load(A, 1)], 0).more, 0, 'one thread takes one event')
  assert.equal(size.look(30, [load(A, 3)], 0).more, 0)
  assert.equal(size.look(40, [load(A, 3)], 0).more, 2)
  assert.equal(size.look(50, [load(A, 3)], 2).more, 0, 'two are on their way')
  assert.equal(size.look(60, [load(A, 9), load(B, 0)], 1).more, 0)
  assert.equal(size.look(70, [load(A, 9), load(B, 0)], 1).more, 1, 'no more than the most')
})

test('a crowd is what is beyond the events that threads take', () => {
  const size = new Size({ min: 1, max: 4, idleTimeout: 100, takes: 3 })
  assert.equal(size.look(0, [load(A, 3)], 0).more, 0)
  assert.equal(size.look(10, [load(A, 3)], 0).more, 0)
  assert.equal(size.look(20, [load(A, 7)], 0).more, 0)
  assert.equal(size.look(30, [load(A, 7)], 0).more, 2)
})

test('a thread is idle while it has nothing in flight and looks for nothing', () => {
  const size = new Size({ min: 1, max: 3, idleTimeout: 100, takes: 1 })
  const idleAt = (now, ...loads) => size.look(now, loads, 0).idle
  assert.deepEqual(idleAt(0, load(A, 0), load(B, 0), load(C, 1)), [])
  assert.deepEqual(idleAt(99, load(A, 0), load(B, 0), load(C, 1)), [])
  assert.deepEqual(idleAt(100, load(A, 0), load(B, 0, 1), load(C, 1)), [A], 'an event has come and gone')
  assert.deepEqual(idleAt(199, load(B, 0, 1), load(C, 1)), [])
  assert.deepEqual(idleAt(200, load(B, 0, 1), load(C, 1)), [B])
  assert.deepEqual(idleAt(300, load(C, 0)), [])
  assert.deepEqual(idleAt(900, load(C, 0)), [], 'the least stay')
})
