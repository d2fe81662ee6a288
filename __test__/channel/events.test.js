'use strict'

// One event bus over several threads: the listeners of an event, their order, and the events that are sent at all.

const assert = require('node:assert/strict')
const { EventEmitter } = require('node:events')
const { WAYS, stage, test, turn } = require('../fixtures/stage.js')

for (const { way, options } of WAYS) {
  test(`an event reaches the listeners of every thread, ${way}`, async (t) => {
    const { bus, cells, start } = stage(t)
    cells.name('here', 'there')
    const threads = await start(
      3,
      ({ bus, cells, data, log }) => {
        bus.on('x', (...args) => log.push(args) && cells.add('there'), data)
        bus.on('x', () => cells.add('there'), data)
      },
      { data: options },
    )
    bus.on('x', () => cells.add('here'), options)
    const sent = [1, 'two', { three: [3n, new Date(3), new Map([[{}, undefined]])] }]
    assert.equal(bus.emit('x', ...sent), true)
    assert.equal(cells.get('here'), 0, 'emit only queues')
    await bus.idle()
    assert.deepEqual([cells.get('here'), cells.get('there')], [1, 6])
    assert.deepEqual(await bus.emitAndWait('x', ...sent), { success: 7, failed: 0, errors: [] })
    for (const thread of threads) assert.deepEqual(await thread.run(({ log }) => log), [sent, sent])
  })

  test(`events of one thread reach another in the order of their emission, ${way}`, async (t) => {
    const { bus, start } = stage(t)
    const receiver = await start(
      1,
      ({ bus, data, log }) => {
        // Names take turns, and some of them are never sent in batches.
        for (const name of ['a', 'b', 'c', 'd']) bus.on(name, (number) => log.push(number), data)
        bus.on('b', () => {}, { timeout: 3_600_000 })
        bus.on('d', () => {}, { group: 'd' })
      },
      { data: options },
    )
    const large = 'x'.repeat(300_000)
    const waited = []
    const sent = Array.from({ length: 5000 }, (_, number) => number)
    for (const number of sent) {
      const name = ['a', 'b', 'a', 'c', 'c', 'd'][number % 6]
      if (number % 7 === 3) waited.push(bus.emitAndWait(name, number))
      else if (number % 11 === 5) bus.with({ timeout: 3_600_000 }).emit(name, number)
      else if (number % 1000 === 0) bus.emit(name, number, large)
      else bus.emit(name, number)
      if (number % 1500 === 1499) await turn()
    }
    await Promise.all([...waited, bus.idle()])
    assert.deepEqual(await receiver[0].run(({ log }) => log), sent)
  })

  test(`events of several threads keep the order of each, ${way}`, async (t) => {
    const { bus, cells, start } = stage(t)
    cells.name('go')
    const heard = []
    bus.on('x', (from, number) => heard.push([from, number]), options)
    const emitters = await start(2, ({ bus, cells, threadId }) => {
      bus.on('start', () => {
        cells.block('go')
        for (let number = 0; number < 2000; number++) bus.emit('x', threadId, number)
      })
    })
    bus.emit('start')
    cells.set('go', 1)
    await bus.idle()
    await Promise.all(emitters.map((emitter) => emitter.run(({ bus }) => bus.idle())))
    const numbers = Array.from({ length: 2000 }, (_, number) => number)
    for (const { id } of emitters) {
      const own = heard.filter(([from]) => from === id).map(([, number]) => number)
      assert.deepEqual(own, numbers)
    }
  })
}

test('the example of the design holds', { skip: Symbol.asyncDispose === undefined }, async (t) => {
  const { bus, cells, start } = stage(t)
  cells.name('created')
  await start(2, ({ bus, cells }) => bus.on('created', () => cells.add('created')))
  bus.on('created', () => cells.add('created'))
  const module = `data:text/javascript,export default (bus) => bus.on('score', (item) => item * 2)`
  const pool = await bus.spawn(module, { threads: 2 })
  assert.deepEqual(await bus.emitAndWait('created', { id: 1 }), { success: 3, failed: 0, errors: [] })
  assert.equal(cells.get('created'), 3)
  assert.equal(await bus.request('score', 21), 42)
  await pool[Symbol.asyncDispose]()
  await assert.rejects(bus.request('score', 21), { code: 'ERR_NO_LISTENERS' })
})

