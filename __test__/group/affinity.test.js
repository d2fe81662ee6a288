'use strict'

// `with({ key })`: in a group, events of one key go to one member, in order.

const assert = require('node:assert/strict')
const { threadId } = require('node:worker_threads')
const { stage, test, turn, until } = require('../fixtures/stage.js')
const { ParallelEventBus } = require('../..')

const IN_GROUP = { options: { group: 'workers' } }
const numbers = (count) => Array.from({ length: count }, (_, number) => number)

/** Members that remember what they were called with, and return their thread. A `long` job is held up until `go`. */
const members = ({ bus, cells, log, threadId }) => {
  bus.on('job', async (key, job, how) => {
    log.push([key, job])
    if (how !== 'long') return threadId
    cells.set('held', threadId)
    while (cells.get('go') === 0) await new Promise((resolve) => setTimeout(resolve, 1))
    return threadId
  })
}

const logsOf = (threads) => Promise.all(threads.map((thread) => thread.run(({ log }) => log)))

/** Asserts that the jobs of each key were done by one thread, in order. */
function assertInOrder(logs, keys) {
  for (const key of keys) {
    const jobs = logs.map((log) => log.filter(([of]) => of === key).map(([, job]) => job))
    const heard = jobs.filter(({ length }) => length > 0)
    assert.equal(heard.length, 1, `${key} at one member`)
    assert.deepEqual(
      heard[0],
      heard[0].toSorted((a, b) => a - b),
      `${key} in order`,
    )
  }
}

test('events of a key go to one member, in order, however they are emitted', async (t) => {
  const { bus, cells, start } = stage(t)
  cells.name('held', 'go')
  const threads = await start(3, members, IN_GROUP)
  const keys = ['a', 7, 8n]
  const running = keys.map((key) => bus.with({ key }).request('job', String(key), -1, 'long'))
  const done = numbers(60).map((job) => {
    const key = keys[job % 3]
    const view = bus.with({ key })
    if (job % 2 === 0) return view.request('job', String(key), job)
    return job % 5 === 0 ? void view.emit('job', String(key), job) : view.emitAndWait('job', String(key), job)
  })
  await Promise.all(done)
  cells.set('go', 1)
  await Promise.all(running)
  await bus.idle()
  const logs = await logsOf(threads)
  assert.equal(logs.flat().length, 63)
  assertInOrder(logs, keys.map(String))
})

test('keys of different types are different, and events have keys of their own', async (t) => {
  const { bus, cells, start } = stage(t)
  cells.name('held', 'go')
  await start(2, members, IN_GROUP)
  const running = bus.with({ key: 1 }).request('job', '1', 0, 'long')
  await cells.reach('held')
  const others = []
  for (const key of ['1', 1n]) others.push(await bus.with({ key }).request('job', `${key}`, 0))
  const same = await bus.with({ key: 1 }).request('job', '1', 1)
  assert.equal(same, cells.get('held'))
  assert.ok(others.every((thread) => thread !== cells.get('held')))
  cells.set('go', 1)
  await running
})

test('the same key of emitters in several threads goes to the same member', {
  threadsOnly: 'each process keeps its own events of a key together',
}, async (t) => {
  const { bus, cells, start, startOne } = stage(t)
  cells.name('held', 'go')
  await start(2, members, IN_GROUP)
  const emitter = await startOne(() => {})
  const running = bus.with({ key: 'a' }).request('job', 'a', 0, 'long')
  await cells.reach('held')
  const there = await emitter.run(({ bus }) =>
    Promise.all([1, 2, 3].map((job) => bus.with({ key: 'a' }).request('job', 'a', job))),
  )
  assert.deepEqual(new Set(there), new Set([cells.get('held')]))
  cells.set('go', 1)
  await running
})

