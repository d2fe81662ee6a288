'use strict'

// The context of a listener in another thread than that of the emitter: who has emitted, and when nobody waits any more.

const assert = require('node:assert/strict')
const { threadId } = require('node:worker_threads')
const { GONE, stage, test, turn, until } = require('../fixtures/stage.js')
const native = require('../../native.js')

const LONG = 3_600_000

/** A thread with a listener that runs until its signal aborts. `log` has what it was told, then the reason. */
const following = ({ bus, log, cells }) => {
  bus.on(
    'x',
    async (value, { event, threadId, id, signal }) => {
      log.push([value, event, threadId, id])
      cells.add('started')
      await new Promise((resolve) => signal.addEventListener('abort', resolve))
      const { name, code, message, threadId: of, cause } = signal.reason ?? {}
      log.push({ name, code, message, threadId: of, cause: cause?.message, value: `${signal.reason}` })
      cells.add('aborted')
    },
    { context: true },
  )
}

const lastOf = (thread) => thread.run(({ log }) => log.at(-1))

test('a listener elsewhere is told that the time of its event is over', async (t) => {
  const { bus, cells, startOne, reported } = stage(t)
  cells.name('started', 'aborted')
  const thread = await startOne(following)
  // It may be over before the listener is called.
  while (cells.get('started') === 0) {
    const { errors } = await bus.with({ timeout: 50 }).emitAndWait('x', 1)
    assert.equal(errors[0].code, 'ERR_LISTENER_TIMEOUT')
  }
  await cells.reach('aborted', 1)
  const reason = await lastOf(thread)
  assert.deepEqual([reason.name, reason.code], ['ListenerTimeoutError', 'ERR_LISTENER_TIMEOUT'])
  const [value, event, emitter, id] = await thread.run(({ log }) => log[0])
  assert.deepEqual([value, event, emitter, typeof id], [1, 'x', threadId, 'number'])
  await reported()
})

for (const [way, emit] of [
  ['emit', (view) => view.emit('x', 1)],
  ['emitAndWait', (view) => view.emitAndWait('x', 1).catch(() => {})],
  ['request', (view) => view.request('x', 1).catch(() => {})],
]) {
  test(`a listener elsewhere is told that the emitter has aborted (${way}), with the reason`, async (t) => {
    const { bus, cells, startOne } = stage(t)
    cells.name('started', 'aborted')
    const thread = await startOne(following)
    const controller = new AbortController()
    emit(bus.with({ signal: controller.signal }))
    await cells.reach('started', 1)
    controller.abort(new RangeError('on purpose'))
    await cells.reach('aborted', 1)
    const reason = await lastOf(thread)
    assert.deepEqual([reason.name, reason.message], ['RangeError', 'on purpose'])
  })
}

test('any reason crosses as an error does; none is an AbortError', async (t) => {
  const { bus, cells, startOne } = stage(t)
  cells.name('started', 'aborted')
  const thread = await startOne(following)
  const reasons = [undefined, 'a text', Symbol('not to be cloned')]
  const heard = []
  for (const [count, reason] of reasons.entries()) {
    const controller = new AbortController()
    bus.with({ signal: controller.signal }).emit('x', 1)
    await cells.reach('started', count + 1)
    controller.abort(reason)
    await cells.reach('aborted', count + 1)
    heard.push((await lastOf(thread)).value)
  }
  assert.match(heard[0], /^AbortError: /)
  assert.equal(heard[1], 'a text')
  assert.match(heard[2], /not to be cloned/)
})

test('a listener elsewhere is told that the thread of its emitter has ended, with the cause', {
  threadsOnly: 'the reason of an end stays in its process',
}, async (t) => {
  const { cells, startOne } = stage(t)
  cells.name('started', 'aborted')
  const thread = await startOne(following)
  const emitter = await startOne(() => {})
  await emitter.run(({ bus }) => void bus.request('x', 1).catch(() => {}))
  await cells.reach('started', 1)
  emitter.tell(({ die }) => die.uncaught())
  await cells.reach('aborted', 1)
  const reason = await lastOf(thread)
  assert.deepEqual(
    [reason.name, reason.code, reason.threadId, reason.cause],
    ['ThreadExitedError', 'ERR_THREAD_EXITED', emitter.id, 'uncaught on purpose'],
  )
})

test('so is one whose bus is being closed meanwhile, and one that reads its signal only then', async (t) => {
  const { cells, startOne } = stage(t)
  cells.name('started', 'ended')
  const thread = await startOne(({ bus, cells, log, until }) => {
    bus.on(
      'x',
      async (context) => {
        cells.add('started')
        await until(() => cells.get('ended') > 0)
        const { signal } = context
        if (!signal.aborted) await new Promise((resolve) => signal.addEventListener('abort', resolve))
        log.push(signal.reason.code)
      },
      { context: true },
    )
  })
  const emitter = await startOne(() => {})
  await emitter.run(({ bus }) => void bus.emit('x'))
  await cells.reach('started', 1)
  const closed = thread.run(({ bus }) => bus.close())
  await emitter.terminate()
  cells.set('ended', 1)
  await closed
  assert.equal(await lastOf(thread), GONE)
})

