'use strict'

// Constructing a bus and registering listeners: EventEmitter's contract, and the options that `on` has besides.

const assert = require('node:assert/strict')
const events = require('node:events')
const { test } = require('node:test')
const { ParallelEventBus, createParallelEventBus, ListenerTimeoutError } = require('../..')

const { EventEmitter } = events

test('a bus is an EventEmitter, with its statics', () => {
  const bus = createParallelEventBus()
  assert.ok(bus instanceof ParallelEventBus && bus instanceof EventEmitter)
  assert.equal(ParallelEventBus.errorMonitor, EventEmitter.errorMonitor)
  assert.equal(ParallelEventBus.getEventListeners, EventEmitter.getEventListeners)
})

test('constructor options that are wrong are refused with the codes of Node', () => {
  const type = { name: 'TypeError', code: 'ERR_INVALID_ARG_TYPE' }
  for (const options of [
    null,
    5,
    'text',
    [],
    { onError: 5 },
    { onError: null },
    { maxListeners: '5' },
    { captureRejections: 1 },
  ]) {
    assert.throws(() => new ParallelEventBus(options), type)
    assert.throws(() => createParallelEventBus(options), type)
  }
  for (const maxListeners of [-1, Number.NaN]) {
    assert.throws(() => new ParallelEventBus({ maxListeners }), { name: 'RangeError', code: 'ERR_OUT_OF_RANGE' })
  }
  assert.doesNotThrow(() => new ParallelEventBus({ onError: undefined, maxListeners: undefined }))
})

test('unknown options are refused with the name that was probably meant', async () => {
  const bus = new ParallelEventBus()
  const refused = {
    "'options.chanel' is unknown. Did you mean 'channel'?": () => new ParallelEventBus({ chanel: 'orders' }),
    "'options.colour' is unknown. Known are captureRejections, channel,": () => createParallelEventBus({ colour: 1 }),
    "'options.mailbox.maxMessage' is unknown. Did you mean 'maxMessages'?": () =>
      new ParallelEventBus({ channel: 'orders', mailbox: { maxMessage: 5 } }),
    "'bounds.timeOut' is unknown. Did you mean 'timeout'?": () => bus.with({ timeOut: 5 }),
    "'options.singal' is unknown. Did you mean 'signal'?": () => bus.on('x', () => {}, { singal: undefined }),
    "'options.timeouts' is unknown. Did you mean 'timeout'?": () =>
      bus.prependOnceListener('x', () => {}, { timeouts: 5 }),
  }
  for (const [message, act] of Object.entries(refused)) {
    assert.throws(act, (error) => error.code === 'ERR_INVALID_ARG_VALUE' && error.message.includes(message))
  }
  assert.deepEqual(bus.eventNames(), [])
  class Sub extends ParallelEventBus {}
  assert.doesNotThrow(() => new Sub({ channels: ['of its own'] }))
})

test('options that need a channel say so', () => {
  for (const options of [{ group: 'scorers' }, { mailbox: {} }, { stallAfter: 5 }]) {
    assert.throws(() => new ParallelEventBus(options), {
      code: 'ERR_INVALID_ARG_VALUE',
      message: /needs a channel: new ParallelEventBus\(\{ channel: 'orders' \}\)/,
    })
  }
})

test('maxListeners is 55 unless told otherwise, and 0 is no limit', async () => {
  assert.equal(new ParallelEventBus().getMaxListeners(), 55)
  assert.equal(new ParallelEventBus({ maxListeners: 3 }).getMaxListeners(), 3)
  const warned = []
  const listen = (warning) => warning.name === 'MaxListenersExceededWarning' && warned.push(warning.count)
  process.on('warning', listen)
  const [limited, unlimited] = [new ParallelEventBus({ maxListeners: 2 }), new ParallelEventBus({ maxListeners: 0 })]
  for (let count = 0; count < 100; count++) {
    // A pending emission makes each registration change a copy of the list: it is still warned of once.
    limited.emit('x')
    limited.on('x', () => {})
    unlimited.on('x', () => {})
  }
  await limited.idle()
  process.off('warning', listen)
  assert.deepEqual(warned, [3])
})

