'use strict'

// `with({ transfer: [port] })`: a MessagePort moves to the one listener that gets the event, in whatever thread that is.

const assert = require('node:assert/strict')
const { once } = require('node:events')
const { MessageChannel } = require('node:worker_threads')
const { ParallelEventBus } = require('../..')
const { stage, test, until } = require('../fixtures/stage.js')

/** Each way to emit: resolves when the event is dealt with. */
const ways = {
  emit: async (bus, ...args) => {
    assert.equal(bus.emit(...args), true)
  },
  emitAndWait: async (bus, ...args) => {
    assert.deepEqual(await bus.emitAndWait(...args), { success: 1, failed: 0, errors: [] })
  },
  request: (bus, ...args) => bus.request(...args),
}

/** A port to be moved, and what its other end hears. */
function channelOf(t) {
  const { port1, port2 } = new MessageChannel()
  t.after(() => port1.close())
  return { port: port2, other: port1, next: () => once(port1, 'message').then(([message]) => message) }
}

/** Returns a function that waits until a port has been closed. The port itself keeps no process alive. */
function closing(port) {
  let isClosed = false
  port.once('close', () => {
    isClosed = true
  })
  return () => until(() => isClosed, 'the port was closed')
}

/** The thread says through the port that it has it. */
function answering({ bus, data }) {
  bus.on('x', (port, name) => port.postMessage(`got ${name}`), data)
}

for (const [name, emit] of Object.entries(ways)) {
  test(`a port moves to the listener of another thread: ${name}`, {
    threadsOnly: 'ports cannot leave a process',
  }, async (t) => {
    const { bus, startOne } = stage(t)
    await startOne(answering)
    for (const round of [1, 2, 3]) {
      const { port, next } = channelOf(t)
      const answer = next()
      await emit(bus.with({ transfer: [port] }), 'x', port, round)
      assert.equal(await answer, `got ${round}`)
      assert.throws(() => structuredClone(port, { transfer: [port] }), { name: 'DataCloneError' }, 'it is gone here')
    }
  })

  test(`a port moves to a listener of the bus itself, and of another bus of the thread: ${name}`, async (t) => {
    const { bus, join } = stage(t)
    for (const listening of [bus, join()]) {
      const { port, next } = channelOf(t)
      const answer = next()
      const listener = (got) => got.postMessage('got')
      listening.on('x', listener)
      await emit(bus.with({ transfer: [port] }), 'x', port)
      assert.equal(await answer, 'got')
      listening.off('x', listener)
    }
  })
}

test('a port may be anywhere in a value, with handles and long buffers beside it', {
  threadsOnly: 'ports cannot leave a process',
}, async (t) => {
  const { bus, startOne } = stage(t)
  await startOne(({ bus }) => {
    bus.on('x', ({ nested, memory, text, long, moved }) => {
      let inner = nested
      while (inner.deeper !== undefined) inner = inner.deeper
      inner.port.postMessage([
        new Uint8Array(memory)[0],
        text.length,
        long.length,
        moved.byteLength,
        inner.same === inner.port,
      ])
    })
  })
  const { port, next } = channelOf(t)
  let nested = { port, same: port }
  for (let level = 0; level < 300; level++) nested = { deeper: nested }
  const memory = new SharedArrayBuffer(1)
  new Uint8Array(memory)[0] = 9
  const moved = new ArrayBuffer(7)
  const answer = next()
  const value = { nested, memory, text: '€'.repeat(30_000), long: Buffer.alloc(100_000), moved }
  await bus.with({ transfer: [port, moved] }).request('x', value)
  assert.deepEqual(await answer, [9, 30_000, 100_000, 7, true])
  assert.equal(moved.byteLength, 0)
})

test('an event with a port that has several listeners is refused, and the port stays', {
  threadsOnly: 'ports cannot leave a process',
}, async (t) => {
  const { bus, join, start, startOne } = stage(t)
  const { port, next } = channelOf(t)
  const refused = async (count) => {
    for (const emit of [ways.emit, ways.emitAndWait]) {
      await assert.rejects(emit(bus.with({ transfer: [port] }), 'x', port), {
        name: 'DataCloneError',
        message: `#<MessagePort> could not be moved: the event has ${count} listeners.`,
      })
    }
  }
  const here = () => assert.fail('heard')
  bus.on('x', here).on('x', here)
  await refused(2)
  bus.removeAllListeners('x')
  bus.on('x', here)
  const other = join().on('x', here)
  await refused(2)
  other.off('x', here)
  const twice = await startOne(({ bus }) => bus.on('x', () => {}).on('x', () => {}))
  await refused(3)
  bus.off('x', here)
  await refused(2)
  await twice.run(({ bus }) => bus.removeAllListeners())
  await start(2, answering, { data: { group: 'one of them' } })
  const beside = await startOne(({ bus }) => bus.on('x', () => {}))
  await refused(2)
  await beside.run(({ bus }) => bus.removeAllListeners())
  const answer = next()
  await ways.emitAndWait(bus.with({ transfer: [port] }), 'x', port, 'by a group')
  assert.equal(await answer, 'got by a group')
})

