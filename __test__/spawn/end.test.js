'use strict'

// The end of the threads of a pool: told to, or not; and then they are replaced.

const assert = require('node:assert/strict')
const path = require('node:path')
const { pathToFileURL } = require('node:url')
const { inspect } = require('node:util')
const { ParallelEventBus } = require('../..')
const native = require('../../native.js')
const { stage, test, told, until, warnings } = require('../fixtures/stage.js')

const POOL = path.join(__dirname, '../fixtures/pool.mjs')

/** Resolves when the pool has so many threads that are ready, none of them one of `gone`. */
function ready(pool, count, gone = []) {
  return until(() => pool.threadIds.length === count && !pool.threadIds.some((id) => gone.includes(id)))
}

test('close lets the threads finish their events, and ends them; twice is once', async (t) => {
  const { bus, errors } = stage(t)
  const before = native.counters().threads
  const exits = []
  bus.on(ParallelEventBus.threadExit, ({ threadId }) => exits.push(threadId))
  const pool = await bus.spawn(POOL, { threads: 2 })
  const slow = Array.from({ length: 10 }, () => bus.request('slow', 5))
  bus.emit('slow', 5)
  const closing = pool.close()
  assert.equal(pool.close(), closing)
  assert.equal((await Promise.all(slow)).length, 10)
  await closing
  assert.deepEqual(pool.threadIds, [])
  assert.equal(native.counters().threads, before)
  assert.equal(bus.emit('who'), false)
  await bus.idle()
  await pool.close()
  await pool.terminate()
  assert.deepEqual([exits, errors, bus.getStats().listenersFailed], [[], [], 0])
})

test('terminate ends the threads at once, in the middle of their work, and nothing is replaced', async (t) => {
  const { bus } = stage(t)
  const before = native.counters().threads
  const pool = await bus.spawn(POOL, { threads: 2 })
  const requested = Promise.allSettled([bus.request('never'), bus.request('never'), bus.request('never')])
  await Promise.all([pool.terminate(), pool.terminate()])
  for (const { reason } of await requested) assert.equal(reason.code, 'ERR_THREAD_EXITED')
  await pool.close()
  assert.deepEqual([pool.threadIds, native.counters().threads], [[], before])
  await bus.idle()
})

test('terminate ends a pool, too, that is closing and would never be done', async (t) => {
  const { bus } = stage(t)
  const pool = await bus.spawn(POOL, { threads: 1 })
  const requested = assert.rejects(bus.request('never'), { code: 'ERR_THREAD_EXITED' })
  const closing = pool.close()
  await pool.terminate()
  await Promise.all([closing, requested])
})

test('a pool is closed by await using, and with its bus', { skip: Symbol.asyncDispose === undefined }, async (t) => {
  const { channel } = stage(t)
  const before = native.counters()
  const bus = new ParallelEventBus({ channel })
  const disposed = await bus.spawn(POOL, { threads: 1 })
  await disposed[Symbol.asyncDispose]()
  assert.equal(native.counters().threads, before.threads)
  const pools = [await bus.spawn(POOL, { threads: 1 }), await bus.spawn(POOL, { threads: 1 })]
  const reply = bus.request('slow', 20)
  await bus.close()
  assert.equal(typeof (await reply), 'number')
  assert.deepEqual(
    pools.map(({ threadIds }) => threadIds),
    [[], []],
  )
  const { threads, mailboxes, members } = native.counters()
  assert.deepEqual([threads, mailboxes, members], [before.threads, before.mailboxes, before.members])
})

test('a thread that crashes is replaced, and its bus is told', async (t) => {
  const { bus, errors } = stage(t)
  const pool = await bus.spawn(POOL, { threads: 2, workerData: 'data' })
  const [first] = pool.threadIds
  const crashes = [
    ['exit', 0, { code: 'ERR_THREAD_EXITED' }],
    ['uncaught', undefined, { name: 'RangeError', message: 'uncaught on purpose' }],
  ]
  for (const [event, argument, expected] of crashes) {
    const before = pool.threadIds
    const exit = told(bus, ParallelEventBus.threadExit)
    assert.equal(bus.emit(event, argument), true)
    const { threadId } = await exit
    assert.ok(before.includes(threadId))
    await ready(pool, 2, [threadId])
    assert.equal(await bus.request('data'), 'data')
    assert.equal((await bus.emitAndWait('everywhere')).success, 2)
    const [about, error] = errors.find(([about]) => about === ParallelEventBus.threadExit)
    assert.equal(about, ParallelEventBus.threadExit)
    for (const [key, value] of Object.entries(expected)) assert.equal(error[key], value)
    errors.length = 0
  }
  assert.ok(first > 0)
  await pool.close()
})