test('defaultMaxListeners is for buses made afterwards, and leaves the default of EventEmitter alone', (t) => {
  const { defaultMaxListeners: before } = ParallelEventBus
  t.after(() => {
    ParallelEventBus.defaultMaxListeners = before
  })
  assert.equal(before, 55)
  const made = new ParallelEventBus()
  ParallelEventBus.defaultMaxListeners = 7
  assert.equal(new ParallelEventBus().getMaxListeners(), 7)
  ParallelEventBus.setMaxListeners(8)
  assert.equal(ParallelEventBus.defaultMaxListeners, 8)
  assert.equal(new (class extends ParallelEventBus {})().getMaxListeners(), 8)
  assert.equal(made.getMaxListeners(), 55)
  assert.equal(EventEmitter.defaultMaxListeners, 10)
  ParallelEventBus.setMaxListeners(9, made)
  assert.deepEqual([made.getMaxListeners(), ParallelEventBus.defaultMaxListeners], [9, 8])
  assert.throws(() => ParallelEventBus.setMaxListeners('x'), { code: 'ERR_INVALID_ARG_TYPE' })
  assert.throws(() => ParallelEventBus.setMaxListeners(-1), { code: 'ERR_OUT_OF_RANGE' })
})

test('listeners that are no functions are refused by every way to register', () => {
  const bus = new ParallelEventBus()
  for (const method of [
    'on',
    'addListener',
    'once',
    'prependListener',
    'prependOnceListener',
    'off',
    'removeListener',
  ]) {
    for (const listener of [undefined, null, 5, 'text', {}]) {
      const code = 'ERR_INVALID_ARG_TYPE'
      assert.throws(() => bus[method]('x', listener), { name: 'TypeError', code }, `${method}(${listener})`)
      if (!method.includes('emove') && method !== 'off') {
        assert.throws(() => bus[method]('x', listener, { timeout: 5 }), { name: 'TypeError', code })
      }
    }
  }
  assert.deepEqual(bus.eventNames(), [])
})

test('listener options that are wrong are refused and register nothing', () => {
  const bus = new ParallelEventBus()
  for (const method of ['on', 'addListener', 'once', 'prependListener', 'prependOnceListener']) {
    for (const options of [{ signal: 5 }, { timeout: '5' }, { once: 1 }]) {
      // `once` has that one by itself.
      if (method.includes('nce') && 'once' in options) continue
      assert.throws(() => bus[method]('x', () => {}, options), { code: 'ERR_INVALID_ARG_TYPE' })
    }
    assert.throws(() => bus[method]('x', () => {}, { timeout: -5 }), { code: 'ERR_OUT_OF_RANGE' })
  }
  assert.deepEqual(bus.eventNames(), [])
})

test("registration keeps EventEmitter's own books", () => {
  const run = (emitter) => {
    const [a, b, c] = [() => {}, () => {}, () => {}]
    const names = new Map([
      [a, 'a'],
      [b, 'b'],
      [c, 'c'],
    ])
    const books = () => ({
      names: emitter.eventNames(),
      count: emitter.listenerCount('x'),
      listeners: emitter.listeners('x').map((each) => names.get(each)),
      raw: emitter.rawListeners('x').map((each) => names.get(each) ?? names.get(each.listener)),
      kept: typeof emitter._events.x,
      prototype: Object.getPrototypeOf(emitter._events),
    })
    const log = [books()]
    const step = (method, ...args) => {
      assert.equal(emitter[method](...args), emitter)
      log.push(books())
    }
    step('on', 'x', a)
    step('once', 'x', b)
    step('prependListener', 'x', c)
    step('prependOnceListener', 'x', a)
    step('off', 'x', a)
    step('removeListener', 'x', b)
    step('addListener', Symbol.iterator, b)
    step('off', 'x', () => {})
    step('removeAllListeners', 'x')
    step('removeAllListeners')
    return log
  }
  assert.deepEqual(run(new ParallelEventBus()), run(new EventEmitter()))
})