test('a listener is heard by every thread when `on` has returned, and by none when `off` has', {
  threadsOnly: 'elsewhere a listener counts when its table has arrived',
}, async (t) => {
  const { bus, cells, start } = stage(t)
  cells.name('on', 'heard', 'off', 'replied', 'requested')
  const [listener, emitter] = await start(2, () => {})
  // Nobody's event loop turns between the two: the threads know of each other by cells alone.
  listener.tell(({ bus, cells }) => {
    const fn = () => {}
    bus.on('x', fn)
    cells.set('on', 1)
    cells.block('heard')
    bus.off('x', fn)
    cells.set('off', 1)
    cells.block('requested', 2)
  })
  emitter.tell(({ bus, cells }) => {
    cells.block('on')
    cells.set('replied', bus.emit('x') ? 1 : 2)
    cells.set('requested', 1)
    cells.block('off')
    cells.set('replied', bus.emit('x') ? 3 : 4)
    cells.set('requested', 2)
  })
  cells.block('on')
  assert.equal(bus.emit('x'), true)
  cells.block('requested')
  assert.equal(cells.get('replied'), 1)
  cells.set('heard', 1)
  cells.block('off')
  assert.equal(bus.emit('x'), false)
  cells.block('requested', 2)
  assert.equal(cells.get('replied'), 4)
})

test('two threads talk while the main thread is blocked', async (t) => {
  const { cells, start } = stage(t)
  cells.name('go', 'rounds', 'reply', 'end')
  const [server, client] = await start(2, () => {})
  await server.run(({ bus }) => {
    bus.on('ping', (number) => {
      bus.emit('pong', number)
    })
    bus.on('request', (number) => number + 1)
  })
  client.tell(async ({ bus, cells }) => {
    bus.on('pong', async (number) => {
      if (cells.add('rounds') < 99) {
        bus.emit('ping', number + 1)
        return
      }
      cells.set('reply', await bus.request('request', 41))
      const { success } = await bus.emitAndWait('ping', 0)
      cells.set('end', success)
    })
    bus.emit('ping', 1)
  })
  cells.block('end')
  assert.equal(cells.get('reply'), 42)
})

test('emit tells whether anybody listens, in any thread, before any listener has started', async (t) => {
  const { bus, start } = stage(t)
  const other = await start(1, ({ bus }) => bus.on('there', () => {}))
  assert.equal(bus.emit('there'), true)
  assert.equal(bus.emit('nowhere'), false)
  bus.on('here', () => {})
  assert.equal(bus.emit('here'), true)
  assert.equal(await other[0].run(({ bus }) => bus.emit('here')), true)
  assert.equal(await other[0].run(({ bus }) => bus.emit('nowhere')), false)
  assert.deepEqual(await bus.emitAndWait('nowhere'), { success: 0, failed: 0, errors: [] })
  await bus.idle()
})

test('several buses of one thread on one channel are members as those of several threads are', async (t) => {
  const { bus, join } = stage(t)
  const other = join()
  const heard = []
  const value = { by: 'reference' }
  bus.on('x', (got) => heard.push(['bus', got]))
  other.on('x', (got) => heard.push(['other', got]))
  assert.deepEqual(await bus.emitAndWait('x', value), { success: 2, failed: 0, errors: [] })
  assert.deepEqual(heard.map(([name]) => name).sort(), ['bus', 'other'])
  const got = Object.fromEntries(heard)
  assert.equal(got.bus, value)
  assert.deepEqual(got.other, value)
  assert.notEqual(got.other, value, 'a bus hears its own events by reference, and those of others as a clone')
  other.removeAllListeners()
  await bus.idle()
})

