'use strict'

// The costs of an event in things that can be counted on any machine: calls into the engine, encodings, bytes of heap.
// A change that exceeds a bound has made every event dearer; one that lowers a cost should lower its bound.

const assert = require('node:assert/strict')
const { spawnSync } = require('node:child_process')
const path = require('node:path')
const { test } = require('node:test')
const native = require('../../native.js')

const EVENTS = 10_000

/** Calls into the engine, of emitter and listener together. A burst's share of a call per batch is below 0.1. */
const MOST_CALLS = {
  // Of the whole burst.
  'a burst within a bus': 10,
  'a burst of emitAndWait within a bus': 10,
  // Of each event.
  'emit on a channel that nobody else listens to': 1.1,
  'emit to another bus': 0.1,
  'emit to four other buses': 0.1,
  'emitAndWait to another bus': 2.1,
  'request to a group of another bus': 3.1,
}

/** A property of an argument is looked at, and encoded. */
const MOST_READS = 2

/** Bytes of JavaScript's heap, of each event; the exact number is a matter of the version of V8. */
const MOST_BYTES = {
  'queued, 1 listener': 250,
  'queued, 50 listeners': 250,
  'emit and delivery, 1 listener': 250,
  'emit and delivery, 50 listeners': 250,
  'emit and delivery, 1 async listener': 700,
}
const HEAP = path.join(__dirname, '../fixtures/heap.js')
/** Room for everything that is allocated, so that nothing is collected meanwhile. */
const HEAP_FLAGS = ['--expose-gc', '--min-semi-space-size=128', '--max-semi-space-size=128']

/** How often the engine was called. Every function of it is counted: also those that come to it later. */
let calls = 0
for (const [name, call] of Object.entries(native)) {
  if (typeof call !== 'function') continue
  native[name] = (...args) => {
    calls++
    return call(...args)
  }
}
// After that, or it could have taken the functions out.
const { ParallelEventBus } = require('../..')

/** Asserts the calls that `run` makes, after it has run once: things that are new to the engine take more. */
async function assertCalls(scenario, events, run) {
  await run()
  const before = calls
  await run()
  const each = (calls - before) / events
  assert.ok(each <= MOST_CALLS[scenario], `${scenario}: ${each} calls, not ${MOST_CALLS[scenario]}`)
}

/** Buses on a channel of their own, which are closed at the end. The first emits, the others listen. */
function onChannel(t, others, options) {
  const mailbox = { maxMessages: 2 * EVENTS }
  const buses = Array.from({ length: 1 + others }, () => new ParallelEventBus({ channel: t.name, mailbox }))
  t.after(() => Promise.all(buses.map((bus) => bus.close())))
  for (const bus of buses.slice(1)) bus.on('x', (value) => value, options)
  return buses[0]
}

async function emitAll(bus) {
  for (let number = 0; number < EVENTS; number++) bus.emit('x', number)
  await bus.idle()
}

/** A tenth: they are many promises. */
const WAITED = EVENTS / 10

async function waitForAll(emit) {
  const outcomes = await Promise.all(Array.from({ length: WAITED }, (_, number) => emit(number)))
  assert.equal(outcomes.length, WAITED)
}

test('a burst within a bus calls the engine as often as one event', async () => {
  const bus = new ParallelEventBus()
  for (let listener = 0; listener < 3; listener++) bus.on('x', () => {})
  await assertCalls('a burst within a bus', 1, () => emitAll(bus))
  await assertCalls('a burst of emitAndWait within a bus', 1, () =>
    waitForAll((number) => bus.emitAndWait('x', number)),
  )
})

test('emit on a channel that nobody else listens to: calls of the engine', async (t) => {
  const bus = onChannel(t, 0)
  bus.on('x', () => {})
  await assertCalls('emit on a channel that nobody else listens to', EVENTS, () => emitAll(bus))
})

for (const [scenario, others] of [
  ['emit to another bus', 1],
  ['emit to four other buses', 4],
]) {
  test(`${scenario}: calls of the engine`, async (t) => {
    const bus = onChannel(t, others)
    await assertCalls(scenario, EVENTS, () => emitAll(bus))
  })
}

test('emitAndWait to another bus: calls of the engine', async (t) => {
  const bus = onChannel(t, 1)
  await assertCalls('emitAndWait to another bus', WAITED, () => waitForAll((number) => bus.emitAndWait('x', number)))
})

test('request to a group of another bus: calls of the engine', async (t) => {
  const bus = onChannel(t, 2, { group: 'g' })
  await assertCalls('request to a group of another bus', WAITED, () => waitForAll((number) => bus.request('x', number)))
})

test('an event is encoded once, however many buses hear it', async (t) => {
  const encodings = async (others) => {
    const bus = onChannel(t, others)
    let read = 0
    // An encoding reads it, and may have looked at it before.
    const argument = Object.defineProperty({}, 'value', { enumerable: true, get: () => read++ })
    for (let event = 0; event < 100; event++) bus.emit('x', argument)
    await bus.idle()
    await bus.close()
    return read
  }
  const one = await encodings(1)
  assert.ok(one <= 100 * MOST_READS, `${one} reads of 100 events`)
  assert.equal(await encodings(4), one)
})

test('the bytes that an event takes of the heap', () => {
  const { status, stdout, stderr } = spawnSync(process.execPath, [...HEAP_FLAGS, HEAP], { encoding: 'utf8' })
  assert.equal(status, 0, stderr)
  for (const [scenario, bytes] of Object.entries(JSON.parse(stdout))) {
    assert.ok(bytes <= MOST_BYTES[scenario], `${scenario}: ${bytes} bytes, not ${MOST_BYTES[scenario]}`)
  }
})
