'use strict'

// The messages of the tracing channels about emissions and listeners, and that subscribers change nothing else.

const assert = require('node:assert/strict')
const { AsyncLocalStorage } = require('node:async_hooks')
const { channel, tracingChannel } = require('node:diagnostics_channel')
const { test: nodeTest } = require('node:test')
const { setImmediate: turn } = require('node:timers/promises')
const { ListenerTimeoutError, ParallelEventBus } = require('../..')
const { stage, test: stageTest } = require('../fixtures/stage.js')

const PHASES = ['start', 'end', 'asyncStart', 'asyncEnd', 'error']

// A tracing channel is collected with its last reference.
const CHANNELS = ['emission', 'listener'].map((name) => tracingChannel(`parallel-event-bus:${name}`))

/** Subscribes to all of both channels until the end of the test. Returns their messages. */
function subscribe(t) {
  const told = []
  const handlers = CHANNELS.map((_, index) =>
    Object.fromEntries(
      PHASES.map((phase) => [
        phase,
        (message) => told.push([`${index === 0 ? 'emission' : ''} ${phase}`.trim(), message]),
      ]),
    ),
  )
  const unsubscribe = () => {
    for (const [index, tracing] of CHANNELS.entries()) tracing.unsubscribe(handlers[index])
  }
  for (const [index, tracing] of CHANNELS.entries()) tracing.subscribe(handlers[index])
  t.after(unsubscribe)
  return { told, unsubscribe, phases: () => told.map(([phase]) => phase) }
}

const quietBus = (options) => new ParallelEventBus({ onError() {}, ...options })

nodeTest('an emission and its listeners, where they return at once', async (t) => {
  const bus = quietBus()
  const listener = (a, b) => a + b
  bus.on('sum', listener)
  const { told, phases } = subscribe(t)
  await bus.emitAndWait('sum', 1, 2)
  assert.deepEqual(phases(), ['emission start', 'start', 'end', 'emission end'])
  const [emission, heard] = [told[0][1], told[1][1]]
  assert.deepEqual(emission, {
    bus,
    event: 'sum',
    args: [1, 2],
    listeners: [listener],
    result: { success: 1, failed: 0, errors: [] },
  })
  assert.equal(emission.bus, bus)
  assert.deepEqual(heard, { bus, event: 'sum', args: [1, 2], listener, emission, result: 3 })
  assert.equal(heard.listener, listener)
  assert.equal(told[2][1], heard)
  assert.equal(told[3][1], emission)
})

nodeTest('an emission and its listeners, where they return promises', async (t) => {
  const bus = quietBus()
  bus.on('later', async () => {
    await turn()
    return 'done'
  })
  const { told, phases } = subscribe(t)
  await bus.emitAndWait('later')
  assert.deepEqual(phases(), [
    'emission start',
    'start',
    'end',
    'emission end',
    'asyncStart',
    'asyncEnd',
    'emission asyncStart',
    'emission asyncEnd',
  ])
  assert.equal(told[4][1].result, 'done')
  assert.deepEqual(told[6][1].result, { success: 1, failed: 0, errors: [] })
})

nodeTest('failures, and the first of them for the emission', async (t) => {
  const [thrown, rejected] = [new Error('thrown'), new Error('rejected')]
  const bus = quietBus()
  bus.on('x', async () => {
    await turn()
    throw rejected
  })
  bus.on('x', () => {
    throw thrown
  })
  const { told, phases } = subscribe(t)
  const outcome = await bus.emitAndWait('x')
  assert.deepEqual(outcome, { success: 0, failed: 2, errors: [rejected, thrown] })
  assert.deepEqual(phases(), [
    'emission start',
    ...['start', 'end'],
    ...['start', 'error', 'end'],
    'emission end',
    ...['error', 'asyncStart', 'asyncEnd'],
    ...['emission error', 'emission asyncStart', 'emission asyncEnd'],
  ])
  assert.equal(told[4][1].error, thrown)
  assert.equal(told[7][1].error, rejected)
  assert.equal(told[10][1].error, rejected)
  assert.deepEqual(told[12][1].result, outcome)
})

nodeTest('who subscribes while an emission is queued is told of it, who leaves is not', async (t) => {
  const bus = quietBus()
  bus.on('x', () => {})
  bus.emit('x', 'queued before')
  const { told, phases, unsubscribe } = subscribe(t)
  await bus.idle()
  assert.deepEqual(phases(), ['emission start', 'start', 'end', 'emission end'])
  assert.deepEqual(told[0][1].args, ['queued before'])
  bus.emit('x', 'queued while subscribed')
  unsubscribe()
  await bus.idle()
  assert.equal(told.length, 4)
})

