'use strict'

// Timeouts and abort signals of events for other threads: they hold although the other thread is stuck, or this one.

const assert = require('node:assert/strict')
const { ParallelEventBus } = require('../..')
const native = require('../../native.js')
const { ACROSS, WAYS, keepBusyUntil, stage, stallOf, test, turn, until } = require('../fixtures/stage.js')

const TIMED_OUT = { code: 'ERR_LISTENER_TIMEOUT', name: 'ListenerTimeoutError' }

/** A thread that is stuck from its first event on, until `go`. */
const stuck = ({ bus, cells, data }) => {
  bus.on(
    'x',
    () => {
      cells.add('started')
      cells.block('go')
      return 'late'
    },
    data,
  )
}

for (const { way, options } of WAYS) {
  test(`a listener that is stuck fails on time, and so do the events behind it, ${way}`, async (t) => {
    const { bus, cells, errors, reported, startOne } = stage(t)
    cells.name('started', 'go')
    await startOne(stuck, { data: options })
    const bounded = bus.with({ timeout: 50 })
    const dead = []
    bus.on(ParallelEventBus.deadLetter, ({ event, args, listeners }) => dead.push([event, args, listeners]))
    const outcomes = []
    // The time of an event may be over before it has started.
    while (cells.get('started') === 0) outcomes.push(await bounded.emitAndWait('x', 'running'))
    const inVain = outcomes.length - 1
    outcomes.push(bounded.emitAndWait('x', 'queued'))
    const late = assert.rejects(bounded.request('x', 'requested'), TIMED_OUT)
    assert.equal(bounded.emit('x', 'published'), true)
    for (const { success, failed, errors } of await Promise.all(outcomes)) {
      assert.deepEqual([success, failed, errors.length], [0, 1, 1])
      assert.deepEqual([errors[0].code, errors[0].event, errors[0].timeout], ['ERR_LISTENER_TIMEOUT', 'x', 50])
    }
    await late
    await reported()
    assert.equal(bus.getStats().listenersFailed, inVain + 4)
    assert.deepEqual(
      errors.map(([event, { code }, listener]) => [event, code, listener]),
      new Array(inVain + 4).fill(['x', 'ERR_LISTENER_TIMEOUT', undefined]),
    )
    // Those that did not reach their listener are dead letters; the one that runs did. The word of that may be too late
    // between processes.
    const first = dead.findIndex(([, [which]]) => which !== 'running')
    assert.ok(first === inVain || (ACROSS && first === inVain + 1), `${first} of ${outcomes.length}`)
    assert.deepEqual(
      dead.slice(first).map(([, [which]]) => which),
      ['queued', 'requested', 'published'],
    )
    assert.deepEqual(dead[first], ['x', ['queued'], 1])
    cells.set('go', 1)
    assert.equal(await bus.request('x'), 'late')
    assert.equal(cells.get('started'), 2, 'an event that timed out before its start never starts')
    assert.equal(bus.getStats().listenersFailed, inVain + 4, 'and a late result is ignored')
  })
}

test('a timeout does not wait for the thread of the emitter, which may be busy', async (t) => {
  const { bus, cells, startOne } = stage(t)
  cells.name('started', 'go')
  await startOne(stuck)
  const before = native.counters()
  const outcome = bus.with({ timeout: 30 }).emitAndWait('x')
  const reply = bus
    .with({ timeout: 30 })
    .request('x')
    .catch((error) => error)
  // The engine lets go of a timer when it fires; this thread's event loop has not turned by then.
  keepBusyUntil(() => native.counters().timers <= before.timers + 1, 'the deadlines have passed')
  let settled = 0
  for (const each of [outcome, reply]) each.then(() => settled++)
  for (let turns = 0; turns < 10 && settled < 2; turns++) await turn()
  assert.equal(settled, 2)
  assert.equal((await outcome).errors[0].code, 'ERR_LISTENER_TIMEOUT')
  assert.equal((await reply).code, 'ERR_LISTENER_TIMEOUT')
  cells.set('go', 1)
})

