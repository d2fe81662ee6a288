'use strict'

// emitAndWait, request, and the bounds that `with` puts on them.

const assert = require('node:assert/strict')
const { EventEmitter, errorMonitor } = require('node:events')
const { test } = require('node:test')
const { setImmediate: turn } = require('node:timers/promises')
const { ParallelEventBus, ListenerTimeoutError, NoListenersError } = require('../..')

/** A promise and the functions that settle it. */
function deferred() {
  const parts = {}
  parts.promise = new Promise((resolve, reject) => Object.assign(parts, { resolve, reject }))
  return parts
}

const quiet = { onError() {} }

test('emitAndWait resolves when every listener has settled, with exactly success, failed and errors', async () => {
  const bus = new ParallelEventBus(quiet)
  const gate = deferred()
  const [first, second] = [new Error('first'), new Error('second')]
  bus.on('x', async () => {
    await gate.promise
    throw first
  })
  bus.on('x', () => {})
  bus.on('x', () => {
    throw second
  })
  bus.on('x', async () => 5)
  let settled = false
  const outcome = bus.emitAndWait('x').finally(() => {
    settled = true
  })
  await turn()
  await turn()
  assert.equal(settled, false)
  gate.resolve()
  assert.deepEqual(await outcome, { success: 2, failed: 2, errors: [first, second] }, 'errors in listener order')
})

test('listeners run at the same time', async () => {
  const bus = new ParallelEventBus()
  const gate = deferred()
  let running = 0
  for (let listener = 0; listener < 3; listener++) {
    bus.on('x', async () => {
      // Only when all three have started does any of them end.
      if (++running === 3) gate.resolve()
      await gate.promise
    })
  }
  assert.equal((await bus.emitAndWait('x')).success, 3)
})

test('emitAndWait without listeners is all zeros; an unheard error rejects as emit throws', async () => {
  const bus = new ParallelEventBus()
  assert.deepEqual(await bus.emitAndWait('x'), { success: 0, failed: 0, errors: [] })
  const error = new Error('unheard')
  const monitored = []
  bus.on(errorMonitor, (value) => monitored.push(value))
  await assert.rejects(bus.emitAndWait('error', error), (thrown) => thrown === error)
  assert.deepEqual(monitored, [error])
  await assert.rejects(bus.emitAndWait('error', 5), { code: 'ERR_UNHANDLED_ERROR' })
  bus.on('error', () => {})
  assert.deepEqual(await bus.emitAndWait('error', error), { success: 1, failed: 0, errors: [] })
})

test('success and failed add up to the listeners addressed, for any mixture', async () => {
  const bus = new ParallelEventBus({ ...quiet, maxListeners: 0 })
  const kinds = [
    () => {},
    async () => {},
    () => {
      throw 1
    },
    () => Promise.reject(2),
    () => new Promise((resolve) => setImmediate(resolve)),
  ]
  for (let listener = 0; listener < 100; listener++) bus.on('x', kinds[listener % kinds.length])
  const outcomes = await Promise.all(Array.from({ length: 50 }, () => bus.emitAndWait('x')))
  for (const { success, failed, errors } of outcomes) {
    assert.deepEqual([success, failed, errors.length], [60, 40, 40])
  }
  assert.equal(bus.getStats().pending, 0)
})

test('request resolves to the value of one listener, or rejects with its error', async () => {
  const bus = new ParallelEventBus(quiet)
  const error = new Error('no')
  bus.on('value', (a, b) => a + b)
  let second = 0
  bus.on('value', () => second++)
  bus.on('promise', async function listener() {
    return this
  })
  bus.on('throws', () => {
    throw error
  })
  bus.on('rejects', async () => {
    throw error
  })
  assert.equal(await bus.request('value', 1, 2), 3)
  assert.equal(second, 0)
  assert.equal(await bus.request('promise'), bus)
  await assert.rejects(bus.request('throws'), (thrown) => thrown === error)
  await assert.rejects(bus.request('rejects'), (thrown) => thrown === error)
  assert.equal(bus.getStats().listenersInvoked, 4)
  assert.equal(bus.getStats().listenersFailed, 2)
})

test('request is bounded too: by the timeout and by the signal, while its listener runs', async () => {
  const bus = new ParallelEventBus(quiet)
  const late = deferred()
  const started = deferred()
  bus.on('x', () => {
    started.resolve()
    return late.promise
  })
  await assert.rejects(bus.with({ timeout: 5 }).request('x'), ListenerTimeoutError)
  const controller = new AbortController()
  const reply = bus.with({ signal: controller.signal }).request('x')
  await started.promise
  await turn()
  controller.abort(new Error('enough'))
  await assert.rejects(reply, /enough/)
  late.resolve('late')
  await bus.idle()
})

test('a lazy thenable is called once, whether it is awaited or not', async () => {
  const bus = new ParallelEventBus(quiet)
  let requested = 0
  bus.on('x', () => ({
    then(resolve) {
      requested++
      resolve('value')
    },
  }))
  assert.equal(await bus.request('x'), 'value')
  assert.equal(requested, 1)
  await bus.emitAndWait('x')
  assert.equal(requested, 2)
})

