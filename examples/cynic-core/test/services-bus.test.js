'use strict'

// ServicesBus before and after: one suite on both bases, and code that relied on synchronous delivery.

const assert = require('node:assert/strict')
const { EventEmitter } = require('node:events')
const { test } = require('node:test')
const { onBothBases, settled } = require('./support/bases.js')

onBothBases('services-bus.js', 'ServicesBus', ({ create, deferred, Base }) => {
  test('has that base, and its own fields', () => {
    const bus = create({ debug: false })
    assert.ok(bus instanceof Base && bus instanceof EventEmitter)
    assert.equal(bus.debug, false)
    assert.deepEqual(bus._history, [])
    assert.equal(bus._stats.published, 0)
  })

  test('publish tells the type, then its category, then everything', async () => {
    const bus = create()
    const heard = []
    for (const type of ['*', 'order:*', 'order:paid', 'order:lost', 'user:*']) {
      bus.subscribe(type, (event) => heard.push([type, event]))
    }
    const event = bus.publish('order:paid', { id: 1 }, { by: 'till' })
    await settled(bus)
    assert.deepEqual(
      heard.map(([type]) => type),
      ['order:paid', 'order:*', '*'],
    )
    for (const [, each] of heard) assert.equal(each, event)
    assert.deepEqual([event.type, event.data, event.meta], ['order:paid', { id: 1 }, { by: 'till' }])
  })

  test('listeners are called in the order of their subscription, events in the order of their publishing', async () => {
    const bus = create()
    const heard = []
    bus.subscribe('a:b', ({ data }) => heard.push(`first ${data}`))
    bus.subscribe('a:b', ({ data }) => heard.push(`second ${data}`))
    bus.publish('a:b', 1)
    bus.publish('a:b', 2)
    await settled(bus)
    assert.deepEqual(heard, ['first 1', 'second 1', 'first 2', 'second 2'])
  })

  test('subscribe returns its undo', async () => {
    const bus = create()
    const heard = []
    const stop = bus.subscribe('a:b', ({ data }) => heard.push(data))
    bus.publish('a:b', 1)
    await settled(bus)
    stop()
    bus.publish('a:b', 2)
    await settled(bus)
    assert.deepEqual(heard, [1])
    assert.equal(bus.listenerCount('a:b'), 0)
  })

  test('subscribeOnce hears one event, also of two in the same tick, and can be taken back', async () => {
    const bus = create()
    const heard = []
    bus.subscribeOnce('a:b', ({ data }) => heard.push(data))
    bus.subscribeOnce('a:b', () => heard.push('taken back'))()
    bus.publish('a:b', 1)
    bus.publish('a:b', 2)
    await settled(bus)
    assert.deepEqual(heard, [1])
  })

  test('waitFor resolves to the next event, and leaves no listener behind', async () => {
    const bus = create()
    const waiting = bus.waitFor('a:b', 60_000)
    const event = bus.publish('a:b', 1)
    assert.equal(await waiting, event)
    assert.equal(bus.listenerCount('a:b'), 0)
  })

  test('waitFor rejects when nothing comes', async () => {
    const bus = create()
    await assert.rejects(bus.waitFor('a:b', 1), { code: 'ERR_BUS_TIMEOUT' })
    assert.equal(bus.listenerCount('a:b'), 0)
  })

  test('the history is bounded, and has filters for a type and a number', () => {
    const bus = create({ historyLimit: 3 })
    for (const type of ['a:1', 'a:2', 'a:1', 'a:3']) bus.publish(type)
    const types = (filter) => bus.getHistory(filter).map(({ type }) => type)
    assert.deepEqual(types(), ['a:2', 'a:1', 'a:3'])
    assert.deepEqual(types({ type: 'a:1' }), ['a:1'])
    assert.deepEqual(types({ limit: 2 }), ['a:1', 'a:3'])
  })

  test('getStats is its own', () => {
    const bus = create()
    bus.subscribe('*', () => {})
    for (const type of ['a:1', 'a:2', 'a:1']) bus.publish(type)
    assert.deepEqual(bus.getStats(), { published: 3, byType: { 'a:1': 2, 'a:2': 1 }, history: 3 })
  })

  // Code that relied on synchronous delivery. Of each pair only the first passed before, and only the second passes now.

  if (deferred) {
    test('publish returns before a listener has started', async () => {
      const bus = create()
      let heard = false
      bus.subscribe('a:b', () => {
        heard = true
      })
      bus.publish('a:b')
      assert.equal(heard, false)
      await bus.idle()
      assert.equal(heard, true)
    })

    test('a listener that throws concerns neither publish nor the other listeners, and is told to onError', async () => {
      const failures = []
      const bus = create({ onError: (type, error) => failures.push([type, error.message]) })
      let heard = false
      bus.subscribe('a:b', () => {
        throw new Error('no')
      })
      bus.subscribe('a:b', () => {
        heard = true
      })
      bus.publish('a:b')
      await bus.idle()
      assert.deepEqual(failures, [['a:b', 'no']])
      assert.equal(heard, true)
    })

    test('an event of a listener comes after those published already', async () => {
      assert.deepEqual(await nested(create()), ['outer first', 'outer second', 'inner'])
    })
  } else {
    // Code that reads a listener's results, right after `publish`, now has to wait.
    test('a listener has run when publish returns', () => {
      const bus = create()
      let heard = false
      bus.subscribe('a:b', () => {
        heard = true
      })
      bus.publish('a:b')
      assert.equal(heard, true)
    })

    // A `try` around `publish` was how one learned of failures. It is `onError` now, and `emitAndWait`.
    test("publish throws a listener's error, and later listeners are not called", () => {
      const bus = create()
      let heard = false
      bus.subscribe('a:b', () => {
        throw new Error('no')
      })
      bus.subscribe('a:b', () => {
        heard = true
      })
      assert.throws(() => bus.publish('a:b'), { message: 'no' })
      assert.equal(heard, false)
    })

    // An event of a listener's own was delivered in the middle of the one it came from.
    test('an event of a listener comes before the rest of the events it hears', async () =>
      assert.deepEqual(await nested(create()), ['outer first', 'inner', 'outer second']))
  }
})

async function nested(bus) {
  const heard = []
  bus.subscribe('outer:x', () => {
    heard.push('outer first')
    bus.publish('inner:x')
  })
  bus.subscribe('outer:x', () => heard.push('outer second'))
  bus.subscribe('inner:x', () => heard.push('inner'))
  bus.publish('outer:x')
  await settled(bus)
  return heard
}
