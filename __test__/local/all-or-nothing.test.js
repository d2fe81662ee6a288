'use strict'

// Handlers of `newListener` and `removeListener` that throw, and signals that abort at the wrong moment, leave no half of
// a registration behind.

const assert = require('node:assert/strict')
const { getEventListeners, EventEmitter } = require('node:events')
const { test } = require('node:test')
const { ParallelEventBus } = require('../..')

/** Two buses of one channel. */
function pair(t) {
  const channel = t.name
  const buses = [new ParallelEventBus({ channel, onError() {} }), new ParallelEventBus({ channel, onError() {} })]
  t.after(() => Promise.all(buses.map((bus) => bus.close())))
  return buses
}

const refuse = () => {
  throw new Error('refused')
}
const refused = { message: 'refused' }

test('a listener that a newListener handler refuses is not registered, on a channel neither, and leaves no signal behind', async (t) => {
  const [here, there] = pair(t)
  const { signal } = new AbortController()
  here.on('newListener', refuse)
  for (const method of ['on', 'once', 'prependListener', 'prependOnceListener']) {
    assert.throws(() => here[method]('x', () => {}, { signal, timeout: 60_000 }), refused)
  }
  assert.equal(here.listenerCount('x'), 0)
  assert.equal(getEventListeners(signal, 'abort').length, 0)
  assert.deepEqual(await there.emitAndWait('x'), { success: 0, failed: 0, errors: [] })
  here.removeAllListeners('newListener')
  here.once('x', () => {})
  assert.deepEqual([here.emit('x'), here.emit('x')], [true, false], 'nothing is counted twice')
})

test('a listener that was removed is not called any more although a removeListener handler threw', async (t) => {
  const [here, there] = pair(t)
  const { signal } = new AbortController()
  let calls = 0
  const listener = () => calls++
  const ways = [
    () => here.off('x', listener),
    () => here.removeListener('x', listener),
    () => here.removeAllListeners('x'),
    () => here.removeAllListeners(),
  ]
  for (const remove of ways) {
    here.on('x', listener, { signal })
    here.on('removeListener', refuse)
    assert.throws(remove, refused)
    assert.equal(here.listenerCount('x'), 0)
    assert.deepEqual(await there.emitAndWait('x'), { success: 0, failed: 0, errors: [] })
    assert.equal(getEventListeners(signal, 'abort').length, 0)
  }
  assert.equal(calls, 0)
})

test('close() resolves, and removes every listener, although removeListener handlers throw', async (t) => {
  const told = []
  const bus = new ParallelEventBus({ channel: t.name, onError: (event, error) => told.push([event, error.message]) })
  for (const event of ['x', 'x', 'y', Symbol('z')]) bus.on(event, () => {})
  bus.once('x', () => {})
  bus.on('removeListener', refuse)
  await bus.close()
  assert.deepEqual(bus.eventNames(), [])
  assert.deepEqual(told, new Array(5).fill(['removeListener', 'refused']))
})

test('a listener over the limit is registered also where the warning fails', async (t) => {
  const { emitWarning } = process
  t.after(() => {
    process.emitWarning = emitWarning
  })
  process.emitWarning = refuse
  const count = (Emitter) => {
    const emitter = new Emitter().setMaxListeners(1)
    emitter.on('x', () => {})
    assert.throws(() => emitter.once('x', () => {}), refused)
    return emitter.listenerCount('x')
  }
  assert.equal(count(ParallelEventBus), count(EventEmitter))
})

test('a listener is not there if its signal aborts while it is being added', async () => {
  const bus = new ParallelEventBus()
  const controller = new AbortController()
  bus.once('newListener', () => controller.abort())
  bus.on('x', () => {}, { signal: controller.signal })
  assert.equal(bus.emit('x'), false)
})

test('an abort is heard although another listener of the signal stops it', async () => {
  const bus = new ParallelEventBus()
  const controller = new AbortController()
  controller.signal.addEventListener('abort', (event) => event.stopImmediatePropagation())
  bus.on('x', () => {}, { signal: controller.signal })
  bus.on('slow', () => new Promise(() => {}))
  const view = bus.with({ signal: controller.signal })
  const waiting = [view.emitAndWait('slow'), view.request('slow')]
  controller.abort(new Error('enough'))
  assert.equal(bus.listenerCount('x'), 0)
  for (const each of waiting) await assert.rejects(each, /enough/)
})

test('a function of rawListeners keeps its options where it is registered again', async () => {
  const bus = new ParallelEventBus()
  const controller = new AbortController()
  let calls = 0
  bus.once('x', () => calls++, { signal: controller.signal })
  const saved = bus.rawListeners('x')
  bus.removeAllListeners('x')
  for (const raw of saved) bus.on('x', raw)
  assert.deepEqual(bus.rawListeners('x'), saved, 'it is the same one')
  assert.equal(getEventListeners(controller.signal, 'abort').length, 1)

  for (const raw of saved) bus.on('y', raw)
  assert.equal(bus.listenerCount('y'), 1)
  bus.off('y', saved[0])
  assert.equal(bus.listenerCount('y'), 0, 'and is found by it')

  assert.deepEqual([bus.emit('x'), bus.emit('x')], [true, false])
  for (const raw of saved) bus.on('x', raw)
  controller.abort()
  assert.equal(bus.emit('x'), false)
  await bus.idle()
  assert.equal(calls, 1)
})

test('a once listener gets the next event if its first was cancelled, or was late, before it started', async () => {
  const bus = new ParallelEventBus({ onError() {} })
  const hold = () => {
    for (const end = performance.now() + 5; performance.now() < end; );
  }
  bus.on('hold', hold)
  const takeBack = {
    abort: (event) => {
      const controller = new AbortController()
      bus.with({ signal: controller.signal }).emit(event, 'taken back')
      controller.abort()
    },
    'abort by a listener before': (event) => {
      const controller = new AbortController()
      bus.once(event, () => controller.abort())
      bus.prependOnceListener(event, () => controller.abort())
      bus.with({ signal: controller.signal }).emit(event, 'taken back')
    },
    time: (event) => {
      bus.emit('hold')
      bus.with({ timeout: 1 }).emit(event, 'late')
    },
  }
  for (const [event, act] of Object.entries(takeBack)) {
    const heard = []
    bus.once(event, (value) => heard.push(value))
    act(event)
    await bus.idle()
    if (event !== 'abort by a listener before') assert.deepEqual(heard, [], event)
    bus.emit(event, 'real')
    assert.equal(bus.listenerCount(event), 0)
    await bus.idle()
  }
})