nodeTest('who subscribes and leaves while a listener runs does not disturb it', async (t) => {
  const bus = quietBus()
  const subscribed = []
  bus.on('x', async () => {
    subscribed.push(subscribe(t))
    await turn()
    return 'a'
  })
  bus.on('x', async () => {
    await turn()
    return 'b'
  })
  assert.deepEqual(await bus.emitAndWait('x'), { success: 2, failed: 0, errors: [] })
  // It was started untraced.
  assert.deepEqual(subscribed[0].phases(), [])
  bus.removeAllListeners('x')
  bus.on('x', async () => {
    await turn()
    subscribed[0].unsubscribe()
  })
  assert.deepEqual(await bus.emitAndWait('x'), { success: 1, failed: 0, errors: [] })
  assert.deepEqual(subscribed[0].phases(), ['emission start', 'start', 'end', 'emission end'])
})

for (const [index, name] of ['emission', 'listener'].entries()) {
  for (const phase of PHASES) {
    nodeTest(`one subscriber is enough: ${phase} of ${name}`, async (t) => {
      const bus = quietBus()
      bus.on('x', async () => {
        throw new Error('x')
      })
      const messages = []
      const hear = (message) => messages.push(message)
      CHANNELS[index][phase].subscribe(hear)
      t.after(() => CHANNELS[index][phase].unsubscribe(hear))
      await bus.emitAndWait('x')
      assert.deepEqual(
        messages.map(({ event }) => event),
        ['x'],
      )
    })
  }
}

nodeTest('the channels have the names that Node derives', () => {
  const derived = channel('tracing:parallel-event-bus:emission:start')
  assert.equal(derived, CHANNELS[0].start)
})

for (const [index, name] of ['emission', 'listener'].entries()) {
  nodeTest(`a store bound to start of ${name} is what listeners see, before and after they wait`, async (t) => {
    const [spans, own] = [new AsyncLocalStorage(), new AsyncLocalStorage()]
    const bus = quietBus()
    const seen = []
    bus.on('x', async () => {
      seen.push([spans.getStore(), own.getStore()])
      await turn()
      seen.push([spans.getStore(), own.getStore()])
    })
    CHANNELS[index].start.bindStore(spans, ({ event }) => `span of ${event}`)
    t.after(() => CHANNELS[index].start.unbindStore(spans))
    await own.run('emitter', () => bus.emitAndWait('x'))
    assert.deepEqual(seen, [
      ['span of x', 'emitter'],
      ['span of x', 'emitter'],
    ])
  })
}

nodeTest('what a bus does is the same: this, request, once, off, timeouts and lazy thenables', async (t) => {
  const { told } = subscribe(t)
  const errors = []
  const bus = new ParallelEventBus({ onError: (...about) => errors.push(about) })
  const seen = []
  bus.on('this', function (...args) {
    seen.push([this === bus, args])
  })
  await bus.emitAndWait('this', 1, 2, 3)
  assert.deepEqual(seen, [[true, [1, 2, 3]]])

  bus.on('request', async (value) => value * 2)
  assert.equal(await bus.request('request', 21), 42)
  assert.equal(told.findLast(([phase]) => phase === 'asyncEnd')[1].result, 42)

  let calls = 0
  const lazy = {
    then(resolve) {
      calls++
      resolve('lazy')
    },
  }
  bus.once('lazy', () => lazy)
  assert.deepEqual(await bus.emitAndWait('lazy'), { success: 1, failed: 0, errors: [] })
  assert.deepEqual([calls, bus.listenerCount('lazy')], [1, 0])

  const never = () => new Promise(() => {})
  bus.on('never', never)
  // Long enough for it to start on a busy machine: a listener that is late before its start is not traced.
  const { errors: late } = await bus.with({ timeout: 200 }).emitAndWait('never')
  assert.ok(late[0] instanceof ListenerTimeoutError)
  assert.equal(errors.at(-1)[2], never)
  assert.equal(told.findLast(([phase]) => phase === 'emission error')[1].error, late[0])

  const removed = () => seen.push('removed')
  bus.on('off', () => bus.off('off', removed))
  bus.on('off', removed)
  bus.emit('off')
  bus.emit('off')
  await bus.idle()
  assert.deepEqual(seen.slice(1), ['removed'])
})

const WAYS = {
  emit: ({ bus }) => bus.emit('x', 1) && bus.idle(),
  emitAndWait: ({ bus }) => bus.emitAndWait('x', 1).then(() => {}),
  request: ({ bus }) => bus.request('x', 1).catch(() => {}),
}

