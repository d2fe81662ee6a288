'use strict'

// `context: true`: the last argument of a listener tells it of its event, and when nobody waits for it any more.

const assert = require('node:assert/strict')
const { EventEmitter, once } = require('node:events')
const { setImmediate: turn } = require('node:timers/promises')
const test = require('node:test')
const { inspect } = require('node:util')
const { ParallelEventBus, ListenerTimeoutError } = require('../..')

const LONG = 3_600_000

/** A listener that remembers its contexts and ends its calls when it is told to, or when their signals abort. */
function patient() {
  const contexts = []
  const ends = []
  const listener = (...args) => {
    const context = args.at(-1)
    contexts.push(context)
    return new Promise((resolve) => {
      ends.push(resolve)
      context.signal.addEventListener('abort', resolve)
    })
  }
  return { contexts, ends, listener }
}

async function settle() {
  for (let turns = 0; turns < 10; turns++) await turn()
}

test('the last argument is the context, behind however many arguments, and `this` is the bus', async () => {
  const bus = new ParallelEventBus()
  const calls = []
  function listener(...args) {
    calls.push([this, ...args])
  }
  bus.on('x', listener, { context: true })
  for (const args of [[], [1], [1, 2], [1, 2, 3]]) await bus.emitAndWait('x', ...args)
  for (const [count, [self, ...args]] of calls.entries()) {
    const context = args.pop()
    assert.equal(self, bus)
    assert.deepEqual(args, [1, 2, 3].slice(0, count))
    assert.deepEqual([context.event, context.threadId, context.signal.aborted], ['x', 0, false])
  }
  const symbol = Symbol('s')
  let event
  bus.on(symbol, (context) => ({ event } = context), { context: true })
  await bus.emitAndWait(symbol)
  assert.equal(event, symbol)
})

test('the id names the event: listeners have it in common, no two events do', async () => {
  const bus = new ParallelEventBus()
  const contexts = []
  for (let each = 0; each < 2; each++) bus.on('x', (context) => contexts.push(context), { context: true })
  await bus.emitAndWait('x')
  await bus.with({ timeout: LONG }).emitAndWait('x')
  const ids = contexts.map(({ id }) => id)
  assert.equal(ids[0], ids[1])
  assert.equal(ids[2], ids[3])
  assert.notEqual(ids[0], ids[2])
  assert.ok(ids.every(Number.isSafeInteger))
  assert.equal(contexts[0].signal, contexts[1].signal, 'they have one signal')
})

test('the signal aborts when the time of the event is over', async () => {
  const bus = new ParallelEventBus({ onError() {} })
  const { contexts, listener } = patient()
  bus.on('x', listener, { context: true })
  // It may be over before the listener is called.
  while (contexts.length === 0) {
    const { errors } = await bus.with({ timeout: 1 }).emitAndWait('x')
    assert.equal(errors[0].code, 'ERR_LISTENER_TIMEOUT')
  }
  const { reason } = contexts[0].signal
  assert.ok(reason instanceof ListenerTimeoutError)
  assert.deepEqual([reason.event, reason.timeout], ['x', 1])
})

test('the signal aborts when that of the emitter does, with its reason', async () => {
  const bus = new ParallelEventBus()
  const { contexts, listener } = patient()
  bus.on('x', listener, { context: true })
  const controller = new AbortController()
  const waits = bus.with({ signal: controller.signal }).request('x')
  await settle()
  const why = new Error('nobody wants it')
  controller.abort(why)
  await assert.rejects(waits, why)
  assert.equal(contexts[0].signal.reason, why)
  await bus.idle()
})

test('a signal that is read after the end has aborted', async () => {
  const bus = new ParallelEventBus({ onError() {} })
  const controller = new AbortController()
  let read
  bus.on(
    'x',
    async (context) => {
      await once(controller.signal, 'abort')
      read = context.signal
    },
    { context: true },
  )
  bus.with({ signal: controller.signal }).emit('x')
  await settle()
  controller.abort('why')
  await bus.idle()
  assert.deepEqual([read.aborted, read.reason], [true, 'why'])
})

test("a listener's own timeout aborts its signal alone, also together with those of the event", async () => {
  const bus = new ParallelEventBus({ onError() {} })
  const [timed, other] = [patient(), patient()]
  bus.on('x', timed.listener, { context: true, timeout: 1 })
  bus.on('x', other.listener, { context: true })
  const waits = bus.emitAndWait('x')
  while (timed.contexts[0]?.signal.aborted !== true) await turn()
  assert.ok(timed.contexts[0].signal.reason instanceof ListenerTimeoutError)
  assert.equal(other.contexts[0].signal.aborted, false)
  other.ends[0]()
  assert.equal((await waits).failed, 1)

  const long = patient()
  bus.on('y', long.listener, { context: true, timeout: LONG })
  const controller = new AbortController()
  bus.with({ signal: controller.signal }).emit('y')
  await settle()
  controller.abort('why')
  assert.equal(long.contexts[0].signal.reason, 'why')
  await bus.idle()
})

