'use strict'

// A thread of a pool that is stuck in one turn is terminated and replaced.

const assert = require('node:assert/strict')
const { ParallelEventBus } = require('../..')
const { Pulse } = require('../../lib/pool/pulse.js')
const { moduleOf, sharedCells } = require('../fixtures/modules.js')
const { stage, test, until } = require('../fixtures/stage.js')

const SPINNING = moduleOf((bus, cells) => {
  bus.on('work', (value) => {
    if (value === 'spin') {
      Atomics.add(cells, 0, 1)
      for (;;);
    }
    Atomics.add(cells, 1, 1)
    return value
  })
  bus.on('later', () => {
    setImmediate(() => {
      for (;;);
    })
  })
  bus.on('turns', async (count) => {
    for (let turn = 0; turn < count; turn++) {
      for (const end = performance.now() + 5; performance.now() < end; );
      await new Promise((resolve) => setImmediate(resolve))
    }
    return count
  })
})

/** Requests more while a thread spins. Returns the promises of the outcome of the spinning request, and of the others. */
async function spinWith(bus, cells, others) {
  const spinning = bus.emitAndWait('work', 'spin')
  await until(() => Atomics.load(cells, 0) > 0)
  return [spinning, Promise.all(Array.from({ length: others }, (_, value) => bus.request('work', value)))]
}

test('a stuck thread is replaced; only what it had started fails, and says why', async (t) => {
  const { bus, errors } = stage(t)
  const cells = sharedCells()
  const pool = await bus.spawn(SPINNING, { threads: 2, terminateAfter: 100, workerData: cells })
  const before = pool.threadIds
  const [spinning, others] = await spinWith(bus, cells, 40)
  assert.deepEqual(
    await others,
    Array.from({ length: 40 }, (_, value) => value),
  )
  const {
    errors: [error],
  } = await spinning
  assert.equal(error.code, 'ERR_THREAD_EXITED')
  assert.ok(before.includes(error.threadId))
  const { code, ms, threadId, message } = error.cause
  assert.deepEqual([code, ms, threadId], ['ERR_THREAD_STUCK', 100, error.threadId])
  assert.match(message, /thread \d+ was stuck in one turn for more than 100 ms/)
  await until(() => pool.threadIds.length === 2 && !pool.threadIds.includes(threadId))
  const crashes = errors.filter(([event]) => event === ParallelEventBus.threadExit)
  assert.deepEqual(
    crashes.map(([, { cause }]) => cause.code),
    ['ERR_THREAD_STUCK'],
  )
  assert.deepEqual([Atomics.load(cells, 0), Atomics.load(cells, 1)], [1, 40], 'nothing was started twice')
  await pool.close()
})

test('what waits for the only thread, or for threads that are all stuck, goes to their replacements', async (t) => {
  const { bus } = stage(t)
  for (const threads of [1, 2]) {
    const cells = sharedCells()
    const pool = await bus.spawn(SPINNING, { threads, terminateAfter: 100, workerData: cells })
    const gone = pool.threadIds
    const spinning = Array.from({ length: threads }, () => bus.emitAndWait('work', 'spin'))
    await until(() => Atomics.load(cells, 0) === threads)
    const replies = Array.from({ length: 20 }, (_, value) => bus.request('work', value))
    assert.equal((await Promise.all(replies)).length, 20)
    for (const { errors } of await Promise.all(spinning)) assert.equal(errors[0].cause.code, 'ERR_THREAD_STUCK')
    await until(() => pool.threadIds.length === threads && !pool.threadIds.some((id) => gone.includes(id)))
    await pool.close()
  }
})

test('a thread is found that spins with nothing waiting, and nothing in flight', async (t) => {
  const { bus } = stage(t)
  const pool = await bus.spawn(SPINNING, { threads: 1, terminateAfter: 50, workerData: sharedCells() })
  const [gone] = pool.threadIds
  await bus.request('later')
  await until(() => pool.threadIds.length === 1 && pool.threadIds[0] !== gone)
  assert.equal(await bus.request('work', 'on'), 'on')
  await pool.close()
})

