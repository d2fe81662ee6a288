'use strict'

// `with({ transfer })`: an emitter gives objects out of its hands, as `postMessage` does.

const assert = require('node:assert/strict')
const { ParallelEventBus } = require('../..')
const { stage, test } = require('../fixtures/stage.js')

function bytes(...values) {
  return Uint8Array.of(...values).buffer
}

function detached(...buffers) {
  return buffers.map(({ byteLength }) => byteLength)
}

/** Each way to emit: resolves when the event is dealt with, rejects where it throws. */
const ways = {
  emit: async (bus, bounds, ...args) => {
    assert.equal(bus.with(bounds).emit(...args), true)
    await bus.idle()
  },
  emitAndWait: async (bus, bounds, ...args) => {
    assert.equal((await bus.with(bounds).emitAndWait(...args)).failed, 0)
  },
  request: (bus, bounds, ...args) => bus.with(bounds).request(...args),
}

for (const [name, emit] of Object.entries(ways)) {
  test(`a buffer moves to another thread, and away from here: ${name}`, async (t) => {
    const { bus, startOne } = stage(t)
    const thread = await startOne(({ bus, log }) => {
      bus.on('x', ({ view, buffer }) => {
        log.push([view[1], view.length, view.buffer === buffer])
      })
    })
    const buffer = bytes(1, 2, 3)
    const view = new Uint8Array(buffer, 1)
    await emit(bus, { transfer: [buffer] }, 'x', { view, buffer })
    assert.deepEqual(detached(buffer, view), [0, 0])
    assert.deepEqual(await thread.run(({ log }) => log), [[3, 2, true]])
  })

  test(`a listener of the same bus gets the memory itself: ${name}`, async () => {
    const bus = new ParallelEventBus()
    const got = []
    bus.on('x', (buffer, text) => {
      got.push([...new Uint8Array(buffer)], text)
    })
    const buffer = bytes(1, 2, 3)
    await emit(bus, { transfer: [buffer], timeout: 10_000 }, 'x', buffer, 'text')
    assert.deepEqual(detached(buffer), [0])
    assert.deepEqual(got, [[1, 2, 3], 'text'])
  })

  test(`what cannot be moved throws before anybody got the event: ${name}`, async (t) => {
    const { bus, startOne } = stage(t)
    const thread = await startOne(({ bus, log }) => bus.on('x', () => log.push('got')))
    const local = new ParallelEventBus()
    local.on('x', () => assert.fail('got it'))
    const gone = bytes(1)
    structuredClone(gone, { transfer: [gone] })
    for (const emitter of [bus, local]) {
      const buffer = bytes(1, 2, 3)
      const refused = { name: 'DataCloneError', code: 25 }
      const call = (transfer, ...args) => emit(emitter, { transfer }, 'x', ...args)
      await assert.rejects(call([buffer, buffer], buffer), refused, 'twice')
      await assert.rejects(call([buffer, gone], buffer), refused, 'detached')
      await assert.rejects(
        call([buffer], buffer, () => {}),
        refused,
        'a function',
      )
      await assert.rejects(call([buffer, new SharedArrayBuffer(1)], buffer))
      await assert.rejects(call([buffer, {}], buffer))
      await assert.rejects(call([buffer, 5], buffer))
      assert.deepEqual(detached(buffer), [3], 'it is where it was')
    }
    assert.deepEqual(await thread.run(({ log }) => log), [])
  })
}

test('a buffer that goes to several is copied, and is gone here', async (t) => {
  const { bus, join, start } = stage(t)
  const threads = await start(2, ({ bus, log }) => {
    bus.on('x', (buffer) => log.push(new Uint8Array(buffer)[2]))
  })
  const here = []
  bus.on('x', (buffer) => here.push(buffer))
  join().on('x', (buffer) => here.push(buffer))
  const buffer = bytes(1, 2, 3)
  const outcome = await bus.with({ transfer: [buffer] }).emitAndWait('x', buffer)
  assert.deepEqual(outcome, { success: 4, failed: 0, errors: [] })
  assert.deepEqual(detached(buffer), [0])
  assert.deepEqual(
    here.map((each) => new Uint8Array(each)[2]),
    [3, 3],
  )
  assert.notEqual(here[0], here[1])
  for (const thread of threads) assert.deepEqual(await thread.run(({ log }) => log), [3])
})

