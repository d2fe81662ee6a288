'use strict'

// The class's own `once` and `on`: a promise of an event, and an iterator over events, that end after all events from
// before the end.

const assert = require('node:assert/strict')
const { EventEmitter, getEventListeners } = require('node:events')
const { test } = require('node:test')
const { setImmediate: turn } = require('node:timers/promises')
const { ParallelEventBus, on, once } = require('../..')

const aborted = (reason) => (error) => {
  assert.deepEqual([error.name, error.code, error.cause], ['AbortError', 'ABORT_ERR', reason])
  return true
}

/** Everything that an iterator gives to its end, and the message of the error that it throws. */
async function drained(iterator) {
  const seen = []
  try {
    for await (const [value] of iterator) seen.push(value)
  } catch (error) {
    seen.push(error.message)
  }
  return seen
}

test('once resolves to the arguments of an event that was emitted before the abort', async () => {
  const bus = new ParallelEventBus()
  const stop = new AbortController()
  const promise = once(bus, 'ready', { signal: stop.signal })
  bus.emit('ready', 1, 2)
  stop.abort()
  assert.deepEqual(await promise, [1, 2])
  assert.deepEqual(bus.eventNames(), [])
  assert.equal(getEventListeners(stop.signal, 'abort').length, 0)
})

test('once rejects with an error that was emitted before the abort', async () => {
  const bus = new ParallelEventBus()
  const stop = new AbortController()
  const promise = once(bus, 'ready', { signal: stop.signal })
  const failure = new Error('failure')
  bus.emit('error', failure)
  stop.abort()
  await assert.rejects(promise, failure)
  assert.deepEqual(bus.eventNames(), [])
})

test('once rejects with an AbortError when nothing came before the abort, and listens no more from then on', async () => {
  const bus = new ParallelEventBus()
  const stop = new AbortController()
  const reason = { why: 'enough' }
  const promise = once(bus, 'ready', { signal: stop.signal })
  stop.abort(reason)
  assert.equal(bus.emit('ready'), false)
  assert.equal(bus.listenerCount('error'), 0)
  await assert.rejects(promise, aborted(reason))
})

test('once leaves nothing on its signal, nor on the bus, however it ends', async () => {
  const bus = new ParallelEventBus()
  const { signal } = new AbortController()
  for (const event of ['ready', 'error']) {
    const promise = once(bus, 'ready', { signal })
    bus.emit(event, new Error('failure'))
    await promise.catch(() => {})
    assert.deepEqual([bus.eventNames(), getEventListeners(signal, 'abort').length], [[], 0], event)
  }
})

test('where a listener cannot be added, once rejects and on throws, and nothing is left', async () => {
  const bus = new ParallelEventBus()
  const { signal } = new AbortController()
  bus.on('newListener', (event) => {
    if (event === 'error') throw new Error('refused')
  })
  await assert.rejects(once(bus, 'ready', { signal }), /refused/)
  assert.throws(() => on(bus, 'ready', { signal }), /refused/)
  assert.deepEqual([bus.eventNames(), getEventListeners(signal, 'abort').length], [['newListener'], 0])
})

test('an abort inside a listener keeps back later events, as with a synchronous emitter', async () => {
  const results = []
  for (const Class of [EventEmitter, ParallelEventBus]) {
    const emitter = new Class()
    const stop = new AbortController()
    emitter.on('stop', () => stop.abort())
    const promise = once(emitter, 'ready', { signal: stop.signal })
    emitter.emit('stop')
    emitter.emit('ready')
    results.push(await promise.catch(({ name }) => name))
  }
  assert.deepEqual(results, ['AbortError', 'AbortError'])
})

/** How a call is refused, at once or by a rejection. */
async function refusalOf(call) {
  try {
    await call()
  } catch ({ name, code, message }) {
    return { name, code, message }
  }
  assert.fail('it was not refused')
}

test('once and on refuse the same as those of node:events, in the same words', async () => {
  const signals = [{ signal: 1 }, { signal: {} }, { signal: null }, { signal: AbortSignal.abort() }]
  const marks = [{ highWaterMark: 'x' }, { lowWaterMark: 0 }]
  for (const [helper, wrong] of Object.entries({ once: signals, on: [...signals, ...marks] })) {
    for (const options of wrong) {
      const bus = new ParallelEventBus()
      const refusal = await refusalOf(() => ParallelEventBus[helper](bus, 'x', options))
      assert.deepEqual(refusal, await refusalOf(() => EventEmitter[helper](new EventEmitter(), 'x', options)))
      assert.deepEqual(bus.eventNames(), [])
    }
  }
  await assert.rejects(once({}, 'x'), { code: 'ERR_INVALID_ARG_TYPE' })
  assert.throws(() => on({}, 'x'), { code: 'ERR_INVALID_ARG_TYPE' })
})

test('once and on take emitters that are no bus, and event targets', async () => {
  for (const target of [new EventEmitter(), new EventTarget()]) {
    const send = (name) => (target.emit ? target.emit(name, { type: name }) : target.dispatchEvent(new Event(name)))
    const iterator = on(target, 'x')
    const promise = once(target, 'x', { signal: new AbortController().signal })
    send('x')
    assert.equal((await promise)[0].type, 'x')
    assert.equal((await iterator.next()).value[0].type, 'x')
    await iterator.return()
  }
})