test('a listener that blocked for longer than its own timeout has an aborted signal', async () => {
  const bus = new ParallelEventBus({ onError() {} })
  let kept
  const block = (context) => {
    kept = context
    for (const end = performance.now() + 2; performance.now() < end; );
  }
  bus.on('x', block, { context: true, timeout: 1 })
  assert.equal((await bus.emitAndWait('x')).failed, 1)
  assert.ok(kept.signal.reason instanceof ListenerTimeoutError)
})

test('nothing aborts the signal after the event has settled', async () => {
  const bus = new ParallelEventBus()
  const { contexts, ends, listener } = patient()
  bus.on('x', listener, { context: true })
  const controller = new AbortController()
  const waits = bus.with({ signal: controller.signal }).emitAndWait('x')
  await settle()
  ends[0]()
  await waits
  controller.abort()
  assert.equal(contexts[0].signal.aborted, false)
})

test('a call that waits for another one to end, and is over, is never made', async () => {
  const bus = new ParallelEventBus({ onError() {} })
  const { contexts, ends, listener } = patient()
  bus.on('x', listener, { context: true, concurrency: 1 })
  const controller = new AbortController()
  bus.emit('x', 'first')
  bus.with({ signal: controller.signal }).emit('x', 'aborted')
  await bus.with({ timeout: 1 }).emitAndWait('x', 'late')
  bus.emit('x', 'last')
  await settle()
  controller.abort()
  ends[0]()
  await settle()
  assert.equal(contexts.length, 2)
  assert.equal(contexts[1].signal.aborted, false)
  ends[1]()
  await bus.idle()
})

test('a once listener, a request and a traced emission have it', async (t) => {
  const { subscribe, unsubscribe } = require('node:diagnostics_channel')
  const bus = new ParallelEventBus()
  const events = []
  bus.once('x', (value, { event }) => events.push(value, event), { context: true })
  bus.emit('x', 1)
  bus.emit('x', 2)
  await bus.idle()
  assert.deepEqual(events, [1, 'x'])
  bus.on('y', (value, { event, id }) => [value, event, typeof id], { context: true })
  assert.deepEqual(await bus.request('y', 1), [1, 'y', 'number'])
  const messages = []
  const heard = (message) => messages.push(message)
  const name = 'tracing:parallel-event-bus:listener:start'
  subscribe(name, heard)
  t.after(() => unsubscribe(name, heard))
  assert.deepEqual(await bus.request('y', 2), [2, 'y', 'number'])
  assert.deepEqual(messages[0].args, [2], 'monitoring sees the arguments of the event')
})

test('captureRejections passes on the arguments of the event', async () => {
  const bus = new ParallelEventBus({ captureRejections: true })
  const heard = []
  bus[Symbol.for('nodejs.rejection')] = (...about) => heard.push(about)
  const error = new Error('on purpose')
  bus.on('x', () => Promise.reject(error), { context: true })
  bus.emit('x', 1)
  await bus.idle()
  await settle()
  assert.deepEqual(heard, [[error, 'x', 1]])
})

test('called by hand, a listener gets a context of its own, which nothing aborts', async () => {
  const bus = new ParallelEventBus()
  const contexts = []
  const listener = (value, context) => contexts.push([value, context])
  bus.on('x', listener, { context: true })
  const controller = new AbortController()
  bus.on('y', () => bus.rawListeners('x')[0]('by hand'))
  bus.with({ signal: controller.signal }).emit('y')
  await bus.idle()
  controller.abort()
  EventEmitter.prototype.emit.call(bus, 'x', 'by EventEmitter')
  const [[first, context], [second, other]] = contexts
  assert.deepEqual([first, second], ['by hand', 'by EventEmitter'])
  assert.deepEqual([context.event, context.signal.aborted, other.event], ['x', false, 'x'])
  assert.notEqual(context.id, other.id)
  assert.deepEqual(bus.listeners('x'), [listener])
})

test('the option is kept by what rawListeners() shows, and goes with off', async () => {
  const bus = new ParallelEventBus()
  const heard = []
  const listener = (...args) => heard.push(args.length)
  bus.on('x', listener, { context: true })
  const [stored] = bus.rawListeners('x')
  bus.off('x', listener)
  assert.equal(bus.listenerCount('x'), 0)
  bus.on('x', stored)
  await bus.emitAndWait('x')
  bus.off('x', listener).on('x', listener)
  await bus.emitAndWait('x')
  assert.deepEqual(heard, [1, 0])
})

test('it prints well', async () => {
  const bus = new ParallelEventBus()
  let shown
  bus.on('x', (context) => (shown = inspect(context)), { context: true })
  await bus.emitAndWait('x')
  assert.match(shown, /^ListenerContext \{\s+event: 'x',\s+threadId: 0,\s+id: \d+,\s+signal: AbortSignal/)
})

test('it is a boolean', () => {
  const bus = new ParallelEventBus()
  assert.throws(() => bus.on('x', () => {}, { context: 1 }), {
    code: 'ERR_INVALID_ARG_TYPE',
    message: /options\.context/,
  })
  assert.equal(bus.listenerCount('x'), 0)
})