test('request rejects at once when nobody listens, or the listener is gone before its turn', async () => {
  const bus = new ParallelEventBus()
  await assert.rejects(bus.request('x'), NoListenersError)
  await assert.rejects(bus.request('error'), { code: 'ERR_NO_LISTENERS', event: 'error' })
  const listener = () => 5
  bus.on('first', () => bus.off('x', listener))
  bus.on('x', listener)
  bus.emit('first')
  await assert.rejects(bus.request('x'), NoListenersError)
})

test('request takes one once listener at a time', async () => {
  const bus = new ParallelEventBus()
  bus.once('x', () => 'a')
  bus.once('x', () => 'b')
  const replies = await Promise.all([bus.request('x'), bus.request('x')])
  assert.deepEqual(replies, ['a', 'b'])
  assert.equal(bus.listenerCount('x'), 0)
  await assert.rejects(bus.request('x'), NoListenersError)
})

test('with a timeout, a listener that has not settled counts as failed, and is ignored from then on', async () => {
  const told = []
  const bus = new ParallelEventBus({ onError: (_event, error) => told.push(error) })
  const late = deferred()
  bus.on('x', async () => 1)
  bus.on('x', () => late.promise)
  bus.on('x', function slow() {
    return new Promise(() => {})
  })
  const { success, failed, errors } = await bus.with({ timeout: 500 }).emitAndWait('x')
  assert.deepEqual([success, failed], [1, 2])
  for (const error of errors) {
    assert.ok(error instanceof ListenerTimeoutError)
    assert.deepEqual([error.code, error.event, error.timeout], ['ERR_LISTENER_TIMEOUT', 'x', 500])
  }
  assert.match(errors[1].message, /slow.*'x'.*500 ms/)
  assert.equal(bus.getStats().pending, 0)
  late.reject(new Error('late'))
  await turn()
  assert.deepEqual(told, errors)
  assert.equal(bus.getStats().listenersFailed, 2)
})

test('a timeout counts from the emit: a listener that could not start in time fails without being called', async () => {
  const bus = new ParallelEventBus(quiet)
  let calls = 0
  bus.on('x', () => calls++)
  bus.on('x', () => calls++)
  // After setImmediate the event loop comes to its timers next, and to wakes only then.
  await turn()
  const outcome = bus.with({ timeout: 1 }).emitAndWait('x')
  const end = performance.now() + 5
  while (performance.now() < end);
  const { success, failed, errors } = await outcome
  assert.deepEqual([success, failed], [0, 2])
  assert.ok(errors.every((error) => error instanceof ListenerTimeoutError))
  await bus.idle()
  await turn()
  assert.equal(calls, 0)
})

test('a settled emission leaves no timer behind', async () => {
  const bus = new ParallelEventBus()
  bus.on('x', () => {})
  const timers = () => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length
  const before = timers()
  const view = bus.with({ timeout: 60_000 })
  view.emit('x')
  await view.emitAndWait('x')
  await view.request('x')
  assert.equal(timers(), before)
})

test('with a signal, an abort rejects with its reason and cancels listeners that have not started', async () => {
  const bus = new ParallelEventBus()
  let calls = 0
  bus.on('x', () => calls++)
  const controller = new AbortController()
  const view = bus.with({ signal: controller.signal })
  const outcomes = [view.emitAndWait('x'), view.request('x')]
  assert.equal(view.emit('x'), true)
  const reason = new Error('enough')
  controller.abort(reason)
  for (const outcome of outcomes) await assert.rejects(outcome, (thrown) => thrown === reason)
  await bus.idle()
  assert.equal(calls, 0)

  assert.equal(view.emit('x'), false)
  await assert.rejects(view.emitAndWait('x'), (thrown) => thrown === reason)
  await assert.rejects(view.request('x'), (thrown) => thrown === reason)
  assert.equal(bus.getStats().pending, 0)
})

test('an abort while listeners run rejects at once and lets them go on', async () => {
  const bus = new ParallelEventBus()
  const [started, gate] = [deferred(), deferred()]
  const log = []
  bus.on('x', async () => {
    started.resolve()
    await gate.promise
    log.push('ended')
  })
  bus.on('x', () => log.push('second'))
  const controller = new AbortController()
  const outcome = bus.with({ signal: controller.signal }).emitAndWait('x')
  await started.promise
  controller.abort()
  await assert.rejects(outcome, { name: 'AbortError' })
  assert.equal(bus.getStats().pending, 1)
  gate.resolve()
  await bus.idle()
  assert.deepEqual(log, ['second', 'ended'])
})

test('an abort by one listener keeps the later ones of that emission from starting', async () => {
  const bus = new ParallelEventBus()
  const controller = new AbortController()
  let calls = 0
  bus.on('x', () => controller.abort())
  bus.on('x', () => calls++)
  await assert.rejects(bus.with({ signal: controller.signal }).emitAndWait('x'), { name: 'AbortError' })
  await bus.idle()
  assert.equal(calls, 0)
})