test('a member with nothing to do takes over no event with a key', async (t) => {
  const { bus, cells, start } = stage(t)
  cells.name('held', 'go')
  const threads = await start(
    2,
    ({ bus, cells, log, threadId }) => {
      bus.on('job', (job) => {
        log.push(job)
        if (job !== 'long') return threadId
        cells.set('held', threadId)
        cells.block('go')
        return threadId
      })
    },
    IN_GROUP,
  )
  const view = bus.with({ key: 'a' })
  const long = view.request('job', 'long')
  await cells.reach('held')
  const done = numbers(20).map((job) => view.request('job', job))
  // Those without a key are taken over meanwhile.
  await Promise.all(numbers(20).map((job) => bus.request('job', -job)))
  cells.set('go', 1)
  assert.deepEqual(new Set(await Promise.all([long, ...done])), new Set([cells.get('held')]))
  const held = threads.find(({ id }) => id === cells.get('held'))
  const log = await held.run(({ log }) => log)
  assert.deepEqual(
    log.filter((job) => job === 'long' || job > 0),
    ['long', ...numbers(20).slice(1)],
  )
})

test('what a thread that dies has not started moves in order to one other member', {
  threadsOnly: 'what was sent to a process is given to nobody else',
}, async (t) => {
  const { bus, cells, start, startOne } = stage(t)
  cells.name('held')
  const dying = await startOne(({ bus, cells }) => {
    bus.on('job', () => {
      cells.add('held')
      for (;;);
    })
  }, IN_GROUP)
  const view = bus.with({ key: 'a' })
  const first = view.request('job', 0)
  await cells.reach('held')
  const later = numbers(50).map((job) => view.request('job', job + 1))
  const others = await start(
    2,
    ({ bus, log, threadId }) => {
      bus.on('job', (job) => {
        log.push(job)
        return threadId
      })
    },
    IN_GROUP,
  )
  const lost = assert.rejects(first, { code: 'ERR_THREAD_EXITED' })
  await dying.terminate()
  await lost
  const heard = await Promise.all(later)
  assert.equal(new Set(heard).size, 1, 'one of them')
  const logs = await logsOf(others)
  assert.deepEqual(
    logs.flat(),
    numbers(50).map((job) => job + 1),
  )
})

test('what a bus that is closed has not started moves when it is through with what runs', {
  threadsOnly: 'what was sent to a process is given to nobody else',
}, async (t) => {
  const { bus, cells, startOne } = stage(t)
  cells.name('held', 'go')
  const leaving = await startOne(({ bus, cells, log, threadId }) => {
    bus.on(
      'job',
      async (job) => {
        log.push(job)
        cells.set('held', threadId)
        while (cells.get('go') === 0) await new Promise((resolve) => setTimeout(resolve, 1))
        cells.set('held', -1)
      },
      { concurrency: 1 },
    )
  }, IN_GROUP)
  const view = bus.with({ key: 'a' })
  const first = view.request('job', 0)
  await cells.reach('held')
  const later = numbers(9).map((job) => view.request('job', job + 1))
  const other = await startOne(({ bus, cells, log }) => {
    bus.on('job', (job) => void log.push([job, cells.get('held')]))
  }, IN_GROUP)
  const closed = leaving.run(({ bus }) => void bus.close())
  await closed
  const last = view.request('job', 10)
  await Promise.all([other, bus].map(() => turn()))
  assert.deepEqual(await other.run(({ log }) => log), [])
  cells.set('go', 1)
  await Promise.all([first, ...later, last])
  assert.deepEqual(
    await other.run(({ log }) => log),
    numbers(10).map((job) => [job + 1, -1]),
  )
  assert.deepEqual(await leaving.run(({ log }) => log), [0])
})

test('a listener of the emitting bus holds the key, too, and keeps the order of references and copies', async (t) => {
  const { bus, startOne } = stage(t, { group: 'workers' })
  const heard = []
  let end
  bus.on('job', async (job) => {
    heard.push(job)
    if (job === 0) await new Promise((resolve) => (end = resolve))
    return threadId
  })
  const view = bus.with({ key: 'a' })
  const first = view.request('job', 0)
  await startOne(({ bus, threadId }) => bus.on('job', () => threadId), IN_GROUP)
  const later = await Promise.all(numbers(5).map((job) => view.request('job', job + 1)))
  assert.deepEqual(new Set(later), new Set([threadId]))
  assert.deepEqual(heard, numbers(6))
  end()
  await first
})

