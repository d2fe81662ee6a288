'use strict'

// `propagate`: a context of the program's own goes with its events to their listeners, in every thread.

const assert = require('node:assert/strict')
const { AsyncLocalStorage } = require('node:async_hooks')
const { ParallelEventBus } = require('../..')
const { stage, test, until, warnings } = require('../fixtures/stage.js')

const CODE = 'PARALLEL_EVENT_BUS_PROPAGATION_FAILED'
const FAR = 'far '.repeat(30_000)

/** A `propagate` over an AsyncLocalStorage, with all it was told. */
function propagating(storage = new AsyncLocalStorage()) {
  const injected = []
  const extracted = []
  const propagate = {
    inject(about) {
      injected.push(about)
      return storage.getStore()
    },
    extract(headers, run, about) {
      extracted.push({ headers, ...about })
      return storage.run(headers, run)
    },
  }
  return { storage, injected, extracted, propagate }
}

/** A thread whose listeners return what is in its storage. */
const replying = ({ AsyncLocalStorage, ParallelEventBus, channel }) => {
  const storage = new AsyncLocalStorage()
  const propagate = {
    inject: () => storage.getStore(),
    extract: (headers, run) => storage.run({ ...headers, hop: `${Number(headers.hop ?? 0) + 1}` }, run),
  }
  const bus = new ParallelEventBus({ channel, propagate })
  bus.on('where', () => storage.getStore())
  bus.on('once', () => storage.getStore(), { once: true })
  bus.on('grouped', () => storage.getStore(), { group: 'g' })
  bus.on('on', () => bus.request('back'))
  bus.on('plain', () => bus.emit('heard', storage.getStore()))
}

test('headers of the emit come to the listeners of other threads, and from there back', async (t) => {
  const { storage, propagate } = propagating()
  const { bus, startOne } = stage(t, { propagate })
  await startOne(replying)
  const trace = { trace: 'a', baggage: 'ü' }
  bus.on('back', () => storage.getStore())
  await storage.run(trace, async () => {
    for (const args of [['where'], ['where', FAR], ['once'], ['grouped'], ['where', new SharedArrayBuffer(8)]]) {
      assert.deepEqual(await bus.request(...args), { ...trace, hop: '1' }, args[0])
    }
    assert.deepEqual(await bus.request('on'), { ...trace, hop: '1' })
  })
  assert.deepEqual(await bus.request('where'), { hop: '1' }, 'without headers')
  const heard = []
  bus.on('heard', (headers) => heard.push(headers))
  for (const name of ['a', 'b', 'c']) storage.run({ trace: name }, () => bus.emit('plain'))
  await until(() => heard.length === 3)
  assert.deepEqual(
    heard.map(({ trace }) => trace),
    ['a', 'b', 'c'],
  )
})

test('inject is called once for each event that somebody gets, extract for each listener', async (t) => {
  const { injected, extracted, propagate } = propagating()
  const { bus, startOne } = stage(t, { propagate })
  await startOne(({ bus }) => bus.on('both', () => {}))
  const [one, other] = [() => 1, async () => 2]
  bus.on('both', one)
  bus.on('both', other)
  bus.on('here', one)
  await bus.emitAndWait('both', 5)
  await bus.request('here')
  bus.emit('nobody')
  await bus.idle()
  assert.deepEqual(injected, [
    { bus, event: 'both', args: [5] },
    { bus, event: 'here', args: [] },
  ])
  const about = extracted.map(({ waited, ...rest }) => rest)
  assert.ok(extracted.every(({ waited }) => waited >= 0))
  assert.deepEqual(about, [
    { headers: {}, bus, event: 'both', args: [5], listener: one },
    { headers: {}, bus, event: 'both', args: [5], listener: other },
    { headers: {}, bus, event: 'here', args: [], listener: one },
  ])
})