test('an iterator gives the events from before the abort of its signal, and then throws', async () => {
  const bus = new ParallelEventBus()
  const stop = new AbortController()
  const reason = new Error('enough')
  const iterator = on(bus, 'line', { signal: stop.signal })
  bus.emit('line', 'a')
  bus.emit('line', 'b')
  stop.abort(reason)
  assert.equal(bus.emit('line', 'c'), false)
  const seen = []
  await assert.rejects(async () => {
    for await (const [value] of iterator) seen.push(value)
  }, aborted(reason))
  assert.deepEqual(seen, ['a', 'b'])
  assert.equal(getEventListeners(stop.signal, 'abort').length, 0)
})

test('promises of an iterator get the events from before return(), the others are told that it is done', async () => {
  const bus = new ParallelEventBus()
  const iterator = on(bus, 'line')
  const promises = [iterator.next(), iterator.next(), iterator.next()]
  bus.emit('line', 'a')
  bus.emit('line', 'b')
  const ended = iterator.return()
  assert.equal(bus.emit('line', 'c'), false)
  assert.deepEqual(await Promise.all(promises), [
    { value: ['a'], done: false },
    { value: ['b'], done: false },
    { value: undefined, done: true },
  ])
  assert.deepEqual(await ended, { value: undefined, done: true })
  assert.deepEqual(await iterator.next(), { value: undefined, done: true })
  assert.deepEqual(await iterator.return(), { value: undefined, done: true })
})

test('an iterator gives the events from before throw(), and then throws its error', async () => {
  const bus = new ParallelEventBus()
  const iterator = on(bus, 'line')
  bus.emit('line', 'a')
  bus.emit('line', 'b')
  iterator.throw(new Error('enough'))
  assert.equal(bus.emit('line', 'c'), false)
  assert.deepEqual(await drained(iterator), ['a', 'b', 'enough'])
  assert.deepEqual(await iterator.next(), { value: undefined, done: true })
  assert.throws(() => on(bus, 'line').throw('enough'), { code: 'ERR_INVALID_ARG_TYPE' })
})

test('an iterator ends at an error and at an event of `close`, and leaves nothing behind', async () => {
  const bus = new ParallelEventBus()
  const { signal } = new AbortController()
  const [failing, closing] = [on(bus, 'line', { signal }), on(bus, 'line', { signal, close: ['end', 'stop'] })]
  bus.emit('line', 1)
  bus.emit('stop')
  bus.emit('line', 2)
  bus.emit('error', new Error('failure'))
  bus.emit('line', 3)
  assert.deepEqual(await drained(closing), [1])
  assert.deepEqual(await drained(failing), [1, 2, 'failure'])
  assert.deepEqual([bus.eventNames(), getEventListeners(signal, 'abort').length], [[], 0])
})

test('a break out of an iterator leaves nothing behind', async () => {
  const bus = new ParallelEventBus()
  const { signal } = new AbortController()
  for (const value of [1, 2, 3]) setImmediate(() => bus.emit('line', value))
  const seen = []
  for await (const [value] of on(bus, 'line', { signal })) {
    seen.push(value)
    if (value === 2) break
  }
  assert.deepEqual([seen, bus.eventNames(), getEventListeners(signal, 'abort').length], [[1, 2], [], 0])
})

test('an iterator pauses and resumes a bus that can be paused', async () => {
  const log = []
  class Pausable extends ParallelEventBus {
    pause() {
      log.push('pause')
    }
    resume() {
      log.push('resume')
    }
  }
  const bus = new Pausable()
  const iterator = on(bus, 'line', { highWaterMark: 2, lowWaterMark: 1 })
  for (const value of [1, 2, 3]) bus.emit('line', value)
  await bus.idle()
  assert.deepEqual(log, ['pause'])
  for (let left = 3; left > 0; left--) await iterator.next()
  assert.deepEqual(log, ['pause', 'resume'])
})

test('on a channel, events of another bus of the thread from before the end arrive, too', async () => {
  const buses = Array.from({ length: 2 }, () => new ParallelEventBus({ channel: 'helpers' }))
  const [here, there] = buses
  const stop = new AbortController()
  const promise = once(here, 'ready', { signal: stop.signal })
  const iterator = on(here, 'line', { signal: stop.signal })
  there.emit('ready', 1)
  for (let value = 0; value < 3000; value++) there.emit('line', value)
  stop.abort()
  assert.deepEqual(await promise, [1])
  const seen = await drained(iterator)
  assert.equal(seen.pop(), 'The operation was aborted')
  assert.deepEqual(
    seen,
    Array.from({ length: 3000 }, (_, value) => value),
  )
  await Promise.all(buses.map((bus) => bus.close()))
})

test('an end on a channel leaves no member of a channel behind', async () => {
  const native = require('../../native.js')
  const bus = new ParallelEventBus({ channel: 'helpers' })
  const { members } = native.counters()
  for (let round = 0; round < 20; round++) await on(bus, 'line').return()
  while (native.counters().members > members) await turn()
  await bus.close()
})