test('a listener with a timeout of its own fails alone, stuck or waiting', async (t) => {
  const { bus, cells, start } = stage(t)
  cells.name('started', 'go', 'fine')
  const [, other] = await start(2, ({ bus, cells }) => {
    bus.on(
      'stuck',
      () => {
        if (cells.add('started') === 0) cells.block('go')
      },
      { timeout: 50 },
    )
    bus.on('waiting', () => new Promise(() => {}), { timeout: 50 })
    bus.on('waiting', () => cells.add('fine'))
    bus.on('quick', () => {}, { timeout: 3_600_000 })
  })
  const { success, failed, errors } = await bus.emitAndWait('stuck')
  assert.deepEqual([success, failed, errors[0].code, errors[0].timeout], [1, 1, 'ERR_LISTENER_TIMEOUT', 50])
  cells.set('go', 1)
  const waited = await bus.emitAndWait('waiting')
  assert.deepEqual(
    [waited.success, waited.failed, waited.errors.map(({ code }) => code)],
    [2, 2, [TIMED_OUT.code, TIMED_OUT.code]],
  )
  assert.deepEqual(await bus.emitAndWait('quick'), { success: 2, failed: 0, errors: [] })
  bus.emit('waiting')
  await bus.idle()
  assert.equal(bus.getStats().listenersFailed, 5)
  assert.equal(cells.get('fine'), 4)
  const told = await other.run(async ({ errors, until }) => {
    const waiting = () => errors.filter(([event]) => event === 'waiting')
    await until(() => waiting().length === 2)
    return waiting().map(([event, { code }]) => [event, code])
  })
  assert.deepEqual(told, new Array(2).fill(['waiting', TIMED_OUT.code]))
})

test('a fraction of a millisecond is a whole one, not none', async (t) => {
  const { bus, cells, startOne } = stage(t)
  cells.name('go')
  await startOne(({ bus, cells }) => bus.on('x', () => cells.block('go'), { timeout: 0.5 }))
  const { errors } = await bus.emitAndWait('x')
  cells.set('go', 1)
  assert.deepEqual([errors[0].code, errors[0].timeout], ['ERR_LISTENER_TIMEOUT', 1])
})

test('an event that settles in time takes its timer with it', async (t) => {
  const { bus, start } = stage(t, { stallAfter: 0 })
  await start(2, ({ bus }) => bus.on('x', () => {}, { timeout: 3_600_000 }), { options: { stallAfter: 0 } })
  const before = native.counters().timers
  const bounded = bus.with({ timeout: 3_600_000 })
  for (let number = 0; number < 100; number++) {
    bounded.emit('x')
    await Promise.all([bounded.emitAndWait('x'), bounded.request('x'), bus.emitAndWait('x')])
  }
  await bus.idle()
  await until(() => native.counters().timers <= before)
})

test('an abort rejects at once; listeners that have not started never do, and running ones go on', async (t) => {
  const { bus, cells, startOne } = stage(t)
  cells.name('started', 'go')
  await startOne(stuck)
  const controller = new AbortController()
  const bound = bus.with({ signal: controller.signal })
  const outcomes = [bound.emitAndWait('x'), bound.emitAndWait('x'), bound.request('x')]
  assert.equal(bound.emit('x'), true)
  bus.emit('x')
  await cells.reach('started')
  const reason = new Error('given up')
  controller.abort(reason)
  for (const each of await Promise.allSettled(outcomes)) assert.equal(each.reason, reason)
  // In another process the listeners are skipped when the word comes.
  if (ACROSS) await until(() => bus.getStats().pending <= 2)
  // The one that runs, and the last, which is not bound.
  assert.equal(bus.getStats().pending, 2)
  cells.set('go', 1)
  await bus.idle()
  assert.equal(cells.get('started'), 2)
  assert.equal(bus.getStats().listenersFailed, 0)
  assert.equal(bound.emit('x'), false)
  await assert.rejects(bound.emitAndWait('x'), reason)
  await assert.rejects(bound.request('x'), reason)
  assert.equal(cells.get('started'), 2)
})

test('an event that a getter of its arguments aborts is not emitted', async (t) => {
  const { bus, cells, start } = stage(t)
  cells.name('heard')
  await start(1, ({ bus, cells }) => bus.on('x', () => cells.add('heard')))
  bus.on('x', () => cells.add('heard'))
  const stop = new AbortController()
  const { signal } = stop
  const args = {
    get value() {
      return stop.abort('enough')
    },
  }
  assert.equal(bus.with({ signal }).emit('x', args), false)
  for (const way of ['emitAndWait', 'request']) {
    const again = new AbortController()
    const bounded = bus.with({ signal: again.signal })
    await assert.rejects(
      bounded[way]('x', {
        get value() {
          return again.abort('enough')
        },
      }),
      (reason) => reason === 'enough',
    )
  }
  await bus.idle()
  assert.equal(cells.get('heard'), 0)
})