test('a buffer that is not in the value is gone, too; also where nobody listens', async (t) => {
  const { bus, startOne } = stage(t)
  await startOne(({ bus }) => bus.on('x', () => {}))
  const local = new ParallelEventBus()
  for (const emitter of [bus, local]) {
    const [beside, unheard, requested] = [bytes(1), bytes(2), bytes(3)]
    emitter.with({ transfer: [beside] }).emit('x', 'value')
    assert.equal(emitter.with({ transfer: [unheard] }).emit('nobody', unheard), false)
    await assert.rejects(emitter.with({ transfer: [requested] }).request('nobody', requested), {
      code: 'ERR_NO_LISTENERS',
    })
    assert.deepEqual(detached(beside, unheard, requested), [0, 0, 0])
  }
})

test('an event that is not emitted moves nothing', async (t) => {
  const { bus, join } = stage(t)
  const closed = join()
  await closed.close()
  const buffer = bytes(1, 2)
  const transfer = [buffer]
  assert.equal(closed.with({ transfer }).emit('x', buffer), false)
  await assert.rejects(closed.with({ transfer }).emitAndWait('x', buffer), { code: 'ERR_BUS_CLOSED' })
  const bounded = bus.with({ transfer, signal: AbortSignal.abort() })
  assert.equal(bounded.emit('x', buffer), false)
  await assert.rejects(bounded.request('x', buffer), { name: 'AbortError' })
  assert.deepEqual(detached(buffer), [2])
})

test('events that move something keep their place among others', async (t) => {
  const { bus, startOne } = stage(t)
  const thread = await startOne(({ bus, log }) => bus.on('x', (number) => log.push(number)))
  for (let number = 0; number < 500; number++) {
    const buffer = bytes(1)
    if (number % 3 === 0) bus.with({ transfer: [buffer] }).emit('x', number, buffer)
    else bus.emit('x', number)
  }
  await bus.idle()
  assert.deepEqual(await thread.run(({ log }) => log), [...new Array(500).keys()])
})

test('shared memory stays shared beside what is moved', {
  threadsOnly: 'handles of a process cannot leave it',
}, async (t) => {
  const { bus, startOne } = stage(t)
  await startOne(({ bus }) => bus.on('fill', ({ memory, buffer }) => {
    new Uint8Array(memory).set(new Uint8Array(buffer))
  })) // biome-ignore format: short
  const [memory, buffer] = [new SharedArrayBuffer(3), bytes(1, 2, 3)]
  await bus.with({ transfer: [buffer] }).request('fill', { memory, buffer })
  assert.deepEqual([...new Uint8Array(memory)], [1, 2, 3])
})

test('a list that is none is refused', () => {
  const bus = new ParallelEventBus()
  for (const transfer of [null, {}, 'list', new Set()]) {
    assert.throws(() => bus.with({ transfer }), { code: 'ERR_INVALID_ARG_TYPE', message: /bounds\.transfer/ })
  }
})

test('of 10 000 buffers that were moved nothing stays', async (t) => {
  const { bus, startOne } = stage(t)
  await startOne(({ bus }) => bus.on('x', () => {}))
  const move = async (count) => {
    for (let number = 0; number < count; number++) {
      const buffer = new ArrayBuffer(65_536)
      bus.with({ transfer: [buffer] }).emit('x', buffer)
      if (number % 100 === 0) await bus.idle()
    }
    await bus.idle()
    globalThis.gc()
  }
  await move(500)
  const { rss } = process.memoryUsage()
  await move(10_000)
  const grown = process.memoryUsage().rss - rss
  // All of them have 625 MiB.
  assert.ok(grown < 256 * 2 ** 20, `${grown / 2 ** 20} MiB more`)
})
