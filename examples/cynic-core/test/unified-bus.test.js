'use strict'

// UnifiedBus on both bases.

const assert = require('node:assert/strict')
const { test } = require('node:test')
const { setImmediate: turn } = require('node:timers/promises')
const { onBothBases, settled } = require('./support/bases.js')

const NAME = 'perception:human:state'

onBothBases('unified-bus.js', 'UnifiedBus', ({ create, deferred }) => {
  test('wildcards match at each level, and only there', async () => {
    const bus = create()
    const heard = []
    const matching = [
      'perception:human:state',
      'perception:human:*',
      'perception:*:state',
      'perception:*:*',
      '*:human:state',
      '*:human:*',
      '*:*:state',
      '*:*:*',
    ]
    const others = ['perception:human:mood', 'judgment:*:*', '*:dog:*', '*:*:mood']
    for (const pattern of [...others, ...matching]) bus.subscribe(pattern, ({ name }) => heard.push([pattern, name]))
    bus.publish(NAME, { calm: true })
    await settled(bus)
    assert.deepEqual(
      heard,
      matching.map((pattern) => [pattern, NAME]),
    )
  })

  test('every subscriber gets the same event; subscribe returns its undo', async () => {
    const bus = create()
    const heard = []
    const stops = [NAME, '*:*:*'].map((pattern) => bus.subscribe(pattern, (event) => heard.push(event)))
    const event = bus.publish(NAME, { calm: true }, { source: 'eye' })
    await settled(bus)
    for (const stop of stops) stop()
    bus.publish(NAME)
    await settled(bus)
    assert.deepEqual(heard, [event, event])
    assert.equal(heard[0], heard[1])
    assert.deepEqual([event.name, event.payload, event.source], [NAME, { calm: true }, 'eye'])
  })

  test('names and patterns of other shapes are refused', () => {
    const bus = create()
    for (const name of ['a', 'a:b', 'a:b:c:d', 'a::c', 'a:*:c', '', undefined]) {
      assert.throws(() => bus.publish(name), TypeError)
    }
    for (const pattern of ['*', 'a:*', 'a:b:c:*', '::', undefined]) {
      assert.throws(() => bus.subscribe(pattern, () => {}), TypeError)
    }
  })

  test('request resolves to the first reply of the matching listeners', async () => {
    const bus = create()
    bus.subscribe('perception:*:state', (event) => event.reply(`${event.payload}, calm`))
    bus.subscribe('*:*:*', (event) => event.reply('too late'))
    assert.equal(await bus.request(NAME, 'human', { timeout: 60_000 }), 'human, calm')
  })

  test('request rejects when nobody subscribes, and when nobody replies', async () => {
    const bus = create()
    await assert.rejects(bus.request(NAME), { code: 'ERR_BUS_UNHEARD' })
    bus.subscribe(NAME, () => {})
    await assert.rejects(bus.request(NAME, null, { timeout: 1 }), { code: 'ERR_BUS_TIMEOUT' })
  })

  test('the history is bounded, and filtered by pattern, source, time and number', () => {
    let now = 0
    const bus = create({ historyLimit: 4, now: () => now })
    for (const [name, source] of [
      ['a:x:dropped', 'one'],
      ['a:x:1', 'one'],
      ['a:y:2', 'two'],
      ['b:x:3', 'one'],
      ['b:y:4', 'two'],
    ]) {
      now++
      bus.publish(name, null, { source })
    }
    const names = (filter) => bus.history(filter).map(({ name }) => name)
    assert.deepEqual(names(), ['a:x:1', 'a:y:2', 'b:x:3', 'b:y:4'])
    assert.deepEqual(names({ pattern: '*:x:*' }), ['a:x:1', 'b:x:3'])
    assert.deepEqual(names({ source: 'two' }), ['a:y:2', 'b:y:4'])
    assert.deepEqual(names({ since: 4 }), ['b:x:3', 'b:y:4'])
    assert.deepEqual(names({ pattern: 'b:*:*', source: 'one', since: 1, limit: 1 }), ['b:x:3'])
  })

  test('health tells events per second of late, and how long handlers took from the publishing', async () => {
    let now = 0
    const bus = create({ now: () => now })
    assert.deepEqual(bus.health(), { eventsPerSecond: 0, handled: 0, p50: 0, p95: 0 })
    // Each handler moves the clock: for 18 of 20 events by 2 ms, and for the last two by 40, after its first await.
    bus.subscribe('a:b:quick', () => {
      now += 2
    })
    bus.subscribe('a:b:slow', async () => {
      await null
      now += 40
    })
    for (let count = 0; count < 20; count++) {
      bus.publish(count < 18 ? 'a:b:quick' : 'a:b:slow')
      await settled(bus)
      await turn()
    }
    const { eventsPerSecond, handled, p50, p95 } = bus.health()
    assert.deepEqual([eventsPerSecond, handled, Math.round(p50), Math.round(p95)], [20, 20, 2, 40])
    now += 3000
    assert.ok(Math.abs(bus.health().eventsPerSecond - 20 / 3.116) < 0.01)
    now += 60_000
    assert.equal(bus.health().eventsPerSecond, 0)
  })

  test('a handler that fails counts as handled, too', async () => {
    const bus = create({ onError() {} })
    bus.subscribe(NAME, () => {
      throw new Error('no')
    })
    try {
      bus.publish(NAME)
    } catch (error) {
      // An EventEmitter throws it here: this relied on synchronous delivery.
      assert.equal(deferred, false)
      assert.equal(error.message, 'no')
    }
    await settled(bus)
    assert.equal(bus.health().handled, 1)
  })
})
