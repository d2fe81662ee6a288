'use strict'

// `spawn(module, { maxQueue })`: how many events wait for a pool.

const assert = require('node:assert/strict')
const { moduleOf, sharedCells } = require('../fixtures/modules.js')
const { stage, test, until } = require('../fixtures/stage.js')

const WAITING = moduleOf((bus, cells) => {
  const wait = async (value) => {
    Atomics.add(cells, 0, 1)
    while (Atomics.load(cells, 1) === 0) await new Promise((resolve) => setTimeout(resolve, 1))
    return value
  }
  bus.on('work', wait)
  bus.on('more', wait)
  bus.on('all', () => {}, { group: null })
})

const open = (cells) => Atomics.store(cells, 1, 1)

/** Makes so many requests at once. Returns the promises of the replies, and of the errors, of those that are refused. */
function requests(bus, count) {
  const promises = Array.from({ length: count }, (_, number) => bus.request('work', number))
  return Promise.allSettled(promises)
}

for (const [concurrency, taken] of [
  [1, 2],
  [3, 6],
  [undefined, 2],
]) {
  test(`with concurrency ${concurrency}, two threads and a queue of 4 have ${taken + 4} events`, async (t) => {
    const { bus } = stage(t)
    const cells = sharedCells()
    const pool = await bus.spawn(WAITING, { threads: 2, concurrency, maxQueue: 4, workerData: cells })
    const settled = requests(bus, taken + 7)
    // What each thread hears is no event of the pool.
    assert.equal((await bus.emitAndWait('all')).success, 2)
    open(cells)
    const refused = (await settled).filter(({ status }) => status === 'rejected').map(({ reason }) => reason)
    assert.equal(refused.length, 3)
    for (const { code, event, message } of refused) {
      assert.deepEqual([code, event], ['ERR_MAILBOX_FULL', 'work'])
      assert.match(message, /^the queue of the pool is full \(4 events that wait, maxQueue\): 'work' was not queued\./)
    }
    // There is room again.
    assert.equal((await requests(bus, taken + 4)).filter(({ status }) => status === 'fulfilled').length, taken + 4)
    await pool.close()
  })
}

test('a queue of 0 has events that run alone, of all names, and onError is told of others', async (t) => {
  const { bus, errors, reported } = stage(t)
  const cells = sharedCells()
  const pool = await bus.spawn(WAITING, { threads: 1, concurrency: 1, maxQueue: 0, workerData: cells })
  const running = bus.request('work', 'first')
  await until(() => Atomics.load(cells, 0) === 1)
  await assert.rejects(bus.request('more'), { code: 'ERR_MAILBOX_FULL' })
  bus.emit('more')
  open(cells)
  assert.equal(await running, 'first')
  await reported()
  assert.deepEqual(
    errors.map(([event, { code }]) => [event, code]),
    [
      ['more', 'ERR_MAILBOX_FULL'],
      ['more', 'ERR_MAILBOX_FULL'],
    ],
  )
  await pool.close()
})

test('a queue that is full keeps no event from another thread when one ends', async (t) => {
  const { bus } = stage(t)
  const cells = sharedCells()
  const pool = await bus.spawn(WAITING, { threads: 2, concurrency: 1, maxQueue: 6, workerData: cells })
  const settled = requests(bus, 8)
  await until(() => Atomics.load(cells, 0) === 2)
  open(cells)
  await pool.recycle()
  assert.deepEqual(
    (await settled).map(({ value }) => value),
    [0, 1, 2, 3, 4, 5, 6, 7],
  )
  await pool.close()
})