test('the once and on of node:events work with a bus', async () => {
  const bus = new ParallelEventBus()
  const first = events.once(bus, 'x')
  bus.emit('x', 1, 2)
  assert.deepEqual(await first, [1, 2])
  const failing = events.once(bus, 'x')
  bus.emit('error', new Error('stop'))
  await assert.rejects(failing, /stop/)

  const controller = new AbortController()
  const seen = []
  const reading = (async () => {
    for await (const [value] of events.on(bus, 'y', { signal: controller.signal })) {
      seen.push(value)
      if (seen.length === 3) controller.abort()
    }
  })()
  for (let value = 0; value < 3; value++) bus.emit('y', value)
  await assert.rejects(reading, { name: 'AbortError' })
  assert.deepEqual(seen, [0, 1, 2])
  assert.equal(bus.listenerCount('y'), 0)
})

test('a wrapper with a listener property is found by off, as in EventEmitter', async () => {
  const bus = new ParallelEventBus()
  const original = () => {}
  const wrapper = () => original()
  wrapper.listener = original
  bus.on('x', wrapper)
  bus.off('x', original)
  assert.equal(bus.listenerCount('x'), 0)
})

test('{ once } is once', async () => {
  const bus = new ParallelEventBus()
  let calls = 0
  const listener = () => calls++
  bus.on('x', listener, { once: true })
  bus.prependListener('x', listener, { once: true })
  assert.deepEqual(bus.listeners('x'), [listener, listener])
  bus.emit('x')
  bus.emit('x')
  await bus.idle()
  assert.equal(calls, 2)
  bus.on('x', listener, { once: true })
  bus.off('x', listener)
  assert.equal(bus.emit('x'), false)
})

test('the rawListeners function of a once listener removes and calls it, once', () => {
  const bus = new ParallelEventBus()
  const calls = []
  bus.once('x', function listener(value) {
    calls.push([this === bus, value])
    return 'result'
  })
  const [raw] = bus.rawListeners('x')
  assert.equal(raw.call(bus, 5), 'result')
  assert.equal(raw.call(bus, 6), undefined)
  assert.deepEqual(calls, [[true, 5]])
  assert.equal(bus.listenerCount('x'), 0)
})

test('{ signal } removes the listener on abort, and lets go of a removed one', async () => {
  const bus = new ParallelEventBus()
  const waiting = ({ signal }) => events.getEventListeners(signal, 'abort').length
  let calls = 0
  const listener = () => calls++
  const [claimed, off, all, aborted] = Array.from({ length: 4 }, () => new AbortController())
  bus.once('x', listener, { signal: claimed.signal })
  bus.on('y', listener, { signal: off.signal })
  bus.on('z', listener, { signal: all.signal })
  bus.on('x', listener, { signal: aborted.signal })
  bus.emit('x')
  assert.equal(waiting(claimed), 0, 'the once listener was claimed')
  bus.off('y', () => {})
  assert.equal(waiting(off), 1, 'another function was removed')
  bus.off('y', listener)
  assert.equal(waiting(off), 0)
  bus.removeAllListeners('z')
  assert.equal(waiting(all), 0)
  aborted.abort()
  assert.equal(bus.listenerCount('x'), 0)
  await bus.idle()
  assert.equal(calls, 2, 'an abort after the emit does not take the event back')
  bus.on('x', listener, { signal: aborted.signal })
  assert.equal(bus.listenerCount('x'), 0, 'an aborted signal registers nothing')
})

