'use strict'

// CoreBus before and after: one suite for the emitter it used to be and the bus it holds.

const assert = require('node:assert/strict')
const { EventEmitter } = require('node:events')
const { describe, test } = require('node:test')
const { setImmediate: turn } = require('node:timers/promises')
const { CoreBus, ParallelEventBus } = require('@cynic/core')
const { BASES } = require('./support/bases.js')

for (const Emitter of BASES) {
  const create = (options) => new CoreBus({ Emitter, ...options })

  describe(`CoreBus with ${Emitter.name}`, () => {
    test('stays an EventEmitter', () => {
      const bus = create()
      assert.ok(bus instanceof EventEmitter)
      assert.ok(!(bus instanceof ParallelEventBus))
    })

    test('publish tells the type, then everything, in an envelope', async () => {
      const bus = create({ source: 'judge' })
      const heard = []
      for (const type of ['*', 'score', 'other']) bus.subscribe(type, (envelope) => heard.push([type, envelope]))
      const envelope = bus.publish('score', 5)
      await bus.idle()
      assert.deepEqual(heard, [
        ['score', envelope],
        ['*', envelope],
      ])
      const { id, timestamp, ...rest } = envelope
      assert.match(id, /^[0-9a-f-]{36}$/)
      assert.ok(Math.abs(Date.now() - timestamp) < 60_000)
      assert.deepEqual(rest, { type: 'score', payload: 5, source: 'judge', correlationId: id, reply: envelope.reply })
    })

    test('a source and a correlation that are named are kept', () => {
      const { source, correlationId } = create().publish('score', 5, { source: 'pack', correlationId: 'c' })
      assert.deepEqual([source, correlationId], ['pack', 'c'])
    })

    test('subscriptions can be taken back; subscribeOnce hears one event', async () => {
      const bus = create()
      const heard = []
      const stop = bus.subscribe('x', ({ payload }) => heard.push(`always ${payload}`))
      bus.subscribeOnce('x', ({ payload }) => heard.push(`once ${payload}`))
      bus.subscribeOnce('x', () => heard.push('taken back'))()
      for (const payload of [1, 2]) bus.publish('x', payload)
      await bus.idle()
      stop()
      bus.publish('x', 3)
      await bus.idle()
      assert.deepEqual(heard, ['always 1', 'once 1', 'always 2'])
    })

    test('a middleware sees an event before all listeners, and may block it', async () => {
      const bus = create()
      const heard = []
      const blocked = []
      bus.on('blocked', ({ payload }) => blocked.push(payload))
      bus.subscribe('x', ({ payload }) => heard.push(payload))
      const stop = bus.use(({ payload }) => payload !== 'bad')
      assert.equal(bus.publish('x', 'bad'), null)
      // The bus's own events are its EventEmitter's, so heard at once.
      assert.deepEqual(blocked, ['bad'])
      assert.equal(bus.publish('x', 'good').payload, 'good')
      stop()
      bus.publish('x', 'bad')
      await bus.idle()
      assert.deepEqual(heard, ['good', 'bad'])
      assert.deepEqual(
        bus.history().map(({ payload }) => payload),
        ['good', 'bad'],
      )
    })

    test('request resolves to the first reply, which is published as well', async () => {
      const bus = create()
      bus.subscribe('double', (envelope) => envelope.reply(envelope.payload * 2))
      bus.subscribe('double', (envelope) => envelope.reply('late'))
      assert.equal(await bus.request('double', 21, { timeout: 60_000, correlationId: 'c' }), 42)
      await bus.idle()
      const replies = bus.history({ type: 'double:reply' })
      assert.deepEqual(
        replies.map(({ payload, correlationId }) => [payload, correlationId]),
        [
          [42, 'c'],
          ['late', 'c'],
        ],
      )
    })

    test('request rejects when no reply comes, and when it is blocked', async () => {
      const bus = create()
      await assert.rejects(bus.request('x', 1, { timeout: 1 }), { code: 'ERR_BUS_TIMEOUT' })
      bus.use(() => false)
      await assert.rejects(bus.request('x', 1), { code: 'ERR_BUS_BLOCKED' })
    })

    test('a reply that a middleware blocks is none', async () => {
      const bus = create()
      bus.use(({ type }) => type !== 'x:reply')
      bus.subscribe('x', (envelope) => envelope.reply(1))
      await assert.rejects(bus.request('x', 1, { timeout: 1 }), { code: 'ERR_BUS_TIMEOUT' })
    })

    test('a failing handler becomes component:error, whether it throws or rejects, and others go on', async () => {
      const bus = create()
      const errors = []
      let heard = 0
      bus.subscribe('component:error', ({ payload, correlationId }) => errors.push([payload, correlationId]))
      bus.subscribe('x', () => {
        throw new Error('thrown')
      })
      bus.subscribe('x', async () => {
        throw new Error('rejected')
      })
      bus.subscribe('x', () => heard++)
      const { id } = bus.publish('x', 1)
      await bus.idle()
      // Where events are delivered at once, nothing tells when an async handler is done.
      await turn()
      assert.deepEqual(errors.map(([{ error, type }, from]) => [error.message, type, from]).sort(), [
        ['rejected', 'x', id],
        ['thrown', 'x', id],
      ])
      assert.equal(heard, 1)
    })

    test('a handler of component:error that fails is warned of, and nothing more', async (t) => {
      const bus = create()
      const warned = new Promise((resolve) => t.mock.method(process, 'emitWarning', resolve))
      bus.subscribe('component:error', () => {
        throw new Error('again')
      })
      bus.subscribe('x', () => {
        throw new Error('no')
      })
      bus.publish('x')
      assert.equal((await warned).message, 'again')
      assert.equal(bus.history({ type: 'component:error' }).length, 1)
    })

    test('the history holds the last 1000, and has filters for a type and a number', () => {
      const bus = create()
      for (let number = 0; number < 1001; number++) bus.publish(number % 2 ? 'odd' : 'even', number)
      assert.equal(bus.history().length, 1000)
      assert.equal(bus.history()[0].payload, 1)
      assert.equal(bus.history({ type: 'odd' }).length, 500)
      assert.deepEqual(
        bus.history({ type: 'even', limit: 2 }).map(({ payload }) => payload),
        [998, 1000],
      )
    })

    test('clear forgets all, and fails waiting requests', async () => {
      const bus = create()
      const told = []
      bus.on('cleared', () => told.push('cleared'))
      bus.use(() => true)
      bus.subscribe('x', () => told.push('heard'))
      const request = bus.request('y', 1, { timeout: 60_000 })
      bus.clear()
      await assert.rejects(request, { code: 'ERR_BUS_CLEARED' })
      bus.publish('x')
      await bus.idle()
      assert.deepEqual(told, ['cleared'])
      assert.equal(bus.history().length, 1)
    })

    // Code that relied on synchronous delivery: only the second of each pair is true of the bus that is held.

    const expected = Emitter === ParallelEventBus ? 'before' : 'after'
    // Code that reads a handler's results, right after `publish`, has to wait: `idle`, or a `request`.
    test(`publish returns ${expected} the handlers have started`, async () => {
      const bus = create()
      let heard = false
      bus.subscribe('x', () => {
        heard = true
      })
      bus.publish('x')
      assert.equal(heard, expected === 'after')
      await bus.idle()
      assert.equal(heard, true)
    })
  })
}