test('an onError that aborts while the time is over is not told of the rest', async () => {
  const controller = new AbortController()
  let told = 0
  const bus = new ParallelEventBus({
    onError() {
      told++
      controller.abort()
    },
  })
  bus.on('x', () => {})
  bus.on('x', () => {})
  await turn()
  bus.with({ timeout: 1, signal: controller.signal }).emit('x')
  const end = performance.now() + 5
  while (performance.now() < end);
  await bus.idle()
  assert.equal(told, 1)
  assert.equal(bus.getStats().pending, 0)
})

test('a settled emission lets go of its signal', async () => {
  const bus = new ParallelEventBus()
  bus.on('x', () => {})
  const signal = new EventTarget()
  signal.aborted = false
  const counts = { addEventListener: 0, removeEventListener: 0 }
  for (const method of Object.keys(counts)) {
    signal[method] = (...args) => {
      counts[method]++
      EventTarget.prototype[method].apply(signal, args)
    }
  }
  await bus.with({ signal }).emitAndWait('x')
  assert.deepEqual(counts, { addEventListener: 1, removeEventListener: 1 })
})

test('a bounded view emits as the bus does', async () => {
  const bus = new ParallelEventBus()
  const view = bus.with({ timeout: 1000 })
  assert.equal(view.emit('x'), false)
  assert.deepEqual(await view.emitAndWait('x'), { success: 0, failed: 0, errors: [] })
  assert.throws(() => view.emit('error', new Error('unheard')), /unheard/)
  bus.once('x', () => 5)
  assert.equal(await view.request('x'), 5)
  assert.equal(bus.listenerCount('x'), 0)
})

test('a bound that is wrong is refused', () => {
  const bus = new ParallelEventBus()
  for (const bounds of [
    undefined,
    null,
    5,
    [],
    { timeout: '5' },
    { signal: {} },
    { signal: null },
    { signal: { aborted: false } },
  ]) {
    assert.throws(() => bus.with(bounds), { name: 'TypeError', code: 'ERR_INVALID_ARG_TYPE' })
  }
  for (const timeout of [0, -1, Number.NaN, Infinity, 2 ** 31]) {
    assert.throws(() => bus.with({ timeout }), { name: 'RangeError', code: 'ERR_OUT_OF_RANGE' })
  }
})

test('errors are recognised across copies of the library and have no false friends', () => {
  const path = require.resolve('../../lib/errors.js')
  const own = require.cache[path]
  delete require.cache[path]
  const copy = require(path)
  require.cache[path] = own
  const foreign = new copy.NoListenersError('x')
  assert.ok(foreign instanceof NoListenersError)
  assert.ok(foreign instanceof Error)
  assert.ok(!(foreign instanceof ListenerTimeoutError))
  for (const value of [null, undefined, 5, {}, new Error('x'), new EventEmitter()]) {
    assert.ok(!(value instanceof NoListenersError))
  }
  assert.equal(String(foreign), "NoListenersError: nobody listens to 'x'")
})

/** Keeps the thread from its timers. */
function hold(ms) {
  for (const end = performance.now() + ms; performance.now() < end; );
}

test('with({ timeout }) counts the time in the queue, also where the thread is too busy for timers', async () => {
  const bus = new ParallelEventBus(quiet)
  let started = 0
  bus.on('hold', () => hold(20))
  bus.on('late', () => started++)
  bus.emit('hold')
  const { failed, errors } = await bus.with({ timeout: 5 }).emitAndWait('late')
  assert.deepEqual([failed, errors[0] instanceof ListenerTimeoutError, started], [1, true, 0])
  bus.emit('hold')
  await assert.rejects(bus.with({ timeout: 5 }).request('late'), ListenerTimeoutError)
  assert.equal(started, 0)
})

test('with({ timeout }) counts the time for which listeners hold the thread, and calls none after that', async () => {
  const bus = new ParallelEventBus(quiet)
  let calls = 0
  bus.on('x', () => calls++)
  bus.on('x', () => hold(600))
  bus.on('x', () => calls++)
  const { success, failed } = await bus.with({ timeout: 500 }).emitAndWait('x')
  assert.deepEqual([success, failed, calls], [1, 2, 1])
})

test('the timeout of a listener counts its synchronous part', async () => {
  const bus = new ParallelEventBus(quiet)
  const listeners = {
    sync: () => hold(20),
    'settled when it returned': async () => hold(20),
    'settled later': async () => {
      hold(20)
      await turn()
    },
  }
  for (const [name, listener] of Object.entries(listeners)) {
    bus.on(name, listener, { timeout: 10 })
    const { failed, errors } = await bus.emitAndWait(name)
    assert.deepEqual([failed, errors[0] instanceof ListenerTimeoutError], [1, true], name)
  }
})