test('one signal for very many listeners and emissions is listened to once', async () => {
  const bus = new ParallelEventBus({ maxListeners: 0 })
  const controller = new AbortController()
  const { signal } = controller
  const view = bus.with({ signal })
  for (let n = 0; n < 20_000; n++) {
    bus.on(`x${n}`, () => {}, { signal })
    view.emit('x0')
  }
  assert.equal(events.getEventListeners(signal, 'abort').length, 1)
  await bus.idle()
  controller.abort()
  assert.deepEqual(bus.eventNames(), [])
  assert.equal(events.getEventListeners(signal, 'abort').length, 0)
})

test('the wrapper of one event has nothing to do with another event', () => {
  const bus = new ParallelEventBus()
  const controller = new AbortController()
  bus.once('x', () => {})
  bus.on('z', () => {}, { signal: controller.signal })
  bus.off('y', bus.rawListeners('x')[0])
  bus.off('y', bus.rawListeners('z')[0])
  assert.deepEqual([bus.emit('x'), bus.emit('x')], [true, false])
  controller.abort()
  assert.equal(bus.listenerCount('z'), 0)
})

test('a function of rawListeners is a listener of the event, and the bus, that it is passed to', async () => {
  const heard = []
  const from = new ParallelEventBus()
  from.once('x', (value) => heard.push(`once ${value}`))
  from.on('x', (value) => heard.push(`limited ${value}`), { timeout: 60_000 })
  const channel = 'what rawListeners shows'
  const [to, other] = [new ParallelEventBus({ channel }), new ParallelEventBus({ channel })]
  for (const raw of from.rawListeners('x')) to.on('y', raw)
  assert.deepEqual([other.emit('x', 1), other.emit('y', 2)], [false, true])
  await other.idle()
  assert.equal(to.emit('y', 3), true)
  await to.idle()
  assert.deepEqual(heard, ['once 2', 'limited 2', 'limited 3'])
  await Promise.all([other.close(), to.close()])
})

test('an event may be a number: it is the event of that name', async () => {
  const bus = new ParallelEventBus()
  let calls = 0
  bus.once(5, () => calls++)
  assert.deepEqual([bus.emit('5'), bus.emit(5)], [true, false])
  bus.once('5', () => calls++)
  assert.deepEqual([bus.emit(5), bus.emit('5')], [true, false])
  const listener = () => calls++
  bus.on('first', () => bus.off(6, listener))
  bus.on('6', listener)
  bus.emit('first')
  bus.emit('6')
  bus.emit(6)
  await bus.idle()
  assert.equal(calls, 2)
})

test('{ signal } removes its own listener, not another of the same function', () => {
  const bus = new ParallelEventBus()
  const controller = new AbortController()
  const listener = () => {}
  bus.on('x', listener, { signal: controller.signal, timeout: 5 })
  bus.on('x', listener)
  controller.abort()
  assert.deepEqual(bus.rawListeners('x'), [listener])
})

test('{ signal } of one registration has nothing to do with another of the same function', () => {
  const bus = new ParallelEventBus()
  const [a, b] = [new AbortController(), new AbortController()]
  const listener = () => {}
  bus.on('x', listener, { signal: a.signal })
  bus.on('y', listener, { signal: b.signal })
  bus.off('x', listener)
  assert.equal(events.getEventListeners(a.signal, 'abort').length, 0)
  b.abort()
  assert.deepEqual(bus.eventNames(), [])
})

test('{ timeout } fails a listener that is too slow, from its own start', async () => {
  const bus = new ParallelEventBus({ onError() {} })
  bus.on('x', () => new Promise(() => {}), { timeout: 5 })
  bus.on('x', async () => 5, { timeout: 1000 })
  bus.on('x', () => 5, { timeout: 1000 })
  bus.once('x', () => new Promise(() => {}), { timeout: 5 })
  const timers = () => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length
  const before = timers()
  const { success, failed, errors } = await bus.emitAndWait('x')
  assert.deepEqual([success, failed], [2, 2])
  assert.equal(timers(), before, 'a listener that settled leaves no timer behind')
  assert.ok(errors.every((error) => error instanceof ListenerTimeoutError && error.timeout === 5))
  assert.equal(bus.listenerCount('x'), 3)
})
