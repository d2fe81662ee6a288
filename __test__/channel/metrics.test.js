'use strict'

// The numbers of a channel, from any of its threads: what became of events, by name, how long they took, and what each
// thread has to do.

const assert = require('node:assert/strict')
const { ParallelEventBus } = require('../..')
const { WAYS, stage, stallOf, test, told, until } = require('../fixtures/stage.js')

const { metrics } = ParallelEventBus
const NOTHING = {
  emitted: 0,
  unheard: 0,
  delivered: 0,
  failed: 0,
  timedOut: 0,
  refused: 0,
  lost: 0,
  cancelled: 0,
}

/** Asserts the counts of an event; those that are not named are 0. */
async function assertCounts(bus, event, counts) {
  const { wait, run, ...counted } = (await metrics(bus)).events[event]
  assert.deepEqual(counted, { ...NOTHING, ...counts })
}

async function threadOf(bus, { threadId, name }) {
  return (await metrics(bus)).threads.find((each) => each.threadId === threadId && each.peer?.name === name)
}

for (const { way, options } of WAYS) {
  test(`counts the events of all threads by their names, ${way}`, {
    threadsOnly: 'each process counts what it emits and runs',
  }, async (t) => {
    const { bus, start } = stage(t)
    const setup = ({ bus, data }) => {
      bus.on('x', () => {}, data)
      const fails = () => {
        throw new Error('failed')
      }
      bus.on('y', fails, data)
    }
    const [one, other] = await start(2, setup, { data: options, options: { onError: undefined } })
    bus.on('x', () => {}, options)
    for (let count = 0; count < 3; count++) for (const event of ['x', 'y', 'x']) bus.emit(event)
    await bus.emitAndWait('y')
    await bus.idle()
    await one.run(async ({ bus }) => {
      bus.emit('x')
      bus.emit('nobody')
      await bus.idle()
    })
    await assertCounts(bus, 'x', { emitted: 7, delivered: 21 })
    await assertCounts(bus, 'y', { emitted: 4, failed: 8 })
    await assertCounts(bus, 'nobody', { unheard: 1 })
    const { total, otherEvents, channel } = await metrics(bus)
    assert.deepEqual(total, { ...NOTHING, emitted: 11, delivered: 21, failed: 8, unheard: 1 })
    assert.equal(otherEvents, undefined)
    const theirs = await other.run(({ bus, ParallelEventBus }) => ParallelEventBus.metrics(bus))
    assert.deepEqual([theirs.channel, theirs.total], [channel, total], 'whoever asks')
  })
}

test('tells apart what was late, refused, lost and cancelled', {
  threadsOnly: 'each process counts what it emits and runs',
}, async (t) => {
  const { bus, cells, errors, startOne } = stage(t)
  cells.name('busy', 'go')
  const setup = ({ bus, cells }) => {
    bus.on('held', () => {
      cells.add('busy')
      cells.block('go')
    })
    for (const event of ['late', 'refused', 'cancelled', 'lost']) bus.on(event, () => {})
  }
  const thread = await startOne(setup, { options: { mailbox: { maxMessages: 3 } } })
  bus.emit('held')
  await cells.reach('busy')
  const controller = new AbortController()
  const cancelled = bus.with({ signal: controller.signal }).emitAndWait('cancelled')
  controller.abort()
  await assert.rejects(cancelled)
  await bus.with({ timeout: 1 }).emitAndWait('late')
  bus.emit('lost')
  bus.emit('lost')
  bus.emit('refused')
  await thread.terminate()
  await bus.idle()
  await until(() => errors.length >= 4)
  await assertCounts(bus, 'held', { emitted: 1, lost: 1 })
  await assertCounts(bus, 'late', { emitted: 1, timedOut: 1 })
  await assertCounts(bus, 'lost', { emitted: 2, lost: 2 })
  await assertCounts(bus, 'refused', { emitted: 1, refused: 1 })
  await assertCounts(bus, 'cancelled', { emitted: 1, cancelled: 1 })
  const { failed, timedOut, refused, lost, cancelled: aborted, listenersFailed } = bus.getStats()
  assert.deepEqual([failed, timedOut, refused, lost, aborted, listenersFailed], [0, 1, 1, 3, 1, 5])
})

test('a thread that is stuck holds nobody up, and its numbers are there', {
  threadsOnly: 'each process counts what it emits and runs',
}, async (t) => {
  const { bus, cells, startOne } = stage(t)
  cells.name('busy', 'go')
  const thread = await startOne(({ bus, cells }) => {
    bus.on('here', () => {})
    bus.on('x', () => {
      if (cells.get('busy') > 0) return
      for (let count = 0; count < 5; count++) bus.emit('here')
      cells.add('busy')
      cells.block('go')
    })
  })
  bus.emit('x', 'some bytes')
  await cells.reach('busy')
  for (let count = 0; count < 3; count++) bus.emit('x', 'some bytes')
  await until(() => bus.getStats().pending === 4)
  const about = await threadOf(bus, thread)
  assert.deepEqual([about.received, about.running, about.queued, about.maxQueued], [4, 1, 3, 4])
  assert.ok(about.queuedBytes >= 40)
  assert.equal((await metrics(bus)).events.here.emitted, 5)
  cells.set('go', 1)
  await bus.idle()
  const after = await threadOf(bus, thread)
  assert.deepEqual([after.received, after.running, after.queued, after.queuedBytes, after.maxQueued], [4, 0, 0, 0, 4])
})