test('an aborted event is not told of when its thread ends', async (t) => {
  const { bus, cells, errors, startOne } = stage(t)
  cells.name('started', 'go')
  const thread = await startOne(stuck)
  const controller = new AbortController()
  const bound = bus.with({ signal: controller.signal })
  const rejected = assert.rejects(bound.emitAndWait('x'), { name: 'AbortError' })
  bound.emit('x')
  await cells.reach('started')
  controller.abort()
  await rejected
  await thread.terminate()
  await bus.idle()
  assert.deepEqual(errors, [])
})

test('an abort takes back the part of this thread, and that of a group, too', async (t) => {
  const { bus, cells, startOne } = stage(t)
  cells.name('started', 'go', 'here')
  await startOne(({ bus, cells }) => {
    bus.on('wait', () => {
      cells.add('started')
      cells.block('go')
    })
    for (const group of ['a', 'b']) bus.on('x', () => cells.add('started', 100), { group })
  })
  bus.on('x', () => cells.add('here'))
  bus.emit('wait')
  await cells.reach('started')
  const controller = new AbortController()
  const outcome = bus.with({ signal: controller.signal, timeout: 3_600_000 }).emitAndWait('x')
  controller.abort()
  await assert.rejects(outcome, { name: 'AbortError' })
  if (ACROSS) await until(() => bus.getStats().pending <= 1)
  cells.set('go', 1)
  await bus.idle()
  assert.deepEqual([cells.get('started'), cells.get('here')], [1, 0])
})

test('a signal that many events were bound by keeps none of them', async (t) => {
  const { bus, start } = stage(t)
  await start(1, ({ bus }) => bus.on('x', () => {}))
  const controller = new AbortController()
  const bound = bus.with({ signal: controller.signal })
  for (let number = 0; number < 100; number++) {
    bound.emit('x')
    await bound.emitAndWait('x')
  }
  await bus.idle()
  controller.abort()
  assert.deepEqual(await bus.emitAndWait('x'), { success: 1, failed: 0, errors: [] })
  assert.equal(bus.getStats().listenersFailed, 0)
})

test('others are told of a thread that has not looked at its events for a while', async (t) => {
  const { bus, cells, startOne } = stage(t)
  cells.name('started', 'go')
  const thread = await startOne(stuck, { options: { stallAfter: 50 } })
  bus.emit('x')
  await cells.reach('started')
  bus.emit('x')
  bus.emitAndWait('x')
  const { waiting, ms } = await stallOf(bus, thread)
  assert.ok(waiting >= 1 && ms >= 50, `${waiting} waiting, ${ms} ms`)
  cells.set('go', 1)
  await bus.idle()
})

test('a thread that is not to be watched is not told of, nor one that only has nothing to do', async (t) => {
  const { bus, cells, start, startOne } = stage(t)
  cells.name('started', 'go')
  const unwatched = await startOne(stuck, { options: { stallAfter: 0 } })
  await start(1, ({ bus }) => bus.on('y', () => {}), { options: { stallAfter: 20 } })
  const stalls = []
  bus.on(ParallelEventBus.stall, ({ threadId, peer }) => stalls.push(peer?.name ?? threadId))
  bus.emit('x')
  await cells.reach('started')
  bus.emit('x')
  // A third thread that is stuck, and told of, shows that there was time for the others.
  const third = await startOne(
    ({ bus, cells }) =>
      bus.on('z', () => {
        cells.add('started')
        cells.block('go')
      }),
    { options: { stallAfter: 60 } },
  )
  await bus.emitAndWait('y')
  bus.emit('z')
  await cells.reach('started', 2)
  bus.emit('z')
  // The one that has nothing to do may have been held up by a busy core before.
  const told = third.name ?? third.threadId
  await until(() => stalls.length >= 2 && stalls.slice(-2).every((name) => name === told), 'it alone is told of')
  assert.ok(!stalls.includes(unwatched.name ?? unwatched.threadId))
  cells.set('go', 1)
  await bus.idle()
})
