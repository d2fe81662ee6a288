'use strict'

// Long buffers and strings: they lie apart from their message, are copied once for all receivers, and the last receiver
// may take the memory itself. Nobody sees that, but in the time it takes.

const assert = require('node:assert/strict')
const { ParallelEventBus } = require('../..')
const native = require('../../native.js')
const { WAYS, stage, test } = require('../fixtures/stage.js')

const KIB = 1024
const MIB = 1024 * KIB

function bytes(length, seed = 7) {
  return Buffer.from(Uint8Array.from({ length }, (_, index) => (index * seed) & 0xff))
}

/** Values with something long, around the lengths from which on it lies apart, and is given away. */
function values() {
  const shared = bytes(64 * KIB)
  const lengths = [16 * KIB - 1, 16 * KIB, 64 * KIB, 128 * KIB - 1, 128 * KIB, MIB]
  return [
    ...lengths.map((length) => bytes(length)),
    ...lengths.map((length) => ({ text: 'é'.repeat(length) })),
    ...lengths.map((length) => ['日'.repeat(length / 2), '\ud800']),
    { one: shared, same: shared, buffer: shared.buffer, part: new Float64Array(shared.buffer, 8, 100) },
    new Map([['k'.repeat(20 * KIB), new DataView(bytes(20 * KIB).buffer, 5, 17)]]),
    { ['key'.repeat(10 * KIB)]: new BigInt64Array(4 * KIB).fill(-5n) },
    Array.from({ length: 20_000 }, (_, index) => index / 3),
    [2n ** 100_000n, new RegExp('a'.repeat(20 * KIB))],
    new Error('m'.repeat(20 * KIB), { cause: bytes(20 * KIB) }),
  ]
}

/** The arguments of the next event. */
function heard(bus, event) {
  return new Promise((resolve) => bus.once(event, (...args) => resolve(args)))
}

/** The thread sends back its arguments. */
function echo({ bus, channel, ParallelEventBus, data }) {
  const back = new ParallelEventBus({ channel })
  bus.on('there', (...args) => back.emit('back', ...args), data)
  bus.on('request', (value) => value)
}

for (const isForbidden of [false, true]) {
  const runtime = isForbidden ? 'where external buffers are forbidden' : 'where external buffers are allowed'
  for (const { way, options } of WAYS) {
    test(`long values are those of structuredClone, ${way}, ${runtime}`, async (t) => {
      native.forbidExternalForTest(isForbidden)
      t.after(() => native.forbidExternalForTest(false))
      const { bus, startOne } = stage(t)
      await startOne(echo, { data: options })
      for (const value of values()) {
        const back = heard(bus, 'back')
        bus.emit('there', value, 'and', value)
        const expected = structuredClone([value, 'and', value])
        assert.deepEqual(await back, expected)
        const reply = await bus.request('request', value)
        assert.deepEqual(reply, expected[0])
        if (!ArrayBuffer.isView(reply)) continue
        assert.equal(reply.byteOffset, expected[0].byteOffset)
        assert.deepEqual(reply.buffer, expected[0].buffer)
      }
    })
  }
}

for (const { way, options } of WAYS) {
  test(`no two values share memory, whoever changes theirs, ${way}`, async (t) => {
    const { bus, join, start } = stage(t)
    const listen = ({ bus, log, data }) => bus.on('x', (buffer) => log.push(buffer), data)
    const threads = await start(2, listen, { data: options })
    const others = [join(), join()]
    for (const length of [20 * KIB, 200 * KIB]) {
      const sent = Buffer.alloc(length, 1)
      const here = others.map((each) => heard(each, 'x'))
      bus.emit('x', sent)
      sent.fill(2)
      const received = (await Promise.all(here)).map(([buffer]) => buffer)
      const change = async ({ log, until }, value) => {
        await until(() => log.length > 0)
        const isUntouched = log[0].every((byte) => byte === 1)
        log[0].fill(value)
        return isUntouched
      }
      for (const [index, buffer] of received.entries()) {
        assert(buffer.every((byte) => byte === 1))
        buffer.fill(3 + index)
        assert(await threads[index].run(change, 5 + index), 'what others have done to theirs')
      }
      const last = ({ log: [...log], log: all }) => {
        all.length = 0
        return log.map((buffer) => [...new Set(buffer)])
      }
      assert.deepEqual(await threads[0].run(last), [[5]])
      assert.deepEqual(await threads[1].run(last), [[6]])
      assert.deepEqual(
        [...received, sent].map((buffer) => [...new Set(buffer)]),
        [[3], [4], [2]],
      )
    }
  })
}

test('a received buffer stays when its event has settled and both threads have ended', async (t) => {
  const { bus, startOne } = stage(t)
  const sender = await startOne(({ bus }) => bus.on('get', () => Buffer.alloc(1 << 20, 5)))
  const kept = []
  for (let index = 0; index < 8; index++) kept.push(await bus.request('get'))
  await sender.terminate()
  globalThis.gc?.()
  for (let index = 0; index < 8; index++) Buffer.alloc(1 << 20, 6)
  assert(kept.every((buffer) => buffer.every((byte) => byte === 5)))
})

test('an event with long arguments that has not started is a dead letter with them, and one that has is without', {
  threadsOnly: 'the arguments stay here until the event has settled elsewhere',
}, async (t) => {
  const { bus, cells, startOne } = stage(t)
  cells.name('started', 'go')
  const thread = await startOne(({ bus, cells }) => {
    bus.on('x', () => {
      cells.add('started')
      cells.block('go')
    })
  })
  const dead = []
  bus.on(ParallelEventBus.deadLetter, ({ args }) => dead.push(args))
  const sent = [bytes(200 * KIB, 1), bytes(200 * KIB, 3), 'long '.repeat(10 * KIB)]
  for (const value of sent) bus.emit('x', value)
  while (cells.get('started') === 0) await new Promise(setImmediate)
  await thread.terminate()
  while (dead.length < 3) await new Promise(setImmediate)
  assert.deepEqual(
    dead.filter((args) => args !== undefined),
    structuredClone([[sent[1]], [sent[2]]]),
  )
})

