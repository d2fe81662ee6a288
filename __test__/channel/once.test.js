'use strict'

// `once` listeners, and removals, over threads: one event and no more, from any emitter, and nothing after the end.

const assert = require('node:assert/strict')
const { WAYS, stage, test } = require('../fixtures/stage.js')

test('of many threads that emit at once, one reaches a once listener', {
  threadsOnly: 'of two events that race the later is withdrawn, though it was counted',
}, async (t) => {
  const { bus, cells, start, startOne } = stage(t)
  const NAMES = 300
  cells.name('ready', 'go', 'heard', 'done')
  // Each name's calls are in the cell of its number.
  await startOne(
    ({ bus, cells, data }) => {
      for (let name = 0; name < data; name++)
        bus.once(`once ${name}`, () => cells.add(name), { group: name % 3 ? undefined : 'g' })
    },
    { data: NAMES },
  )
  const emit = async (own, number) => {
    const { bus, cells, data } = own
    const waited = []
    let heard = 0
    for (let name = 0; name < data; name++) {
      // Every thread has its own way, and a second go.
      if (number !== 1 && bus.emit(`once ${name}`)) heard++
      waited.push(bus.emitAndWait(`once ${name}`))
    }
    for (const { success } of await Promise.all(waited)) heard += success
    cells.add('heard', heard)
    await bus.idle()
  }
  const emitters = await start(2, () => {}, { data: NAMES })
  const ran = emitters.map((emitter, number) =>
    emitter.run(
      ({ cells, ...scope }, number, emit) => {
        cells.add('ready')
        cells.block('go')
        // biome-ignore lint/security/noGlobalEval: the source of a function of this test
        return eval(emit)({ cells, ...scope }, number)
      },
      number,
      `(${emit})`,
    ),
  )
  await cells.reach('ready', 2)
  cells.set('go', 1)
  await emit({ bus, cells, data: NAMES }, 2)
  await Promise.all(ran)
  assert.equal(cells.get('heard'), NAMES)
  for (let name = 0; name < NAMES; name++) assert.equal(cells.get(name), 1, `once ${name}`)
  assert.equal(bus.emit('once 0'), false)
})

test('one event is heard by the once listeners of every thread, and the next by none', async (t) => {
  const { bus, cells, start } = stage(t)
  cells.name('heard', 'removed')
  await start(3, ({ bus, cells }) => {
    bus.on('removeListener', (event) => cells.add('removed', event === 'x' ? 1 : 100))
    bus.once('x', () => cells.add('heard'))
  })
  const removed = []
  bus.on('removeListener', (event) => removed.push(event))
  bus.once('x', () => cells.add('heard'))
  assert.equal(bus.emit('x'), true)
  assert.deepEqual(removed, ['x'], 'the own one is removed at once')
  assert.equal(bus.emit('x'), false)
  assert.deepEqual(await bus.emitAndWait('x'), { success: 0, failed: 0, errors: [] })
  await bus.idle()
  assert.deepEqual([cells.get('heard'), cells.get('removed')], [4, 3])
})

test('a once listener of this thread is used up by an event of another', async (t) => {
  const { bus, start } = stage(t)
  const heard = []
  const fn = (value) => heard.push(value)
  const [other] = await start(1, () => {})
  bus.prependOnceListener('x', fn)
  bus.on('removeListener', (event, listener) => heard.push([event, listener === fn]))
  assert.deepEqual(
    await other.run(async ({ bus }) => {
      const both = [bus.emitAndWait('x', 1), bus.emitAndWait('x', 2)]
      return (await Promise.all(both)).map(({ success }) => success)
    }),
    [1, 0],
  )
  assert.deepEqual(heard, [['x', true], 1])
  assert.equal(bus.listenerCount('x'), 0)
  assert.equal(bus.emit('x'), false)
})

