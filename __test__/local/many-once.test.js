'use strict'

// Very many `once` listeners of one event, as where thousands wait for something to be ready: the cost of their removal, and
// its order.

const assert = require('node:assert/strict')
const { test } = require('node:test')
const { ParallelEventBus } = require('../..')

const FEW = 100
const MANY = 10 * FEW

/** Adds `once` listeners. Returns a function that tells how often an element of EventEmitter's list was looked at since. */
function waiting(bus, count) {
  bus.setMaxListeners(0)
  for (let left = count; left > 0; left--) bus.once('ready', () => {})
  let looks = 0
  bus._events.ready = new Proxy(bus._events.ready, {
    get(list, key, receiver) {
      if (typeof key === 'string' && /^\d+$/.test(key)) looks++
      return Reflect.get(list, key, receiver)
    },
  })
  return () => looks
}

const WAYS = {
  'of the emitting bus': () => {
    const bus = new ParallelEventBus()
    return { bus, emitter: bus }
  },
  'of another bus of the channel': (t) => {
    const [bus, emitter] = [0, 0].map(() => new ParallelEventBus({ channel: t.name }))
    t.after(() => Promise.all([bus.close(), emitter.close()]))
    return { bus, emitter }
  },
}

for (const [way, make] of Object.entries(WAYS)) {
  test(`the cost of an event for once listeners ${way} grows as their number`, async (t) => {
    const looksFor = async (count) => {
      const { bus, emitter } = make(t)
      const looks = waiting(bus, count)
      assert.deepEqual(await emitter.emitAndWait('ready'), { success: count, failed: 0, errors: [] })
      assert.equal(bus.listenerCount('ready'), 0)
      return looks()
    }
    const [few, many] = [await looksFor(FEW), await looksFor(MANY)]
    assert.ok(few > 0 && many < 2 * (MANY / FEW) * few, `${few} looks at ${FEW} listeners, ${many} at ${MANY}`)
  })

  test(`handlers of removeListener hear of once listeners ${way} in their order`, async (t) => {
    const { bus, emitter } = make(t)
    const listeners = Array.from({ length: 5 }, () => () => {})
    for (const listener of listeners) bus.once('ready', listener)
    const removed = []
    // EventEmitter tells of its own function around the listener, but for the last one.
    bus.on('removeListener', (_, listener) => removed.push(listener.listener ?? listener))
    await emitter.emitAndWait('ready')
    await bus.idle()
    assert.deepEqual(
      removed.map((listener) => listeners.indexOf(listener)),
      [0, 1, 2, 3, 4],
    )
  })
}