test('a thread that closes its bus has crashed as well, for the pool', async (t) => {
  const { bus, errors } = stage(t)
  const pool = await bus.spawn(POOL, { threads: 1 })
  const gone = pool.threadIds
  bus.emit('close')
  await ready(pool, 1, gone)
  assert.equal(errors.filter(([about]) => about === ParallelEventBus.threadExit).length, 1)
  assert.equal(await bus.request('who'), pool.threadIds[0])
})

test('a thread that is known to have ended is not listed, though its exit event is still to come', async (t) => {
  const { bus } = stage(t)
  for (let round = 0; round < 10; round++) {
    const pool = await bus.spawn(POOL, { threads: 1 })
    const [id] = pool.threadIds
    const listed = []
    bus.once(ParallelEventBus.threadExit, () => listed.push(...pool.threadIds))
    await assert.rejects(bus.request('exit', 1), { code: 'ERR_THREAD_EXITED', threadId: id })
    listed.push(...pool.threadIds)
    await pool.terminate()
    await bus.idle()
    assert.equal(listed.includes(id), false)
  }
})

test('a bus lets go of a pool that has ended, and the pool of the data for its module', async (t) => {
  const { bus } = stage(t)
  // In functions, so that no variable of the test holds anything.
  const used = async (end) => {
    const workerData = { large: true }
    const pool = await bus.spawn(POOL, { threads: 1, workerData })
    await end(pool)
    return { data: new WeakRef(workerData), pool: new WeakRef(pool) }
  }
  const failed = async () => {
    const workerData = { large: true }
    await assert.rejects(bus.spawn('data:text/javascript,throw new Error()', { threads: 2, workerData }))
    return { data: new WeakRef(workerData) }
  }
  let kept
  const ended = [
    await used((pool) => pool.close()),
    await used((pool) => pool.terminate()),
    await used((pool) => {
      kept = pool
      return pool.close()
    }),
    await failed(),
  ]
  const left = () => ended.flatMap(({ data, pool }) => [data, pool]).filter((ref) => ref?.deref() !== undefined)
  await until(() => {
    gc()
    return left().length <= 1
  }, 'all is let go of')
  assert.deepEqual(
    left().map((ref) => ref.deref()),
    [kept],
    'the one that is held has let go of its data',
  )
})

test('a pool shows its module, and its state', async (t) => {
  const { bus } = stage(t)
  const pool = await bus.spawn(POOL, { threads: 2 })
  const shown = (state) =>
    inspect({ module: pathToFileURL(POOL).href, threads: 2, threadIds: pool.threadIds, state }, { breakLength: 72 })
  assert.equal(inspect(pool), `ThreadPool ${shown('ready')}`)
  const closing = pool.close()
  assert.equal(inspect(pool), `ThreadPool ${shown('closing')}`)
  await closing
  assert.equal(inspect(pool), `ThreadPool ${shown('closed')}`)
  assert.match(inspect({ in: { a: { b: pool } } }), /b: \[ThreadPool\]/)
})

test('without onError a crash is a warning', async (t) => {
  const { bus } = stage(t)
  bus.clearErrorHandler()
  const pool = await bus.spawn(POOL, { threads: 1 })
  const heard = warnings(t)
  const gone = pool.threadIds
  bus.emit('exit', 1)
  await ready(pool, 1, gone)
  assert.ok(heard.some(({ code }) => code === 'PARALLEL_EVENT_BUS_THREAD_CRASHED'))
})

test('an event that waits for a thread that crashes is done by another of the pool', async (t) => {
  const { bus, cells } = stage(t)
  const source = `export default (bus, memory) => {
    const cells = new Int32Array(memory)
    bus.on('x', (value) => {
      if (value === 'crash') {
        Atomics.store(cells, 0, 1)
        Atomics.notify(cells, 0)
        Atomics.wait(cells, 1, 0)
        process.exit()
      }
      Atomics.add(cells, 2, 1)
      return value
    })
  }`
  const words = new Int32Array(new SharedArrayBuffer(16))
  const pool = await bus.spawn(`data:text/javascript,${encodeURIComponent(source)}`, {
    threads: 2,
    workerData: words.buffer,
  })
  const crash = bus.emitAndWait('x', 'crash')
  assert.notEqual(Atomics.wait(words, 0, 0, 20_000), 'timed-out')
  const replies = Array.from({ length: 40 }, (_, value) => bus.request('x', value))
  Atomics.store(words, 1, 1)
  Atomics.notify(words, 1)
  assert.deepEqual(
    await Promise.all(replies),
    replies.map((_, value) => value),
  )
  assert.equal(Atomics.load(words, 2), 40)
  assert.equal((await crash).errors[0].code, 'ERR_THREAD_EXITED')
  await ready(pool, 2)
  assert.equal(cells !== undefined, true)
})

