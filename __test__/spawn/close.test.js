'use strict'

// `close({ timeout })` of a pool and of a bus: what does not end by itself is ended, and counted.

const assert = require('node:assert/strict')
const path = require('node:path')
const { ParallelEventBus } = require('../..')
const native = require('../../native.js')
const { moduleOf, sharedCells } = require('../fixtures/modules.js')
const { inProcess, stage, test, until } = require('../fixtures/stage.js')

const POOL = path.join(__dirname, '../fixtures/pool.mjs')
const CODE = 'ERR_THREAD_EXITED'

test('close resolves to what was lost: nothing, where all events settle in time', async (t) => {
  const { bus } = stage(t)
  for (const options of [undefined, {}, { timeout: 60_000 }]) {
    const pool = await bus.spawn(POOL, { threads: 2 })
    const slow = Promise.all([1, 2, 3].map(() => bus.request('slow', 5)))
    assert.deepEqual(await pool.close(options), { unsettled: 0 })
    assert.equal((await slow).length, 3)
    assert.deepEqual(await pool.close({ timeout: 0 }), { unsettled: 0 })
  }
})

test('a pool that is not done in time is ended, and counts the events that it had', async (t) => {
  const { bus } = stage(t)
  const before = native.counters().threads
  const cells = sharedCells()
  const module = moduleOf((bus, cells) => {
    bus.on('never', () => {
      Atomics.add(cells, 0, 1)
      return new Promise(() => {})
    })
    bus.on('everywhere', () => new Promise(() => {}), { group: null })
  })
  const pool = await bus.spawn(module, { threads: 2, workerData: cells })
  const requests = Promise.allSettled([1, 2, 3].map(() => bus.request('never')))
  bus.emit('everywhere')
  await until(() => Atomics.load(cells, 0) === 3)
  const closing = pool.close()
  assert.equal(pool.close({ timeout: 60_000 }), closing)
  assert.equal(pool.close({ timeout: 10 }), closing, 'the last limit counts')
  assert.deepEqual(await closing, { unsettled: 5 })
  for (const { reason } of await requests) assert.equal(reason.code, CODE)
  assert.equal(native.counters().threads, before)
})

test('terminate resolves to what was lost, too, once, however often it is called', async (t) => {
  const { bus } = stage(t)
  const pool = await bus.spawn(POOL, { threads: 2 })
  const requests = Promise.allSettled([1, 2].map(() => bus.request('never')))
  const ended = await Promise.all([pool.terminate(), pool.terminate(), pool.close({ timeout: 0 })])
  assert.deepEqual(ended, Array(3).fill({ unsettled: 2 }))
  assert.equal((await requests).length, 2)
})

test('a bus ends its pools when its time is over, and tells their emitters', async (t) => {
  const { channel } = stage(t)
  const before = native.counters()
  const bus = new ParallelEventBus({ channel, onError() {} })
  await bus.spawn(POOL, { threads: 1 })
  await bus.spawn(POOL, { threads: 1 })
  const never = Promise.allSettled([bus.request('never'), bus.emitAndWait('never')])
  const closing = bus.close({ timeout: 10 })
  assert.equal(bus.close(), closing)
  assert.deepEqual(await closing, { unsettled: 3 }, 'a request has one listener, and an event one in each pool')
  const [{ reason }, { value }] = await never
  assert.deepEqual([reason.code, value.failed], [CODE, 2])
  const { threads, members, dispatches } = native.counters()
  assert.deepEqual([threads, members, dispatches], [before.threads, before.members, before.dispatches])
})

test('a bus closes in time although its listeners, or those of others, never settle; it counts each event once', async (t) => {
  const { channel, bus: other, startOne, cells } = stage(t)
  const local = new ParallelEventBus()
  local.on('x', () => new Promise(() => {}))
  local.emit('x')
  local.emit('x')
  assert.deepEqual(await local.close({ timeout: 5 }), { unsettled: 2 })
  assert.deepEqual(await new ParallelEventBus().close(), { unsettled: 0 })

  cells.name('go')
  await startOne(({ bus, cells }) => {
    bus.on('elsewhere', () => cells.reach('go'))
  })
  const bus = new ParallelEventBus({ channel })
  const settle = []
  for (const event of ['here', 'chosen']) {
    const group = event === 'chosen' ? 'one' : undefined
    bus.on(event, () => new Promise((resolve) => settle.push(resolve)), { group })
  }
  const outcomes = [bus.emitAndWait('chosen'), bus.emitAndWait('elsewhere'), other.emitAndWait('here')]
  await until(() => settle.length === 2)
  assert.deepEqual(await bus.close({ timeout: 5 }), { unsettled: 3 })
  assert.equal(other.emit('here'), false)
  // They settle all the same, in the end.
  cells.set('go', 1)
  for (const each of settle) each()
  for (const { success } of await Promise.all(outcomes)) assert.equal(success, 1)
  await until(() => bus.getStats().pending === 0)
})

test('a bus that is asked to hurry while its pool closes ends it', async (t) => {
  const { channel } = stage(t)
  const bus = new ParallelEventBus({ channel })
  const module = moduleOf(() => () => new Promise(() => {}))
  await bus.spawn(module, { threads: 1 })
  const closing = bus.close()
  assert.deepEqual(await bus.close({ timeout: 5 }), { unsettled: 0 }, 'its teardown never ends')
  await closing
})

test('the process stays until the time is over', async () => {
  const { status, stdout } = await inProcess(`
    bus.on('x', () => new Promise(() => {}))
    bus.emit('x')
    bus.close({ timeout: 20 }).then(({ unsettled }) => console.log(unsettled))
  `)
  assert.deepEqual([status, stdout], [0, '1\n'])
})