test('an event has one id in all threads and buses that hear it, the emitting one included', async (t) => {
  const { bus, join, start } = stage(t)
  const threads = await start(2, ({ bus, log }) => {
    bus.on('x', ({ id, threadId }) => void log.push([threadId, id]), { context: true })
  })
  const here = []
  for (const each of [bus, join()])
    each.on('x', ({ id, threadId }) => void here.push([threadId, id]), { context: true })
  for (const emit of [bus, bus.with({ timeout: LONG })]) {
    await emit.emitAndWait('x')
    const there = await Promise.all(threads.map(lastOf))
    const all = [...here.splice(0), ...there]
    assert.equal(all.length, 4)
    assert.deepEqual(
      all,
      Array.from({ length: 4 }, () => [threadId, all[0][1]]),
    )
  }
})

test('it comes in groups, in what was taken over, with once, and with concurrency', {
  threadsOnly: 'what was sent to a process is given to nobody else',
}, async (t) => {
  const { bus, cells, start } = stage(t)
  cells.name('go', 'held')
  const threads = await start(
    2,
    ({ bus, cells, log }) => {
      bus.on(
        'job',
        (job, { threadId, id }) => {
          log.push([job, threadId, id])
          if (job !== 'long') return
          cells.add('held')
          cells.block('go')
        },
        { context: true, concurrency: 1 },
      )
      bus.once('once', (_value, { event }) => event, { context: true })
    },
    { options: { group: 'workers' } },
  )
  const long = bus.request('job', 'long')
  await cells.reach('held', 1)
  await Promise.all(Array.from({ length: 20 }, (_, job) => bus.request('job', job)))
  cells.set('go', 1)
  await long
  const logs = (await Promise.all(threads.map((thread) => thread.run(({ log }) => log)))).flat()
  assert.equal(new Set(logs.map(([, , id]) => id)).size, 21)
  assert.ok(logs.every(([, emitter]) => emitter === threadId))
  assert.equal(await bus.request('once', 1), 'once')
})

test('what moves to a listener that wants a context has one, though none did at the emit', {
  threadsOnly: 'what was sent to a process is given to nobody else',
}, async (t) => {
  const { bus, cells, startOne } = stage(t)
  cells.name('go', 'held')
  await startOne(
    ({ bus, cells }) => {
      bus.on('job', () => {
        cells.add('held')
        cells.block('go')
      })
    },
    { options: { group: 'workers' } },
  )
  const long = bus.request('job', 0)
  await cells.reach('held', 1)
  const moved = bus.request('job', 1)
  await startOne(({ bus }) => bus.on('job', (_job, { threadId, id }) => [threadId, typeof id], { context: true }), {
    options: { group: 'workers' },
  })
  assert.deepEqual(await moved, [threadId, 'number'])
  cells.set('go', 1)
  await long
})

test('a listener that has taken the place of another one within a listener is told who has emitted', {
  threadsOnly: 'an event that comes when its listener is gone is withdrawn',
}, async (t) => {
  const { bus, cells, startOne } = stage(t)
  cells.name('heard', 'blocked')
  const thread = await startOne(({ bus, cells, log }) => {
    const first = () => {
      bus.off('x', first)
      bus.on(
        'x',
        (value, { event, threadId, signal }) => {
          log.push([value, event, threadId, signal.aborted])
          cells.add('heard')
        },
        { context: true },
      )
    }
    bus.on('x', first)
  })
  // It is kept from reading, so that both are read at once.
  thread.tell(({ cells }) => {
    cells.add('blocked')
    cells.block('blocked', 2)
  })
  await cells.reach('blocked')
  bus.emit('x', 1)
  bus.emit('x', 2)
  // A burst is flushed at the end of the turn.
  await turn()
  cells.add('blocked')
  await cells.reach('heard', 1)
  assert.deepEqual(await lastOf(thread), [2, 'x', threadId, false])
})

test('a handler of the abort may emit, close and fail', async (t) => {
  const { bus, cells, startOne } = stage(t)
  cells.name('started', 'heard', 'failed')
  await startOne(({ bus, cells }) => {
    process.on('uncaughtException', () => cells.add('failed'))
    bus.on('heard', () => void cells.add('heard'))
    bus.on(
      'x',
      async ({ signal }) => {
        cells.add('started')
        await new Promise((resolve) =>
          signal.addEventListener('abort', () => {
            resolve()
            bus.emit('heard')
            bus.close()
            throw new Error('on purpose')
          }),
        )
      },
      { context: true },
    )
  })
  const controller = new AbortController()
  bus.with({ signal: controller.signal }).emit('x')
  await cells.reach('started', 1)
  controller.abort()
  await cells.reach('heard', 1)
  await cells.reach('failed', 1)
})

test('nothing is kept of events that have settled, nor told of them', async (t) => {
  const { bus, cells, startOne } = stage(t)
  cells.name('aborted')
  const thread = await startOne(({ bus, cells }) => {
    bus.on(
      'x',
      async ({ signal }) => {
        signal.addEventListener('abort', () => cells.add('aborted'))
      },
      { context: true },
    )
  })
  const controller = new AbortController()
  const view = bus.with({ signal: controller.signal, timeout: LONG })
  await Promise.all(Array.from({ length: 1000 }, () => view.emitAndWait('x')))
  controller.abort()
  await bus.emitAndWait('x')
  await turn()
  assert.equal(cells.get('aborted'), 0)
  await until(() => native.counters().dispatches === 0)
  assert.equal(await thread.run(({ bus }) => bus.getStats().pending), 0)
})