test('a replacement that fails to start is tried again, later and later', async (t) => {
  const { bus, errors } = stage(t)
  const source = `export default (bus, memory) => {
    const started = Atomics.add(new Int32Array(memory), 0, 1)
    if (started === 1 || started === 2) throw new Error('replacement ' + started)
    bus.on('started', () => started)
    bus.on('exit', () => process.exit())
  }`
  const workerData = new SharedArrayBuffer(4)
  const pool = await bus.spawn(`data:text/javascript,${encodeURIComponent(source)}`, { threads: 1, workerData })
  const gone = pool.threadIds
  bus.emit('exit')
  const start = performance.now()
  await ready(pool, 1, gone)
  // At once, then after 100 and 200 ms.
  assert.ok(performance.now() - start >= 290, 'the third in a row waits')
  assert.equal(await bus.request('started'), 3)
  const told = errors.filter(([about]) => about === ParallelEventBus.threadExit)
  assert.deepEqual(
    told.map(([, { code, message }]) => code ?? message),
    ['ERR_THREAD_EXITED', 'replacement 1', 'replacement 2'],
  )
})

test('a replacement that cannot be started, because its data is gone, is told like one that crashes', async (t) => {
  const { bus, errors } = stage(t)
  const workerData = new ArrayBuffer(8)
  const pool = await bus.spawn(POOL, { threads: 1, workerData })
  structuredClone(workerData, { transfer: [workerData] })
  bus.emit('exit', 1)
  await until(() => errors.filter(([about]) => about === ParallelEventBus.threadExit).length >= 2)
  assert.deepEqual(
    errors
      .filter(([about]) => about === ParallelEventBus.threadExit)
      .slice(0, 2)
      .map(([, { name, message }]) => [name, message]),
    [
      ['ThreadExitedError', `thread ${errors[0][1].threadId} ended without being told to`],
      ['DataCloneError', 'An ArrayBuffer is detached and could not be cloned.'],
    ],
  )
  await pool.close()
})

test('a replacement that does not get ready is ended, also where its module tries to prevent that', async (t) => {
  const before = native.counters().threads
  const { bus, errors } = stage(t)
  const source = `export default (bus, starts) => {
    const start = Atomics.add(starts, 0, 1)
    if (start === 1) {
      process.on('exit', () => { for (;;); })
      throw new Error('not this one')
    }
    bus.on('exit', () => process.exit())
  }`
  const module = `data:text/javascript,${encodeURIComponent(source)}`
  const workerData = new Int32Array(new SharedArrayBuffer(4))
  const pool = await bus.spawn(module, { threads: 1, workerData })
  const gone = pool.threadIds
  bus.emit('exit')
  await ready(pool, 1, gone)
  assert.ok(errors.some(([, error]) => error.message === 'not this one'))
  await until(() => native.counters().threads === before + 1, 'no more threads than that are left')
  await pool.close()
})

test('a pool that is closed while a thread is being replaced ends, and starts no more', async (t) => {
  const before = native.counters()
  const { bus } = stage(t)
  for (const end of ['close', 'terminate']) {
    for (const crashes of [1, 2]) {
      const pool = await bus.spawn(POOL, { threads: 1 })
      for (let crash = 0; crash < crashes; crash++) {
        const gone = pool.threadIds
        const exit = told(bus, ParallelEventBus.threadExit)
        bus.emit('exit', 1)
        await exit
        if (crash < crashes - 1) await ready(pool, 1, gone)
      }
      // The replacement is starting, or waits for its time.
      await until(() => pool.threadIds.length === 0)
      await pool[end]()
      assert.deepEqual(pool.threadIds, [])
      assert.equal(bus.emit('who'), false)
    }
  }
  assert.equal(native.counters().threads, before.threads)
})
