'use strict'

// The promises of `emit`: the listeners of an event, the time and the order of their calls, and the exceptions.

const assert = require('node:assert/strict')
const { EventEmitter, errorMonitor } = require('node:events')
const { test } = require('node:test')
const { ParallelEventBus, BusClosedError } = require('../..')

function recorder() {
  const log = []
  return { log, note: (name) => (value) => log.push(value === undefined ? name : `${name}${value}`) }
}

test('emit returns whether anyone listens, before any listener has started', async () => {
  const bus = new ParallelEventBus()
  let calls = 0
  bus.on('heard', () => calls++)
  assert.equal(bus.emit('heard'), true)
  assert.equal(bus.emit('unheard'), false)
  assert.equal(calls, 0)
  await Promise.resolve()
  assert.equal(calls, 0, 'not even in a microtask of the emitter')
  await bus.idle()
  assert.equal(calls, 1)
})

test('listeners get all arguments, by reference, with the bus as this', async () => {
  const bus = new ParallelEventBus()
  for (const args of [[], [{}], [{}, 2], [{}, 2, undefined], [1, 2, 3, 4, 5]]) {
    const seen = []
    bus.removeAllListeners()
    bus.on('event', function listener(...got) {
      seen.push(this, ...got)
    })
    await bus.emitAndWait('event', ...args)
    assert.equal(seen.length, args.length + 1)
    for (const [index, value] of [bus, ...args].entries()) assert.equal(seen[index], value)
  }
})

test('listeners start in registration order, emissions in emit order, over all buses of the thread', async () => {
  const { log, note } = recorder()
  const [a, b] = [new ParallelEventBus(), new ParallelEventBus()]
  a.on('x', note('a1:'))
  a.on('x', note('a2:'))
  b.on('x', note('b:'))
  a.prependListener('x', note('a0:'))
  a.emit('x', 1)
  b.emit('x', 2)
  a.emit('x', 3)
  await Promise.all([a.idle(), b.idle()])
  assert.deepEqual(log, ['a0:1', 'a1:1', 'a2:1', 'b:2', 'a0:3', 'a1:3', 'a2:3'])
})

test('a nested emit goes to the back of the queue', async () => {
  const { log, note } = recorder()
  const bus = new ParallelEventBus()
  bus.on('outer', (value) => {
    log.push(`outer${value}`)
    if (value === 1) bus.emit('inner')
  })
  bus.on('outer', note('second'))
  bus.on('inner', note('inner'))
  bus.emit('outer', 1)
  bus.emit('outer', 2)
  await bus.idle()
  assert.deepEqual(log, ['outer1', 'second1', 'outer2', 'second2', 'inner'])
})

test('the listeners of an event are those at its emit', async () => {
  const { log, note } = recorder()
  const bus = new ParallelEventBus()
  const early = note('early')
  bus.on('x', early)
  bus.on('x', note('stays'))
  bus.emit('x', 1)
  bus.off('x', early)
  bus.on('x', note('late'))
  bus.emit('x', 2)
  await bus.idle()
  assert.deepEqual(log, ['early1', 'stays1', 'stays2', 'late2'])
})

test('a listener that has taken the place of another hears the next event', async () => {
  const { log, note } = recorder()
  const bus = new ParallelEventBus()
  const [first, last] = [note('first'), note('last')]
  for (const listener of [first, note('stays'), last]) bus.on('x', listener)
  bus.emit('x', 1)
  // As many as before, in the same list.
  bus.off('x', last)
  bus.on('x', note('new'))
  bus.emit('x', 2)
  bus.off('x', first)
  bus.prependListener('x', note('newer'))
  bus.emit('x', 3)
  await bus.idle()
  assert.deepEqual(log, ['first1', 'stays1', 'last1', 'first2', 'stays2', 'new2', 'newer3', 'stays3', 'new3'])
})

test('each queued emission keeps its own listeners through many changes', async () => {
  const bus = new ParallelEventBus({ maxListeners: 0 })
  const seen = []
  const listeners = Array.from({ length: 6 }, (_, index) => (emission) => seen.push([emission, index]))
  const expected = []
  let registered = []
  for (let emission = 0; emission < 200; emission++) {
    const index = emission % listeners.length
    if (registered.includes(index)) {
      bus.off('x', listeners[index])
      registered = registered.filter((each) => each !== index)
    } else if (emission % 5 === 0) {
      bus.prependListener('x', listeners[index])
      registered = [index, ...registered]
    } else {
      bus.on('x', listeners[index])
      registered = [...registered, index]
    }
    expected.push(...registered.map((each) => [emission, each]))
    assert.equal(bus.emit('x', emission), registered.length > 0)
  }
  await bus.idle()
  assert.deepEqual(seen, expected)
})