test('a once listener is used up while an event of another thread is on its way to it', {
  threadsOnly: 'its own process claims a once listener',
}, async (t) => {
  const { bus, cells, start } = stage(t)
  cells.name('emitted')
  let heard = 0
  const [other] = await start(1, () => {})
  bus.once('x', () => heard++)
  other.tell(({ bus, cells }) => {
    bus.emit('x')
    cells.set('emitted', 1)
  })
  cells.block('emitted')
  // This thread has not seen that event yet.
  assert.equal(bus.listenerCount('x'), 1)
  assert.equal(bus.emit('x'), false)
  await assert.rejects(bus.request('x'), { code: 'ERR_NO_LISTENERS' })
  await other.run(({ bus }) => bus.idle())
  assert.equal(heard, 1)
})

for (const { way, options } of WAYS) {
  test(`listeners of another thread are called in the order of their registration there, ${way}`, async (t) => {
    const { bus, start } = stage(t)
    const [other] = await start(
      1,
      ({ bus, data, log }) => {
        bus.on('x', () => log.push('second'), data)
        bus.on('x', () => log.push('third'), data)
        bus.prependListener('x', () => log.push('first'), data)
      },
      { data: options },
    )
    bus.emit('x')
    await bus.emitAndWait('x')
    const order = ['first', 'second', 'third']
    assert.deepEqual(await other.run(({ log }) => log), [...order, ...order])
  })

  test(`an off takes nothing back that was emitted before it, ${way}`, {
    threadsOnly: 'an event that comes when its listener is gone is withdrawn',
  }, async (t) => {
    const { bus, cells, start } = stage(t)
    cells.name('busy', 'emitted', 'heard')
    await start(
      1,
      ({ bus, cells, data }) => {
        const fn = () => cells.add('heard')
        bus.on('x', fn, data)
        bus.on('leave', () => {
          // Not in the listener itself: such an off holds for queued events.
          process.nextTick(() => bus.off('x', fn))
          cells.set('busy', 1)
          cells.block('emitted')
        })
      },
      { data: options },
    )
    bus.emit('leave')
    await cells.reach('busy')
    for (let number = 0; number < 3; number++) assert.equal(bus.emit('x'), true)
    const outcome = bus.emitAndWait('x')
    cells.set('emitted', 1)
    assert.deepEqual(await outcome, { success: 1, failed: 0, errors: [] })
    await bus.idle()
    assert.equal(cells.get('heard'), 4)
  })

  test(`an off inside a listener holds for events that are queued for its thread, ${way}`, async (t) => {
    const { bus, cells, start } = stage(t)
    cells.name('heard', 'kept')
    await start(
      1,
      ({ bus, cells, data }) => {
        const fn = () => {
          if (cells.add('heard') === 9) bus.off('x', fn)
        }
        bus.on('x', fn, data)
        bus.on('x', () => cells.add('kept'), data)
      },
      { data: options },
    )
    // More than the thread takes at once.
    for (let number = 0; number < 5000; number++) bus.emit('x', number)
    const outcome = await bus.emitAndWait('x')
    await bus.idle()
    assert.equal(cells.get('kept'), 5001)
    assert.equal(cells.get('heard'), 10)
    assert.deepEqual(outcome, { success: 1, failed: 0, errors: [] }, 'a removed listener does not count')
  })

  test(`nothing that was meant for a removed listener reaches one that came later, ${way}`, async (t) => {
    const { bus, cells, start } = stage(t)
    cells.name('wrong', 'right')
    const [other] = await start(
      1,
      ({ bus, cells, data }) => {
        let heard = 0
        const fn = () => {
          if (++heard % 50 !== 0) return
          bus.off('x', fn)
          for (const name of ['y', 'z']) {
            bus.on(name, (own) => cells.add(own === name ? 'right' : 'wrong'), data)
          }
          bus.on('x', fn, data)
        }
        bus.on('x', fn, data)
      },
      { data: options },
    )
    for (let number = 0; number < 6000; number++) bus.emit('x', 'x')
    await bus.idle()
    const counts = await other.run(({ bus }) => [bus.listenerCount('y'), bus.listenerCount('z')])
    assert.ok(counts[0] > 0)
    bus.emit('y', 'y')
    await bus.emitAndWait('z', 'z')
    await bus.idle()
    assert.deepEqual([cells.get('wrong'), cells.get('right')], [0, counts[0] + counts[1]])
  })
}

