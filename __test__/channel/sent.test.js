'use strict'

// The costs of emitting on a channel, in counts: nothing is encoded without listeners elsewhere, nothing twice, and a
// burst is few wakes.

const assert = require('node:assert/strict')
const native = require('../../native.js')
const { WAYS, stage, test } = require('../fixtures/stage.js')

/** An argument that tells how often it was encoded. */
function readings() {
  return {
    count: 0,
    get argument() {
      const counts = this
      return {
        get read() {
          counts.count++
          return 1
        },
      }
    },
  }
}

async function emitEveryWay(bus, event, argument) {
  bus.emit(event, argument)
  await bus.emitAndWait(event, argument)
  bus.with({ timeout: 3_600_000 }).emit(event, argument)
  await bus.with({ signal: new AbortController().signal }).emitAndWait(event, argument)
}

test('an event that nobody in another thread hears is not encoded, and may hold anything', async (t) => {
  const { bus, start } = stage(t)
  const read = readings()
  const heard = []
  await start(1, ({ bus }) => bus.on('other', () => {}))
  for (const fn of [() => {}, Symbol('s'), read.argument]) {
    await emitEveryWay(bus, 'x', fn)
    await assert.rejects(bus.request('x', fn), { code: 'ERR_NO_LISTENERS' })
  }
  bus.on('x', (argument) => heard.push(argument))
  for (const fn of [() => {}, read.argument]) {
    await emitEveryWay(bus, 'x', fn)
    await bus.request('x', fn)
    bus.once('x', () => {})
    bus.emit('x', fn)
    bus.once('x', () => {}, { group: 'g' })
    bus.emit('x', fn)
    await bus.idle()
    assert.deepEqual(
      heard.splice(0).map((argument) => argument === fn),
      new Array(7).fill(true),
    )
  }
  assert.equal(read.count, 0)
})

for (const { way, options } of WAYS) {
  test(`an event may hold anything again when its last listener elsewhere is gone, ${way}`, async (t) => {
    const { bus, start, startOne } = stage(t)
    await start(1, ({ bus }) => bus.on('other', () => {}))
    const listen = ({ bus, data }) => {
      bus.on('x', () => {}, data)
    }
    for (const leave of [
      (thread) => thread.run(({ bus }) => bus.removeAllListeners('x')),
      (thread) => thread.run(({ bus }) => bus.close()),
      (thread) => thread.terminate(),
    ]) {
      const thread = await startOne(listen, { data: options })
      await bus.emitAndWait('x', 1)
      bus.emit('x', 1)
      await bus.idle()
      await leave(thread)
      assert.equal(
        bus.emit('x', () => {}),
        false,
      )
      assert.deepEqual(await bus.emitAndWait('x', () => {}), { success: 0, failed: 0, errors: [] })
      await assert.rejects(
        bus.request('x', () => {}),
        { code: 'ERR_NO_LISTENERS' },
      )
    }
  })
}

test('an emission is encoded once, however many listen and however', async (t) => {
  const { bus, start, join } = stage(t)
  const threads = await start(3, () => {})
  join().on('x', () => {})
  bus.on('x', () => {})
  const read = readings()
  // How often the codec reads a property is its own business.
  await threads[0].run(({ bus }) => bus.on('one', () => {}))
  bus.emit('one', read.argument)
  const once = read.count
  const listeners = {
    plain: ({ bus }) => bus.on('x', () => {}),
    bounded: ({ bus }) => bus.on('x', () => {}, { timeout: 3_600_000 }),
    grouped: ({ bus }) => bus.on('x', () => {}, { group: 'g' }),
    once: ({ bus }) => bus.once('x', () => {}),
  }
  for (const [kind, listen] of Object.entries(listeners)) {
    for (let again = 0; again < 3; again++) {
      await Promise.all(threads.map((thread) => thread.run(listen)))
      const emits = [
        () => bus.emit('x', read.argument),
        () => bus.emitAndWait('x', read.argument),
        () => bus.request('x', read.argument),
        () => bus.with({ timeout: 3_600_000 }).emit('x', read.argument),
      ]
      for (const emit of emits) {
        read.count = 0
        await emit()
        assert.equal(read.count, once, `${emit}, ${kind} listeners`)
      }
    }
    await bus.idle()
    await Promise.all(threads.map((thread) => thread.run(({ bus }) => bus.removeAllListeners('x'))))
  }
})

for (const { way, options } of WAYS) {
  test(`a burst to a thread that is busy is one wake, ${way}`, {
    threadsOnly: 'a link has wakes of its own',
  }, async (t) => {
    const { bus, cells, start } = stage(t)
    cells.name('busy', 'go', 'heard')
    await start(
      1,
      ({ bus, cells, data }) => {
        bus.on('wait', () => {
          cells.set('busy', 1)
          cells.block('go')
        })
        bus.on('x', () => cells.add('heard'), data)
      },
      { data: options },
    )
    bus.emit('wait')
    await cells.reach('busy')
    const before = native.counters().wakes
    for (let number = 0; number < 10_000; number++) bus.emit('x', number)
    assert.ok(native.counters().wakes - before <= 1)
    cells.set('go', 1)
    await bus.idle()
    assert.equal(cells.get('heard'), 10_000)
    const wakes = native.counters().wakes - before
    // Of this thread: to look for acknowledgements, of which there is one for many events.
    assert.ok(wakes <= 20, `${wakes} wakes`)
  })

  test(`a burst to three threads that are not busy is few wakes, ${way}`, async (t) => {
    const { bus, cells, start } = stage(t)
    cells.name('heard')
    await start(3, ({ bus, cells, data }) => bus.on('x', () => cells.add('heard'), data), { data: options })
    const before = native.counters().wakes
    for (let number = 0; number < 10_000; number++) bus.emit('x', number)
    await bus.idle()
    assert.equal(cells.get('heard'), 30_000)
    const wakes = native.counters().wakes - before
    assert.ok(wakes < 1000, `${wakes} wakes for 30 000 deliveries`)
  })
}

test('a thousand emissions that are waited for at once are few wakes, too', async (t) => {
  const { bus, start } = stage(t)
  await start(2, ({ bus }) => bus.on('x', (number) => number))
  const before = native.counters().wakes
  const numbers = Array.from({ length: 1000 }, (_, number) => number)
  const replies = await Promise.all(numbers.map((number) => bus.request('x', number)))
  assert.deepEqual(replies, numbers)
  const outcomes = await Promise.all(numbers.map((number) => bus.emitAndWait('x', number)))
  assert.ok(outcomes.every(({ success }) => success === 2))
  const wakes = native.counters().wakes - before
  assert.ok(wakes < 1000, `${wakes} wakes for 2000 outcomes`)
})