test('the numbers of a thread stay when it has ended', {
  threadsOnly: 'each process counts what it emits and runs',
}, async (t) => {
  const { bus, startOne } = stage(t, { recordTiming: true })
  const thread = await startOne(
    async ({ bus }) => {
      bus.on('x', () => {})
      for (let count = 0; count < 7; count++) await bus.emitAndWait('x')
    },
    { options: { recordTiming: true } },
  )
  const before = (await metrics(bus)).events.x
  assert.deepEqual([before.emitted, before.delivered, before.run.count], [7, 7, 7])
  const ended = told(bus, ParallelEventBus.threadExit)
  await thread.terminate()
  await ended
  const { events, threads } = await metrics(bus)
  assert.deepEqual(events.x, before)
  assert.equal(threads.length, 1)
})

test('names without end are counted, and the busiest told apart', async (t) => {
  const { bus, startOne } = stage(t)
  await startOne(({ bus }) => {
    for (let number = 0; number < 2000; number++) bus.on(`reply:${number}`, () => {})
  })
  for (let number = 0; number < 2000; number++) bus.emit(`reply:${number}`)
  for (let count = 0; count < 9; count++) bus.emit('reply:7')
  await bus.idle()
  const { events, otherEvents, total } = await metrics(bus)
  assert.equal(Object.keys(events).length, 256)
  assert.equal(events['reply:7'].delivered, 10)
  assert.deepEqual([total.emitted, total.delivered], [2009, 2009])
  assert.ok(otherEvents.emitted > 1700)
})

test('with recordTiming, tells how long events wait and run', {
  threadsOnly: 'each process counts what it emits and runs',
}, async (t) => {
  const { bus, cells, startOne } = stage(t, { recordTiming: true })
  cells.name('busy', 'go')
  const thread = await startOne(
    ({ bus }) => {
      const spin = (ms) => {
        const end = performance.now() + ms
        while (performance.now() < end);
      }
      bus.on('x', (ms) => spin(ms))
      bus.on('x', async (ms) => spin(ms))
    },
    { options: { recordTiming: true } },
  )
  thread.tell(({ cells }) => {
    cells.set('busy', 1)
    cells.block('go')
  })
  await cells.reach('busy')
  bus.emit('x', 30)
  for (let count = 0; count < 9; count++) bus.emit('x', 0)
  const last = bus.emitAndWait('x', 0)
  cells.set('go', 1)
  await last
  await thread.run(() => {})
  const { wait, run } = (await metrics(bus)).events.x
  assert.deepEqual([wait.count, run.count], [11, 11])
  // A bucket is no wider than 6 %.
  assert.ok(run.max >= 60 * 0.97, `${run.max}`)
  assert.ok(run.p50 < run.max)
  assert.ok(run.mean >= 60 / 11)
  assert.ok(wait.p50 >= 60 * 0.97, 'those behind it waited for it')
  for (const { p50, p90, p99, p999, max } of [wait, run])
    assert.ok(p50 <= p90 && p90 <= p99 && p99 <= p999 && p999 <= max)
})

test('without recordTiming there are no times', async (t) => {
  const { bus, startOne } = stage(t)
  await startOne(({ bus }) => bus.on('x', () => {}))
  await bus.emitAndWait('x')
  const { wait, run } = (await metrics(bus)).events.x
  assert.deepEqual([wait, run], [undefined, undefined])
})

test('long arguments, and those that need handles, come with the time of their emit', {
  threadsOnly: 'handles of a process cannot leave it',
}, async (t) => {
  const { bus, startOne } = stage(t, { recordTiming: true })
  const thread = await startOne(({ bus }) => bus.on('x', (value) => value.byteLength), {
    options: { recordTiming: true },
  })
  bus.emit('x', new Uint8Array(100_000))
  bus.emit('x', new SharedArrayBuffer(8))
  assert.equal(await bus.request('x', new Uint8Array(100_000)), 100_000)
  await bus.idle()
  await thread.run(() => {})
  const { wait, delivered } = (await metrics(bus)).events.x
  assert.deepEqual([wait.count, delivered], [3, 3])
})

test('tells of the groups and pools of a bus, and of threads that were replaced', async (t) => {
  const { bus } = stage(t)
  const pool = await bus.spawn(require.resolve('../fixtures/pool.cjs'), { threads: 2 })
  const { groups, pools, threads } = await metrics(bus)
  assert.deepEqual(
    Object.values(groups).map((group) => group.threads),
    [2],
  )
  const [{ threadIds, restarts, state, minThreads, maxThreads }] = pools
  assert.deepEqual([threadIds, restarts, state, minThreads, maxThreads], [pool.threadIds, 0, 'ready', 2, 2])
  assert.equal(threads.length, 3)
  for (const { busy, stalledFor } of threads) {
    assert.ok(busy === undefined || (busy >= 0 && busy <= 1))
    assert.equal(stalledFor, 0)
  }
  await pool.close()
  assert.deepEqual((await metrics(bus)).pools, [])
})

