'use strict'

// Random programs run on an EventEmitter and on a bus. Only the time of the listeners differs, so each program emits,
// lets everything settle, and goes on. Listeners register, remove and emit too.

const assert = require('node:assert/strict')
const { EventEmitter } = require('node:events')
const { test } = require('node:test')
const fc = require('fast-check')
const { ParallelEventBus } = require('../..')

const EVENTS = ['a', 'b']
const LISTENERS = 4

const event = fc.constantFrom(...EVENTS)
const listener = fc.nat(LISTENERS - 1)
// A function is registered either for once or for good, never both: `once` listeners leave at the emit here and
// at their call there, so an `off` between the two would find another registration of the function.
const registration = fc.oneof(
  fc.record({ do: fc.constantFrom('on', 'prependListener'), event, listener }),
  fc.record({
    do: fc.constantFrom('once', 'prependOnceListener'),
    event,
    listener: listener.map((n) => n + LISTENERS),
  }),
  fc.record({ do: fc.constant('off'), event, listener: fc.nat(2 * LISTENERS - 1) }),
)
const removal = fc.record({ do: fc.constant('removeAllListeners'), event: fc.option(event, { nil: undefined }) })
const emission = fc.record({ do: fc.constant('emit'), event })
const step = fc.oneof(
  { weight: 5, arbitrary: registration },
  { weight: 1, arbitrary: removal },
  { weight: 4, arbitrary: emission },
)

/** A program, and the actions of each listener in its first few calls. */
const program = fc.record({
  steps: fc.array(step, { maxLength: 30 }),
  inside: fc.array(fc.oneof(registration, removal), { maxLength: 8 }),
})

async function run(emitter, { steps, inside }, settle) {
  const log = []
  const left = [...inside]
  const listeners = Array.from({ length: 2 * LISTENERS }, (_, index) => (value) => {
    log.push(`${index} hears ${value}`)
    const action = left.shift()
    if (action !== undefined) apply(action)
  })
  const apply = (action) => {
    if (action.do === 'removeAllListeners')
      emitter.removeAllListeners(...(action.event === undefined ? [] : [action.event]))
    else emitter[action.do](action.event, listeners[action.listener])
  }
  let value = 0
  for (const each of steps) {
    if (each.do === 'emit') log.push(`emit ${emitter.emit(each.event, ++value)}`)
    else apply(each)
    await settle()
    for (const name of EVENTS) {
      log.push(
        emitter
          .listeners(name)
          .map((each) => listeners.indexOf(each))
          .join(),
      )
    }
  }
  return log
}

/** With a synchronous emitter `emit` is logged after its effects; here before. */
function sortedByValue(log) {
  return log.toSorted((a, b) => a.startsWith('emit') - b.startsWith('emit'))
}

test('a bus that is left to settle after each step does the same as an EventEmitter', async () => {
  await fc.assert(
    fc.asyncProperty(program, async (each) => {
      const bus = new ParallelEventBus()
      const expected = await run(new EventEmitter(), each, () => {})
      const actual = await run(bus, each, () => bus.idle())
      assert.deepEqual(sortedByValue(actual), sortedByValue(expected))
      assert.equal(bus.getStats().pending, 0)
    }),
    { numRuns: 500 },
  )
})

/**
 * Emissions that are all queued before the first is delivered, with listeners that remove while they run: the
 * deliveries are those of a synchronous emitter that emits the same. (Removals only: a listener that is *added* while
 * events are queued does not get them, because the listeners are those of the `emit`.)
 */
const queued = fc.record({
  registrations: fc.array(fc.record({ event, listener }), { maxLength: 10 }),
  emissions: fc.array(event, { maxLength: 12 }),
  removals: fc.array(fc.option(fc.oneof(fc.record({ event, listener }), removal), { nil: undefined }), {
    maxLength: 12,
  }),
})

async function deliver(emitter, { registrations, emissions, removals }, settle) {
  const log = []
  const left = [...removals]
  const listeners = Array.from({ length: LISTENERS }, (_, index) => (value) => {
    log.push(`${index} hears ${value}`)
    const action = left.shift()
    if (action === undefined) return
    if (action.do === 'removeAllListeners')
      emitter.removeAllListeners(...(action.event === undefined ? [] : [action.event]))
    else emitter.off(action.event, listeners[action.listener])
  })
  for (const { event: name, listener: index } of registrations) emitter.on(name, listeners[index])
  emissions.forEach((name, value) => {
    emitter.emit(name, `${name}${value}`)
  })
  await settle()
  return log
}

test('removals made by listeners hold for queued emissions as with a synchronous emitter', async () => {
  await fc.assert(
    fc.asyncProperty(queued, async (each) => {
      const bus = new ParallelEventBus()
      const expected = await deliver(new EventEmitter(), each, () => {})
      assert.deepEqual(await deliver(bus, each, () => bus.idle()), expected)
      assert.equal(bus.getStats().pending, 0)
    }),
    { numRuns: 1000 },
  )
})