test('an event with long arguments goes to another thread of its group, with them', {
  threadsOnly: 'what was sent to a process is given to nobody else',
}, async (t) => {
  const { bus, cells, startOne } = stage(t)
  cells.name('started', 'go')
  const first = await startOne(({ bus, cells }) => {
    bus.on('hold', () => {
      cells.add('started')
      cells.block('go')
    })
    bus.on('x', () => 'first', { group: 'g' })
  })
  bus.emit('hold')
  while (cells.get('started') === 0) await new Promise(setImmediate)
  const value = { text: 'x'.repeat(40 * KIB), buffer: bytes(200 * KIB) }
  const reply = bus.request('x', value)
  await startOne(({ bus }) => bus.on('x', (value) => value, { group: 'g' }))
  await first.terminate()
  assert.deepEqual(await reply, structuredClone(value))
})

test('long arguments count in the bytes of a mailbox', async (t) => {
  const { bus, cells, errors, startOne } = stage(t)
  cells.name('started', 'go')
  await startOne(
    ({ bus, cells }) => {
      bus.on('x', () => {
        cells.add('started')
        cells.block('go')
      })
    },
    { options: { mailbox: { maxBytes: MIB } } },
  )
  bus.emit('x', bytes(600 * KIB))
  bus.emit('x', bytes(300 * KIB))
  bus.emit('x', 'é'.repeat(300 * KIB))
  bus.emit('x', '日'.repeat(100 * KIB))
  while (errors.length < 2) await new Promise(setImmediate)
  assert.deepEqual(
    errors.map(([, { code }]) => code),
    ['ERR_MAILBOX_FULL', 'ERR_MAILBOX_FULL'],
  )
  cells.set('go', 1)
})

test('long arguments come whole behind an event whose time was over before it was read', async (t) => {
  const { bus, join, errors } = stage(t)
  const listener = join({ onError: (...about) => errors.push(about) })
  const heard = []
  // Its thread reads of the claim, although there is nothing to be called.
  listener.once('late', () => heard.push('late'))
  listener.on('long', (bytes) => heard.push(bytes.length))
  const late = bus.with({ timeout: 1 }).emitAndWait('late', 'text')
  bus.emit('long', new Uint8Array(40_000))
  const long = bus.emitAndWait('long', new Uint8Array(50_000))
  for (const end = Date.now() + 30; Date.now() < end; );
  assert.equal((await late).errors[0].code, 'ERR_LISTENER_TIMEOUT')
  assert.deepEqual(await long, { success: 1, failed: 0, errors: [] })
  assert.deepEqual(heard, [40_000, 50_000])
  assert.deepEqual(
    errors.map(([event]) => event),
    ['late'],
  )
})

test('a received buffer can be moved on, and the listener does not have it any more', async (t) => {
  const { bus, startOne } = stage(t)
  await startOne(({ bus, channel, ParallelEventBus }) => {
    const onward = new ParallelEventBus({ channel })
    bus.on('there', ({ buffer }) => {
      onward.with({ transfer: [buffer] }).emit('back', { buffer })
      onward.emit('left', buffer.byteLength)
    })
  })
  for (const length of [20 * KIB, MIB]) {
    const sent = bytes(length)
    const [back, left] = [heard(bus, 'back'), heard(bus, 'left')]
    bus.emit('there', { buffer: sent.buffer.slice(sent.byteOffset, sent.byteOffset + length) })
    const [{ buffer }] = await back
    assert.deepEqual(Buffer.from(buffer), sent)
    assert.deepEqual(await left, [0])
  }
})

test('shared memory may be beside a message with long parts', {
  threadsOnly: 'handles of a process cannot leave it',
}, async (t) => {
  const { bus, startOne } = stage(t)
  await startOne(({ bus }) => bus.on('x', (value) => value))
  const shared = new SharedArrayBuffer(8)
  const value = { shared, text: 'x'.repeat(40 * KIB), buffer: bytes(200 * KIB) }
  const { success } = await bus.emitAndWait('x', value)
  assert.equal(success, 1)
  const reply = await bus.request('x', value)
  new Uint8Array(reply.shared)[3] = 4
  assert.equal(new Uint8Array(shared)[3], 4)
  assert.deepEqual([reply.text, reply.buffer], structuredClone([value.text, value.buffer]))
})

test('memory is level: of events that were heard, of refused arguments, and of replies', async (t) => {
  const { bus, startOne } = stage(t)
  await startOne(({ bus }) => {
    bus.on('x', ({ length }) => length)
    bus.on('reply', (length) => Buffer.alloc(length))
  })
  const buffer = bytes(MIB)
  const round = async () => {
    for (let index = 0; index < 100; index++) {
      assert.equal(await bus.request('x', buffer), MIB)
      assert.throws(() => bus.emit('x', [buffer, () => {}]), { name: 'DataCloneError' })
      assert.equal((await bus.request('reply', MIB)).length, MIB)
    }
    globalThis.gc?.()
    await new Promise(setImmediate)
    return process.memoryUsage().rss
  }
  await round()
  const before = await round()
  await round()
  const grown = (await round()) - before
  assert(grown < 128 * MIB, `${grown / MIB} MiB for 200 events more`)
})