test('a thread that is busy for long, but turns, is left alone', async (t) => {
  const { bus, errors } = stage(t)
  const pool = await bus.spawn(SPINNING, { threads: 1, terminateAfter: 400, workerData: sharedCells() })
  const before = pool.threadIds
  assert.equal(await bus.request('turns', 150), 150)
  assert.deepEqual([pool.threadIds, errors], [before, []])
  await pool.close()
})

test('threads that are stuck again and again are replaced at once each time', async (t) => {
  const { bus } = stage(t)
  const cells = sharedCells()
  const pool = await bus.spawn(SPINNING, { threads: 1, terminateAfter: 50, workerData: cells })
  for (let round = 1; round <= 4; round++) {
    const { errors } = await bus.emitAndWait('work', 'spin')
    assert.equal(errors[0].cause.code, 'ERR_THREAD_STUCK')
    assert.equal(await bus.request('work', round), round)
  }
  await pool.close()
})

const STORMY = moduleOf((bus, { starts, hangs }) => {
  bus.on('work', async (number) => {
    Atomics.add(starts, number, 1)
    if (Atomics.load(hangs, number) === 1) for (;;);
    if (number % 3 === 0) await new Promise((resolve) => setImmediate(resolve))
    return number
  })
})

test('of a storm of events, some of which hang, each starts once at most, and what is lost was started', async (t) => {
  const { bus } = stage(t)
  const [starts, hangs] = [sharedCells(600), sharedCells(600)]
  for (let number = 50; number < 600; number += 90) hangs[number] = 1
  const pool = await bus.spawn(STORMY, { threads: 2, terminateAfter: 60, workerData: { starts, hangs } })
  const requests = []
  for (let number = 0; number < 600; number++) {
    requests.push(bus.request('work', number))
    if (number % 20 === 0) await new Promise((resolve) => setImmediate(resolve))
  }
  const settled = await Promise.allSettled(requests)
  const lost = settled.flatMap(({ status }, number) => (status === 'rejected' ? [number] : []))
  for (const number of lost) assert.equal(settled[number].reason.cause.code, 'ERR_THREAD_STUCK', `event ${number}`)
  assert.deepEqual(Array.from(starts), Array(600).fill(1))
  for (let number = 50; number < 600; number += 90) assert.ok(lost.includes(number), `event ${number} hangs`)
  await pool.close()
})

test('a pool that closes terminates a thread that is stuck, and tells what was lost', async (t) => {
  const { bus } = stage(t)
  const cells = sharedCells()
  const pool = await bus.spawn(SPINNING, { threads: 1, terminateAfter: 50, workerData: cells })
  const spinning = bus.emitAndWait('work', 'spin')
  await until(() => Atomics.load(cells, 0) > 0)
  assert.deepEqual(await pool.close(), { unsettled: 1 })
  assert.equal((await spinning).errors[0].cause.code, 'ERR_THREAD_STUCK')
})

test('a pulse is missed after the limit, and not by an owner that was away', () => {
  const pulse = new Pulse(80, 0)
  assert.equal(pulse.every, 10)
  const lookAt = (...times) => times.map((now) => pulse.look(now))
  const beat = () => Atomics.add(pulse.beats, 0, 1)
  beat()
  assert.deepEqual(lookAt(10, 20, 30, 40, 50, 60, 70, 80, 90), Array(9).fill(false))
  assert.deepEqual(lookAt(100), [true])
  beat()
  assert.deepEqual(lookAt(110), [false])
  assert.deepEqual(lookAt(10_000), [false], 'blocked, or suspended: the thread may have had no time either')
  beat()
  assert.deepEqual(lookAt(10_010), [false])
  assert.deepEqual(lookAt(10_030, 10_050, 10_070, 10_090), [false, false, false, false])
  assert.deepEqual(lookAt(10_110), [true])
})