test('removeAllListeners leaves no thread with anything to send to', async (t) => {
  const { bus, start } = stage(t)
  const threads = await start(2, ({ bus }) => {
    for (const name of ['a', 'b', 'c']) {
      bus.on(name, () => {})
      bus.once(name, () => {})
      bus.on(name, () => {}, { group: 'g' })
    }
  })
  await threads[0].run(({ bus }) => bus.removeAllListeners('a'))
  assert.equal((await bus.emitAndWait('a')).success, 3)
  await threads[1].run(({ bus }) => bus.removeAllListeners())
  assert.equal(bus.emit('a'), false)
  assert.equal((await bus.emitAndWait('b')).success, 3)
  await threads[0].run(({ bus }) => bus.removeAllListeners())
  for (const name of ['a', 'b', 'c']) assert.equal(bus.emit(name), false)
  await assert.rejects(bus.request('c'), { code: 'ERR_NO_LISTENERS' })
})

test('an abort removes a listener for every thread', async (t) => {
  const { bus, cells, start } = stage(t)
  cells.name('heard')
  const [other] = await start(1, (scope) => {
    const { bus, cells } = scope
    scope.controller = new AbortController()
    bus.on('x', () => cells.add('heard'), { signal: scope.controller.signal })
    bus.once('once', () => cells.add('heard'), { signal: scope.controller.signal })
    bus.on('group', () => cells.add('heard'), { signal: scope.controller.signal, group: 'g' })
    bus.on('never', () => cells.add('heard'), { signal: AbortSignal.abort() })
  })
  assert.equal(bus.emit('never'), false)
  await bus.emitAndWait('x')
  await other.run(({ controller }) => controller.abort())
  for (const name of ['x', 'once', 'group']) assert.equal(bus.emit(name), false)
  assert.equal(cells.get('heard'), 1)

  const controller = new AbortController()
  bus.on('y', () => {}, { signal: controller.signal })
  assert.equal(await other.run(({ bus }) => bus.emit('y')), true)
  controller.abort()
  assert.equal(await other.run(({ bus }) => bus.emit('y')), false)
})

test('the listeners of a thread are its own: others neither list nor remove them', async (t) => {
  const { bus, start } = stage(t)
  const [other] = await start(1, (scope) => {
    scope.fn = () => {}
    scope.bus.on('x', scope.fn)
    scope.bus.once('x', scope.fn, { timeout: 1000 })
  })
  assert.deepEqual([bus.eventNames(), bus.listenerCount('x'), bus.listeners('x')], [[], 0, []])
  bus.removeAllListeners()
  assert.deepEqual(
    await other.run(({ bus, fn }) => [bus.eventNames(), bus.listeners('x').map((each) => each === fn)]),
    [['x'], [true, true]],
  )
  assert.equal(bus.emit('x'), true)
  await other.run(({ bus, fn }) => bus.off('x', fn).off('x', fn))
  assert.equal(bus.emit('x'), false)
  await bus.idle()
})

test('a once listener in another thread gets the next event if its first was cancelled before it started', {
  threadsOnly: 'elsewhere a listener counts when its table has arrived',
}, async (t) => {
  const { bus, cells, startOne } = stage(t)
  cells.name('stuck', 'go')
  const thread = await startOne(({ bus, cells, log }) => {
    bus.on('block', () => {
      cells.set('stuck', 1)
      cells.block('go')
    })
    bus.once('x', (value) => log.push(value))
    bus.once('late', (value) => log.push(value))
  })
  bus.emit('block')
  await cells.reach('stuck')
  const stop = new AbortController()
  const taken = bus.with({ signal: stop.signal }).emitAndWait('x', 'taken back')
  stop.abort()
  await assert.rejects(taken, { name: 'AbortError' })
  assert.equal((await bus.with({ timeout: 1 }).emitAndWait('late', 'too late')).failed, 1)
  cells.set('go', 1)
  await thread.run(() => {})
  assert.deepEqual([bus.emit('x', 'real'), bus.emit('late', 'in time')], [true, true])
  await bus.idle()
  assert.deepEqual(await thread.run(({ log }) => log), ['real', 'in time'])
})