test('events on their way to several buses of one thread keep none of them from closing', async (t) => {
  const { bus, cells, startOne } = stage(t)
  cells.name('first', 'second')
  const thread = await startOne((scope) => {
    const { bus, cells, channel, ParallelEventBus } = scope
    scope.second = new ParallelEventBus({ channel })
    bus.on('x', () => cells.add('first'))
    bus.on('y', () => cells.add('first'))
    scope.second.on('y', () => cells.add('second'))
  })
  for (let number = 0; number < 100; number++) {
    bus.emit('x')
    bus.emit('y')
  }
  await bus.idle()
  await thread.run(({ second }) => second.close())
  assert.deepEqual(await bus.emitAndWait('y'), { success: 1, failed: 0, errors: [] })
  await thread.run(({ bus }) => bus.close())
  assert.deepEqual([cells.get('first'), cells.get('second')], [201, 100])
})

test('emit itself refuses arguments that cannot be cloned, before any listener got the event', async (t) => {
  const { bus, cells, start } = stage(t)
  cells.name('heard')
  await start(2, ({ bus, cells }) => {
    bus.on('plain', () => cells.add('heard'))
    bus.once('once', () => cells.add('heard'))
    bus.on('group', () => cells.add('heard'), { group: 'g' })
  })
  for (const name of ['plain', 'once', 'group']) bus.on(name, () => cells.add('heard'))
  for (const name of ['plain', 'once', 'group']) {
    for (const args of [[() => {}], [{ deep: [Symbol('s')] }], [new WeakMap()], [1, 2, Promise.resolve()]]) {
      for (let again = 0; again < 2; again++) {
        assert.throws(() => bus.emit(name, ...args), { name: 'DataCloneError' })
        await assert.rejects(bus.emitAndWait(name, ...args), { name: 'DataCloneError' })
        await assert.rejects(bus.request(name, ...args), { name: 'DataCloneError' })
        const bounded = bus.with({ timeout: 1000, signal: new AbortController().signal })
        assert.throws(() => bounded.emit(name, ...args), { name: 'DataCloneError' })
      }
    }
  }
  const { pending, eventsEmitted, listenersInvoked } = bus.getStats()
  assert.deepEqual([pending, eventsEmitted, listenersInvoked], [0, 0, 0])
  await bus.idle()
  assert.equal(cells.get('heard'), 0)
  assert.deepEqual(await bus.emitAndWait('once', 1), { success: 3, failed: 0, errors: [] }, 'none was used up')
})

test('an error that a getter of an argument throws comes out of emit', async (t) => {
  const { bus, start } = stage(t)
  await start(1, ({ bus }) => bus.on('x', () => {}))
  const argument = {
    get bad() {
      throw new RangeError('from the getter')
    },
  }
  assert.throws(() => bus.emit('x', argument), { name: 'RangeError', message: 'from the getter' })
  await assert.rejects(bus.emitAndWait('x', argument), { name: 'RangeError' })
  assert.equal(bus.getStats().pending, 0)
})

test('arguments are cloned at emit: later changes by the emitter, or a listener, change nothing elsewhere', async (t) => {
  const { bus, start } = stage(t)
  const other = await start(1, ({ bus, log }) => {
    for (const name of ['a', 'b']) {
      bus.on(name, (value) => {
        log.push(value.list.length)
        value.list.push('there')
      })
    }
    bus.on('b', () => {}, { timeout: 3_600_000 })
  })
  const value = { list: [] }
  for (const name of ['a', 'b', 'a']) {
    bus.emit(name, value)
    value.list.push('here')
  }
  await bus.idle()
  assert.deepEqual(await other[0].run(({ log }) => log), [0, 1, 2])
  assert.deepEqual(value.list, ['here', 'here', 'here'])
})

test('the helpers of node:events work over threads', async (t) => {
  const { bus, start } = stage(t)
  const other = await start(1, () => {})
  const once = EventEmitter.once(bus, 'x')
  assert.equal(await other[0].run(({ bus }) => bus.emit('x', 1, 'two')), true)
  assert.deepEqual(await once, [1, 'two'])
  const events = EventEmitter.on(bus, 'y')
  await other[0].run(({ bus }) => {
    for (let number = 0; number < 3; number++) bus.emit('y', number)
  })
  for (let number = 0; number < 3; number++) assert.deepEqual((await events.next()).value, [number])
  await events.return()
  assert.equal(await other[0].run(({ bus }) => bus.emit('y')), false)
})