test('a listener of the emitting bus holds the key until it has ended, although its time was over before', async (t) => {
  const { bus, startOne } = stage(t, { group: 'workers' })
  const heard = []
  let end
  bus.on('job', async (job) => {
    heard.push(job)
    if (job === 0) await new Promise((resolve) => (end = resolve))
  })
  const first = bus.with({ key: 'a', timeout: 300 }).request('job', 0)
  const late = assert.rejects(first, { code: 'ERR_LISTENER_TIMEOUT' })
  await until(() => heard.length === 1)
  const other = await startOne(({ bus, log }) => bus.on('job', (job) => void log.push(job)), IN_GROUP)
  await late
  const view = bus.with({ key: 'a' })
  for (const job of [1, 2]) await view.request('job', job)
  assert.deepEqual(heard, [0, 1, 2])
  bus.off('job', bus.listeners('job')[0])
  const last = view.request('job', 3)
  await bus.request('job', 100)
  assert.deepEqual(await other.run(({ log }) => log), [100])
  end()
  await last
  assert.deepEqual(await other.run(({ log }) => log), [100, 3])
})

test('a bus that is closed lets go of a key that a listener of its own holds, which is out of time', async (t) => {
  const { bus, join, startOne } = stage(t)
  const leaving = join({ group: 'workers', onError: () => {} })
  let isCalled = false
  leaving.on('job', () => {
    isCalled = true
    return new Promise(() => {})
  })
  const first = leaving.with({ key: 'a', timeout: 300 }).request('job', 0)
  await assert.rejects(first, { code: 'ERR_LISTENER_TIMEOUT' })
  assert.ok(isCalled)
  await startOne(({ bus, threadId }) => bus.on('job', () => threadId), IN_GROUP)
  await leaving.close()
  assert.notEqual(await bus.with({ key: 'a' }).request('job', 1), threadId)
})

test('a key with functions as arguments reaches the only listener, which is of the same bus', async (t) => {
  const { bus } = stage(t, { group: 'workers' })
  bus.on('job', (call) => call())
  assert.equal(await bus.with({ key: 'a' }).request('job', () => 5), 5)
})

test('without a channel, or a group, a key changes nothing', async (t) => {
  const local = new ParallelEventBus()
  const heard = []
  for (const name of ['one', 'other']) local.on('x', (value) => void heard.push([name, value]))
  await local.with({ key: 1 }).emitAndWait('x', 5)
  assert.deepEqual(heard, [
    ['one', 5],
    ['other', 5],
  ])
  const { bus, start } = stage(t)
  await start(2, ({ bus, threadId }) => bus.on('x', () => threadId))
  assert.equal((await bus.with({ key: 1 }).emitAndWait('x')).success, 2)
})

test('a key is a string, a number or a bigint', () => {
  const bus = new ParallelEventBus()
  for (const key of ['', 'a', '\ud800', 0, -1, Infinity, 5n]) assert.equal(bus.with({ key }).emit('x'), false)
  for (const key of [null, true, {}, Symbol('a'), () => {}]) {
    assert.throws(() => bus.with({ key }), {
      code: 'ERR_INVALID_ARG_TYPE',
      message: /"bounds\.key" property must be one of/,
    })
  }
  assert.throws(() => bus.with({ key: NaN }), { code: 'ERR_OUT_OF_RANGE', message: /"bounds\.key"/ })
})

test('keys with a lone surrogate are told apart, and arguments that cannot be cloned leave no key behind', async (t) => {
  const { bus, cells, start } = stage(t)
  cells.name('held', 'go')
  await start(2, members, IN_GROUP)
  assert.throws(() => bus.with({ key: 'a' }).emit('job', () => {}), { name: 'DataCloneError' })
  const running = bus.with({ key: '\ud800' }).request('job', 'x', 0, 'long')
  await cells.reach('held')
  assert.notEqual(await bus.with({ key: '\ud801' }).request('job', 'y', 0), cells.get('held'))
  assert.equal(await bus.with({ key: '\ud800' }).request('job', 'x', 1), cells.get('held'))
  cells.set('go', 1)
  await running
})