test('of several listeners one gets a request with a port', {
  threadsOnly: 'ports cannot leave a process',
}, async (t) => {
  const { bus, start } = stage(t)
  await start(2, answering)
  for (const round of [1, 2, 3, 4]) {
    const { port, next } = channelOf(t)
    const answer = next()
    await bus.with({ transfer: [port] }).request('x', port, round)
    assert.equal(await answer, `got ${round}`)
  }
})

test('of two events with ports a once listener gets the first one', {
  threadsOnly: 'ports cannot leave a process',
}, async (t) => {
  const { bus, startOne } = stage(t)
  await startOne(({ bus }) => bus.once('x', (port) => port.postMessage('once')))
  const [first, second] = [channelOf(t), channelOf(t)]
  const [answer, closed] = [first.next(), closing(second.other)]
  assert.equal(bus.with({ transfer: [first.port] }).emit('x', first.port), true)
  assert.equal(bus.with({ transfer: [second.port] }).emit('x', second.port), false)
  assert.equal(await answer, 'once')
  await closed()
})

test('a port that nobody gets is closed', { threadsOnly: 'ports cannot leave a process' }, async (t) => {
  const { bus, startOne } = stage(t)
  await startOne(({ bus }) => bus.on('x', () => {}))
  const local = new ParallelEventBus()
  for (const emitter of [bus, local]) {
    const [one, two, three] = [channelOf(t), channelOf(t), channelOf(t)]
    const closed = [one, two, three].map(({ other }) => closing(other))
    assert.equal(emitter.with({ transfer: [one.port] }).emit('nobody', one.port), false)
    assert.equal((await emitter.with({ transfer: [two.port] }).emitAndWait('nobody', two.port)).success, 0)
    await assert.rejects(emitter.with({ transfer: [three.port] }).request('nobody', three.port), {
      code: 'ERR_NO_LISTENERS',
    })
    for (const isClosed of closed) await isClosed()
  }
})

test('a port whose listener is removed before its turn, or whose time is over, is closed', {
  threadsOnly: 'ports cannot leave a process',
}, async (t) => {
  const { bus, cells, startOne } = stage(t)
  cells.name('begun', 'goes on', 'heard')
  await startOne(({ bus, cells }) => {
    bus.on('x', () => cells.add('heard'))
    bus.on('block', () => {
      cells.add('begun')
      cells.block('goes on')
    })
    bus.on('remove', () => bus.removeAllListeners('x'))
  })
  bus.emit('block')
  await until(() => cells.get('begun') === 1)
  const late = channelOf(t)
  const lateClosed = closing(late.other)
  const { errors } = await bus.with({ transfer: [late.port], timeout: 1 }).emitAndWait('x', late.port)
  assert.deepEqual(
    errors.map(({ code }) => code),
    ['ERR_LISTENER_TIMEOUT'],
  )
  await lateClosed()

  bus.emit('remove')
  const removed = channelOf(t)
  const removedClosed = closing(removed.other)
  const outcome = bus.with({ transfer: [removed.port] }).emitAndWait('x', removed.port)
  cells.set('goes on', 1)
  assert.equal((await outcome).success, 0)
  await removedClosed()
  assert.equal(cells.get('heard'), 0)
})

test('events behind one with a port wait until it has come', {
  threadsOnly: 'ports cannot leave a process',
}, async (t) => {
  const { bus, startOne } = stage(t)
  const thread = await startOne(({ bus, log }) => bus.on('x', (number) => log.push(number)))
  for (let number = 0; number < 200; number++) {
    if (number % 7 !== 0) {
      bus.emit('x', number)
      continue
    }
    const { port } = channelOf(t)
    bus.with({ transfer: [port] }).emit('x', number, port)
  }
  await bus.idle()
  assert.deepEqual(await thread.run(({ log }) => log), [...new Array(200).keys()])
})