for (const [way, emit] of Object.entries(WAYS)) {
  stageTest(`events from another thread are traced where their listeners are: ${way}`, async (t) => {
    const { bus, startOne } = stage(t)
    const failure = new Error('failed')
    const fails = () => {
      throw failure
    }
    const thread = await startOne(() => {})
    bus.on('x', fails)
    const { told, phases } = subscribe(t)
    await thread.run(emit)
    assert.deepEqual(phases(), ['emission start', 'start', 'error', 'end', 'emission error', 'emission end'])
    const { bus: where, event, args, listeners, result } = told[0][1]
    assert.deepEqual([where === bus, event, args, listeners], [true, 'x', [1], [fails]])
    assert.deepEqual(result, { success: 0, failed: 1, errors: [failure] })
  })
}

for (const [way, emit] of Object.entries(WAYS)) {
  stageTest(`events to another thread are traced where they are emitted, to their end: ${way}`, async (t) => {
    const { bus, start } = stage(t)
    const setup = ({ bus }) =>
      bus.on('x', (value) => {
        if (value === 1) throw new Error('failed')
      })
    await start(2, setup, { options: { onError: undefined } })
    const { told, phases } = subscribe(t)
    await emit({ bus })
    assert.deepEqual(phases(), [
      'emission start',
      'emission end',
      'emission error',
      'emission asyncStart',
      'emission asyncEnd',
    ])
    const message = told[0][1]
    const elsewhere = way === 'request' ? 1 : 2
    const { bus: where, event, args, listeners, result, error } = message
    assert.deepEqual([where === bus, event, args, listeners, message.elsewhere], [true, 'x', [1], [], elsewhere])
    assert.deepEqual(
      [result.success, result.failed, result.errors.map((each) => each.message)],
      [0, elsewhere, Array(elsewhere).fill('failed')],
    )
    assert.equal(error, result.errors[0])
    for (const [, of] of told) assert.equal(of, message)
    told.length = 0
    bus.emit('nobody')
    await bus.with({ timeout: 3_600_000 }).emitAndWait('nobody')
    assert.deepEqual(told, [], 'who is nowhere else has no message')
  })
}

stageTest('an event for listeners here and elsewhere has a message for each', async (t) => {
  const { bus, startOne } = stage(t)
  await startOne(({ bus }) => bus.on('x', () => {}))
  bus.on('x', () => {})
  const { told } = subscribe(t)
  await bus.emitAndWait('x')
  const emissions = told.filter(([phase]) => phase === 'emission start').map(([, message]) => message)
  assert.deepEqual(
    emissions.map(({ listeners, elsewhere }) => [listeners.length, elsewhere]),
    [
      [0, 1],
      [1, undefined],
    ],
  )
})

stageTest('an abort ends the message of an event elsewhere, and the thread still reports its failure', async (t) => {
  const { bus, cells, startOne } = stage(t)
  cells.name('go', 'busy')
  const thread = await startOne(
    ({ bus, cells, log }) => {
      process.removeAllListeners('warning').on('warning', ({ code }) => log.push(code))
      bus.on('x', () => {
        cells.set('busy', 1)
        cells.block('go')
      })
      bus.on('fails', () => {
        throw new Error('failed')
      })
    },
    { options: { onError: undefined } },
  )
  const { told } = subscribe(t)
  const controller = new AbortController()
  const waiting = bus.with({ signal: controller.signal }).emitAndWait('x')
  await cells.reach('busy')
  controller.abort(new Error('given up'))
  await assert.rejects(waiting, /given up/)
  assert.deepEqual(
    told.map(([phase]) => phase),
    ['emission start', 'emission end', 'emission error', 'emission asyncStart', 'emission asyncEnd'],
  )
  cells.set('go', 1)
  bus.emit('fails')
  await bus.idle()
  assert.deepEqual(await thread.run(({ log }) => log), ['PARALLEL_EVENT_BUS_LISTENER_FAILED'])
})

nodeTest('a listener that waits for its own end is told of once, when it is called', async (t) => {
  const bus = quietBus()
  const ends = []
  bus.on('x', () => new Promise((resolve) => ends.push(resolve)), { concurrency: 1 })
  const { phases } = subscribe(t)
  bus.emit('x')
  bus.emit('x')
  await turn()
  const calls = () => phases().filter((phase) => phase === 'start').length
  assert.deepEqual([calls(), ends.length], [1, 1])
  ends[0]()
  while (ends.length < 2) await turn()
  assert.equal(calls(), 2)
  ends[1]()
  await bus.idle()
  assert.equal(phases().filter((phase) => phase === 'asyncEnd').length, 2)
})