test('a once listener is claimed by the first emit: it is removed at once and called once', async () => {
  const { log, note } = recorder()
  const bus = new ParallelEventBus()
  const listener = note('once')
  const removed = []
  bus.on('removeListener', (event, fn) => removed.push([event, fn]))
  bus.once('x', listener)
  assert.equal(bus.emit('x', 1), true)
  assert.equal(bus.listenerCount('x'), 0)
  assert.deepEqual(removed, [['x', listener]])
  assert.equal(bus.emit('x', 2), false)
  await bus.idle()
  assert.deepEqual(log, ['once1'])
  assert.equal(bus.getStats().listenersInvoked, 1)
})

test('once listeners stand in their place among the others, and go after the first emit', async () => {
  const { log, note } = recorder()
  const bus = new ParallelEventBus()
  bus.on('x', note('a'))
  bus.once('x', note('b'))
  bus.on('x', note('c'))
  bus.prependOnceListener('x', note('d'))
  bus.emit('x', 1)
  bus.emit('x', 2)
  await bus.idle()
  assert.deepEqual(log, ['d1', 'a1', 'b1', 'c1', 'a2', 'c2'])
})

test('a once listener that emits its own event is not called again', async () => {
  const bus = new ParallelEventBus()
  let calls = 0
  bus.once('x', () => {
    calls++
    bus.emit('x')
  })
  bus.emit('x')
  await bus.idle()
  assert.equal(calls, 1)
})

test('a removeListener listener that throws reaches the emitter, and the event is delivered all the same', async () => {
  const { log, note } = recorder()
  const bus = new ParallelEventBus()
  bus.once('x', note('a'))
  bus.once('x', note('b'))
  bus.on('removeListener', () => {
    throw new Error('from removeListener')
  })
  assert.throws(() => bus.emit('x', 1), /from removeListener/)
  bus.removeAllListeners('removeListener')
  bus.emit('x', 2)
  await bus.idle()
  assert.deepEqual(log, ['a1', 'b1'])
})

test('when removeListener listeners keep throwing, every once listener is removed all the same', () => {
  const bus = new ParallelEventBus()
  for (const listener of [() => {}, () => {}, () => {}]) bus.once('x', listener)
  bus.on('removeListener', (_event, listener) => {
    throw new Error(`from ${typeof listener}`)
  })
  assert.throws(() => bus.emit('x'), /from function/)
  assert.equal(bus.listenerCount('x'), 0)
})

test('newListener and removeListener are delivered synchronously, in the place EventEmitter gives them', () => {
  const run = (emitter) => {
    const log = []
    const listener = () => {}
    emitter.on('newListener', (event, fn) => log.push(['new', event, fn === listener, emitter.listenerCount('x')]))
    emitter.on('removeListener', (event, fn) => log.push(['gone', event, fn === listener, emitter.listenerCount('x')]))
    emitter.on('x', listener)
    emitter.once('x', listener)
    emitter.off('x', listener)
    emitter.removeAllListeners('x')
    return log
  }
  assert.deepEqual(run(new ParallelEventBus()), run(new EventEmitter()))
})

test('a newListener handler that emits does not make the new listener hear it', async () => {
  const { log, note } = recorder()
  const bus = new ParallelEventBus()
  bus.on('x', note('a'))
  bus.on('x', note('b'))
  bus.once('newListener', () => bus.emit('x', 1))
  bus.on('x', note('new'))
  await bus.idle()
  assert.deepEqual(log, ['a1', 'b1'])
})

test('an error that nobody hears is thrown by emit, after its monitors heard of it', () => {
  const bus = new ParallelEventBus()
  const error = new Error('unheard')
  const seen = []
  bus.on(errorMonitor, (value) => seen.push(value))
  assert.throws(
    () => bus.emit('error', error),
    (thrown) => thrown === error,
  )
  assert.deepEqual(seen, [error])
  assert.throws(() => bus.emit('error', 'no error'), { code: 'ERR_UNHANDLED_ERROR' })
  assert.equal(bus.getStats().eventsEmitted, 0)
})

test('an error that is heard is deferred as any event, its monitors first', async () => {
  const { log, note } = recorder()
  const bus = new ParallelEventBus()
  bus.on('error', note('listener'))
  bus.on(errorMonitor, note('monitor'))
  assert.equal(bus.emit('error', 1), true)
  assert.deepEqual(log, [])
  await bus.idle()
  assert.deepEqual(log, ['monitor1', 'listener1'])
})

test('an off made inside a listener holds for emissions that are queued already', async () => {
  const { log, note } = recorder()
  const bus = new ParallelEventBus()
  const other = note('other')
  function first(value) {
    log.push(`first${value}`)
    bus.off('x', first)
    bus.off('x', other)
  }
  bus.on('x', first)
  bus.on('x', other)
  bus.on('x', note('last'))
  for (const value of [1, 2, 3]) bus.emit('x', value)
  const outcome = await bus.emitAndWait('x', 4)
  assert.deepEqual(log, ['first1', 'other1', 'last1', 'last2', 'last3', 'last4'])
  assert.deepEqual(outcome, { success: 1, failed: 0, errors: [] })
})