test('extract is told how long the call of the listener has waited, where the emitter tells', async (t) => {
  const { bus, join, startOne } = stage(t)
  const waits = []
  const extract = (_headers, run, { waited }) => {
    waits.push(waited)
    return run()
  }
  const listening = join({ propagate: { inject: () => null, extract } })
  listening.on('x', () => {})
  bus.emit('x')
  await bus.idle()
  assert.deepEqual(waits, [undefined], 'of a bus that neither propagates nor records times')
  listening.emit('x')
  await listening.idle()
  await startOne(
    async ({ bus }) => {
      bus.emit('x')
      await bus.idle()
    },
    { options: { recordTiming: true } },
  )
  assert.equal(waits.length, 3)
  assert.ok(waits.slice(1).every((waited) => waited >= 0))
})

test('extract is given what the listener returns, and its errors, and changes neither', async () => {
  const results = []
  const failure = new Error('thrown')
  const bus = new ParallelEventBus({
    onError() {},
    propagate: {
      inject: () => ({}),
      extract(_headers, run) {
        try {
          results.push(run())
        } catch (error) {
          results.push(error)
        }
        return 'something else'
      },
    },
  })
  const promise = Promise.resolve(7)
  bus.on('x', () => promise)
  bus.on('x', () => {
    throw failure
  })
  assert.deepEqual(await bus.emitAndWait('x'), { success: 1, failed: 1, errors: [failure] })
  assert.equal(await bus.request('x'), 7)
  assert.deepEqual([results[0] === promise, results[1] === failure, await results[2]], [true, true, 7])
})

test('what inject or extract does wrong is a warning, and the event goes on', async (t) => {
  const heard = warnings(t)
  const wrong = {
    throws: () => {
      throw new Error('on purpose')
    },
    'no object': () => 'headers',
    'no strings': () => ({ a: 1 }),
    'too much': () => ({ a: 'x'.repeat(8192) }),
  }
  for (const [name, inject] of Object.entries(wrong)) {
    const seen = []
    const bus = new ParallelEventBus({ propagate: { inject, extract: (headers, run) => seen.push(headers) && run() } })
    bus.on('x', () => {})
    assert.deepEqual(await bus.emitAndWait('x'), { success: 1, failed: 0, errors: [] }, name)
    assert.deepEqual(seen, [{}])
  }
  const extracts = {
    throws: () => {
      throw new Error('on purpose')
    },
    'throws later': (_headers, run) => {
      run()
      throw new Error('on purpose')
    },
    'calls twice': (_headers, run) => run() + run(),
    'calls never': () => {},
    'calls late': (_headers, run) => setImmediate(run),
  }
  for (const [name, extract] of Object.entries(extracts)) {
    let calls = 0
    const bus = new ParallelEventBus({ propagate: { inject: () => ({}), extract } })
    bus.on('x', (value) => {
      calls++
      return value
    })
    assert.equal(await bus.request('x', name), name)
    await new Promise(setImmediate)
    assert.equal(calls, 1, name)
  }
  await until(() => heard.length === 6)
  assert.deepEqual(new Set(heard.map(({ code }) => code)), new Set([CODE]))
})

test('many failures are few warnings', async (t) => {
  const heard = warnings(t)
  const bus = new ParallelEventBus({ propagate: { inject: () => 1, extract: (_headers, run) => run() } })
  bus.on('x', () => {})
  for (let count = 0; count < 100; count++) bus.emit('x')
  await bus.idle()
  await until(() => heard.length === 3)
})

test('removals, once and this hold for listeners with a context', async () => {
  const { propagate } = propagating()
  const bus = new ParallelEventBus({ propagate })
  const log = []
  const removed = () => log.push('removed')
  bus.once('x', function first() {
    log.push(this === bus)
    bus.off('x', removed)
  })
  bus.on('x', removed)
  bus.emit('x')
  bus.emit('x')
  await bus.idle()
  assert.deepEqual(log, [true, 'removed'], 'as without')
  assert.equal(bus.listenerCount('x'), 0)
})

test('propagate has two functions', () => {
  for (const propagate of [1, {}, { inject() {} }, { inject() {}, extract: 1 }]) {
    assert.throws(() => new ParallelEventBus({ propagate }), { code: 'ERR_INVALID_ARG_TYPE' })
  }
})