const hasLibuv = process.versions.bun === undefined && process.versions.deno === undefined

test('tells of a thread that spins although nothing waits for it', {
  skip: !hasLibuv,
  threadsOnly: 'each process sees how long its own threads are stuck',
}, async (t) => {
  // News of other threads' stalls would wait for it.
  const { bus, cells, startOne } = stage(t, { stallAfter: 0 })
  cells.name('spins', 'go')
  const setup = ({ bus }) => bus.on('x', () => {})
  const stuck = await startOne(setup, { options: { stallAfter: 50 } })
  await startOne(setup, { options: { stallAfter: 0 } })
  stuck.tell(({ cells }) => {
    cells.set('spins', 1)
    cells.block('go')
  })
  await cells.reach('spins')
  const { waiting, ms } = await stallOf(bus, stuck)
  assert.equal(waiting, 0)
  assert.ok(ms >= 50)
  assert.ok((await threadOf(bus, stuck)).stalledFor >= 50)
  cells.set('go', 1)
  await until(() => bus.getStats().pending === 0)
  await stuck.run(() => {})
  await bus.emitAndWait('x')
})

test('a bus without a channel has numbers of its own', async () => {
  const bus = new ParallelEventBus({ recordTiming: true, onError() {} })
  bus.on('x', () => {})
  bus.on('x', () => {
    throw new Error('failed')
  })
  bus.on('late', () => new Promise(() => {}), { timeout: 1 })
  const symbol = Symbol('of a kind')
  bus.on(symbol, () => {})
  bus.emit('x')
  bus.emit('nobody')
  bus.emit(symbol)
  await bus.emitAndWait('late')
  await bus.idle()
  await assertCounts(bus, 'x', { emitted: 1, delivered: 1, failed: 1 })
  await assertCounts(bus, 'late', { emitted: 1, timedOut: 1 })
  await assertCounts(bus, 'nobody', { unheard: 1 })
  await assertCounts(bus, 'Symbol(of a kind)', { emitted: 1, delivered: 1 })
  const { events, threads, channel } = await metrics(bus)
  assert.deepEqual([events.x.wait.count, events.x.run.count, threads, channel], [1, 1, [], undefined])
})

test('aborted events count as cancelled, with each listener that was not called', async () => {
  const bus = new ParallelEventBus()
  await metrics(bus)
  const controller = new AbortController()
  bus.on('x', () => controller.abort())
  bus.on('x', () => assert.fail('cancelled'))
  await assert.rejects(bus.with({ signal: controller.signal }).emitAndWait('x'))
  const early = new AbortController()
  const waiting = bus.with({ signal: early.signal }).emitAndWait('x')
  early.abort()
  await assert.rejects(waiting)
  await bus.idle()
  await assertCounts(bus, 'x', { emitted: 2, delivered: 1, cancelled: 3 })
})

test('a bus without a channel tells events apart once somebody has asked', async () => {
  const bus = new ParallelEventBus()
  bus.on('x', () => {})
  bus.emit('x')
  bus.emit('nobody')
  await bus.idle()
  const { events, otherEvents } = await metrics(bus)
  assert.deepEqual([Object.keys(events), otherEvents], [[], { ...NOTHING, emitted: 1, delivered: 1, unheard: 1 }])
  await bus.emitAndWait('x')
  await assertCounts(bus, 'x', { emitted: 1, delivered: 1 })
  assert.equal((await metrics(bus)).total.emitted, 2)
  assert.equal(bus.getStats().delivered, 2)
})

test('a bus without a channel tells no more names apart than one with a channel', async () => {
  const bus = new ParallelEventBus({ recordTiming: true })
  for (let number = 0; number < 2000; number++) {
    bus.on(`reply:${number}`, () => {})
    bus.emit(`reply:${number}`)
    bus.emit(`nobody:${number}`)
  }
  await bus.idle()
  const { events, total, otherEvents } = await metrics(bus)
  assert.equal(Object.keys(events).length, 256)
  assert.deepEqual([total.emitted, total.unheard, otherEvents.wait], [2000, 2000, undefined])
  assert.ok(Object.values(events).filter(({ unheard }) => unheard > 0).length <= 64, 'names that nobody hears')
})

test('counts go on when statistics are reset', async () => {
  const bus = new ParallelEventBus()
  await metrics(bus)
  bus.on('x', () => {})
  await bus.emitAndWait('x')
  bus.resetStats()
  await bus.emitAndWait('x')
  assert.equal(bus.getStats().delivered, 1)
  await assertCounts(bus, 'x', { emitted: 2, delivered: 2 })
})

test('what is no bus has no numbers', async () => {
  await assert.rejects(metrics({}), { code: 'ERR_INVALID_ARG_TYPE' })
  assert.throws(() => new ParallelEventBus({ recordTiming: 1 }), { code: 'ERR_INVALID_ARG_TYPE' })
})