/** A thread that listens, and does not look any more. */
async function blockedThread({ bus, cells, startOne }, options) {
  const thread = await startOne(
    ({ bus, cells, data, die }) => {
      bus.on('block', () => {
        cells.add('blocked')
        die.loop()
      })
      bus.on('x', (port, name) => port.postMessage(`got ${name}`), data)
    },
    { data: options },
  )
  cells.set('blocked', 0)
  bus.emit('block')
  await until(() => cells.get('blocked') === 1)
  return thread
}

test('a port is lost with a thread that ends before it has started the event', {
  threadsOnly: 'ports cannot leave a process',
}, async (t) => {
  const staged = stage(t)
  const { bus } = staged
  staged.cells.name('blocked')
  const thread = await blockedThread(staged)
  const { port, other } = channelOf(t)
  const closed = closing(other)
  const outcome = bus.with({ transfer: [port] }).emitAndWait('x', port, 'it')
  await thread.terminate()
  const { success, errors } = await outcome
  assert.deepEqual([success, errors.map(({ code }) => code)], [0, ['ERR_THREAD_EXITED']])
  await closed()
})

test('a port goes to another thread of a group where the first one ends before it has asked for it', {
  threadsOnly: 'ports cannot leave a process',
}, async (t) => {
  const staged = stage(t)
  const { bus, startOne } = staged
  staged.cells.name('blocked')
  const thread = await blockedThread(staged, { group: 'all' })
  const { port, next } = channelOf(t)
  const answer = next()
  const outcome = bus.with({ transfer: [port] }).emitAndWait('x', port, 'it')
  await startOne(answering, { data: { group: 'all' } })
  await thread.terminate()
  assert.deepEqual(await outcome, { success: 1, failed: 0, errors: [] })
  assert.equal(await answer, 'got it')
})

test('an event whose port has come is not taken over by a thread that has nothing to do', {
  threadsOnly: 'ports cannot leave a process',
}, async (t) => {
  const { bus, cells, startOne } = stage(t)
  cells.name('calls', 'goes on')
  const first = await startOne(({ bus, cells, until }) => {
    const listener = async (port) => {
      cells.add('calls')
      await until(() => cells.get('goes on') === 1)
      port.postMessage('got by the first')
    }
    bus.on('x', listener, { group: 'all', concurrency: 1 })
  })
  const [one, two] = [channelOf(t), channelOf(t)]
  const answers = [one.next(), two.next()]
  const outcomes = [one, two].map(({ port }) => bus.with({ transfer: [port] }).emitAndWait('x', port))
  await until(() => cells.get('calls') === 1)
  // It has asked for both.
  await first.run(({ turn }) => turn())
  await first.run(({ turn }) => turn())
  const second = await startOne(({ bus }) =>
    bus.on('x', (port) => port.postMessage('got by the second'), { group: 'all' }),
  )
  for (let round = 0; round < 5; round++) await second.run(({ turn }) => turn())
  cells.set('goes on', 1)
  for (const outcome of outcomes) assert.deepEqual(await outcome, { success: 1, failed: 0, errors: [] })
  assert.deepEqual(await Promise.all(answers), ['got by the first', 'got by the first'])
})

test('what is no port and no buffer is refused on a channel by its name', async (t) => {
  const { bus, startOne } = stage(t)
  await startOne(({ bus }) => bus.on('x', () => {}))
  const stream = new ReadableStream()
  await assert.rejects(bus.with({ transfer: [stream] }).request('x', stream), {
    name: 'DataCloneError',
    message: '#<ReadableStream> could not be moved: on a channel only ArrayBuffers and MessagePorts are.',
  })
  const { port } = channelOf(t)
  assert.throws(() => bus.emit('x', port), { name: 'DataCloneError' }, 'it is not in a list')
})

test('of 1000 ports that were moved nothing stays', { threadsOnly: 'ports cannot leave a process' }, async (t) => {
  const { bus, startOne } = stage(t)
  await startOne(({ bus }) => bus.on('x', (port) => port.close()))
  const ports = () => process.getActiveResourcesInfo().filter((name) => name === 'MessagePort').length
  const before = ports()
  for (let number = 0; number < 1000; number++) {
    const { port1, port2 } = new MessageChannel()
    const closed = closing(port1)
    await bus.with({ transfer: [port2] }).request('x', port2)
    await closed()
  }
  await until(() => ports() <= before + 2, 'no port is left')
})