test('a removal inside a listener takes one registration from each queued emission, the last first', async () => {
  const { log, note } = recorder()
  const bus = new ParallelEventBus()
  const twice = note('twice')
  bus.once('x', () => bus.off('x', twice))
  bus.on('x', twice)
  bus.on('x', note('between'))
  bus.on('x', twice)
  bus.emit('x', 1)
  bus.emit('x', 2)
  await bus.idle()
  assert.deepEqual(log, ['twice1', 'between1', 'twice1', 'twice2', 'between2'])
})

test('removeAllListeners inside a listener empties queued emissions, of one event or of all', async () => {
  for (const args of [['x'], []]) {
    const { log, note } = recorder()
    const bus = new ParallelEventBus()
    bus.on('x', (value) => {
      log.push(`x${value}`)
      bus.removeAllListeners(...args)
    })
    bus.on('x', note('second'))
    bus.on('y', note('y'))
    bus.emit('x', 1)
    bus.emit('x', 2)
    bus.emit('y', 3)
    await bus.idle()
    assert.deepEqual(log, args.length === 1 ? ['x1', 'second1', 'y3'] : ['x1', 'second1'])
    assert.equal(bus.getStats().pending, 0)
  }
})

test('an abort inside a listener removes as off does, for requests too', async () => {
  const bus = new ParallelEventBus()
  const controller = new AbortController()
  let calls = 0
  bus.on('first', () => controller.abort())
  bus.on('x', () => calls++, { signal: controller.signal })
  bus.emit('first')
  bus.emit('x')
  await assert.rejects(bus.request('x'), { code: 'ERR_NO_LISTENERS' })
  await bus.idle()
  assert.equal(calls, 0)
})

test('an error that loses its listeners before its turn is a warning', async () => {
  const bus = new ParallelEventBus()
  const warned = new Promise((resolve) => process.once('warning', resolve))
  let calls = 0
  const listener = () => calls++
  bus.on('error', listener)
  bus.on('first', () => bus.off('error', listener))
  bus.emit('first')
  assert.equal(bus.emit('error', new Error('unheard in the end')), true)
  const { code, detail } = await warned
  assert.equal(code, 'PARALLEL_EVENT_BUS_ERROR_UNHEARD')
  assert.match(detail, /unheard in the end/)
  assert.equal(calls, 0)
})

test('a removal does not hold for events that the same listener, or an earlier one, has emitted', async () => {
  const { log, note } = recorder()
  const bus = new ParallelEventBus()
  const inner = note('inner')
  bus.on('inner', inner)
  bus.on('own', () => {
    bus.emit('inner', 1)
    bus.off('inner', inner)
  })
  bus.emit('own')
  await bus.idle()
  assert.deepEqual(log, ['inner1'], 'a synchronous emitter delivers it before the off')

  bus.on('inner', inner)
  bus.removeAllListeners('own')
  bus.on('first', () => bus.emit('inner', 2))
  bus.on('second', () => bus.off('inner', inner))
  bus.emit('first')
  bus.emit('second')
  await bus.idle()
  assert.deepEqual(log, ['inner1', 'inner2'])
})

test('a removal does not hold for events after it, where the listener is registered again', async () => {
  const { log, note } = recorder()
  const bus = new ParallelEventBus()
  const again = note('again')
  bus.on('x', again)
  bus.on('first', () => {
    bus.off('x', again)
    bus.on('x', again)
    bus.emit('x', 1)
  })
  bus.on('second', () => bus.off('second', again))
  bus.emit('first')
  bus.emit('second')
  await bus.idle()
  assert.deepEqual(log, ['again1'])
})

test('a thousand removals inside a listener stay cheap for a long queue', async () => {
  const bus = new ParallelEventBus({ maxListeners: 0 })
  let calls = 0
  const listeners = Array.from(
    { length: 1000 },
    () =>
      function self() {
        calls++
        bus.off('x', self)
      },
  )
  for (const listener of listeners) bus.on('x', listener)
  for (let emission = 0; emission < 100_000; emission++) bus.emit('x')
  await bus.idle()
  assert.equal(calls, 1000)
})

test('events may be symbols, numbers and odd names', async () => {
  const bus = new ParallelEventBus()
  const seen = []
  for (const event of [Symbol('s'), 7, '', '__proto__', 'constructor', 'hasOwnProperty']) {
    assert.equal(bus.emit(event), false, String(event))
    bus.on(event, () => seen.push(event))
    assert.equal(bus.emit(event), true)
    await bus.idle()
    assert.equal(seen.pop(), event)
  }
})

test('after close emit returns false, an unheard error still throws, and waiting is refused', async () => {
  const bus = new ParallelEventBus()
  let calls = 0
  bus.on('x', () => calls++)
  await bus.close()
  assert.equal(bus.emit('x'), false)
  assert.equal(bus.listenerCount('x'), 0)
  assert.throws(() => bus.emit('error', new Error('lost')), /lost/)
  await assert.rejects(bus.emitAndWait('x'), BusClosedError)
  await assert.rejects(bus.request('x'), { code: 'ERR_BUS_CLOSED' })
  assert.equal(calls, 0)
})
