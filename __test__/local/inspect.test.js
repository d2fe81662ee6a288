'use strict'

// The output of console.log for a bus.

const assert = require('node:assert/strict')
const { test } = require('node:test')
const { inspect } = require('node:util')
const { ParallelEventBus } = require('../..')

test('its events with the number of their listeners, and of pending ones', async () => {
  const bus = new ParallelEventBus()
  assert.equal(inspect(bus), 'ParallelEventBus { events: {}, pending: 0 }')
  bus.on('created', () => {})
  bus.on('created', () => {})
  const symbol = Symbol('s')
  bus.once(symbol, () => {})
  bus.emit('created')
  // How a symbol is shown depends on the version of Node.
  const shown = inspect({ events: { created: 2, [symbol]: 1 }, pending: 1 })
  assert.equal(inspect(bus).replace(/\s+/g, ' '), `ParallelEventBus ${shown}`)
  await bus.close()
  assert.equal(inspect(bus), 'ParallelEventBus { events: {}, pending: 0, closed: true }')
})

test('its channel', async (t) => {
  const bus = new ParallelEventBus({ channel: 'inspected' })
  t.after(() => bus.close())
  assert.equal(inspect(bus), "ParallelEventBus { channel: 'inspected', events: {}, pending: 0 }")
})

test("a subclass by its name, with its own fields, their getters unread, and nothing of EventEmitter's", () => {
  class Orders extends ParallelEventBus {
    debug = true
    #secret = 1
    constructor() {
      super({ captureRejections: true })
      Object.defineProperty(this, 'lazy', { get: () => assert.fail('read'), enumerable: true })
    }
    get secret() {
      return this.#secret
    }
  }
  const bus = new Orders()
  assert.equal(inspect(bus), 'Orders { events: {}, pending: 0, debug: true, lazy: [Getter] }')
  delete bus.debug
  assert.equal(inspect(bus), 'Orders { events: {}, pending: 0, lazy: [Getter] }')
})

test('depth, colours and references to itself are as for any object', () => {
  const bus = new ParallelEventBus()
  bus.on('x', () => {})
  assert.equal(inspect({ a: { b: bus } }, { depth: 1 }), '{ a: { b: [ParallelEventBus] } }')
  assert.equal(inspect(bus, { depth: 0 }), 'ParallelEventBus { events: [Object], pending: 0 }')
  assert.ok(inspect(bus, { colors: true }).includes('pending: \u001b[33m0\u001b[39m'))
  bus.self = bus
  const shown = '<ref *1> ParallelEventBus { events: { x: 1 }, pending: 0, self: [Circular *1] }'
  assert.equal(inspect(bus, { depth: Number.POSITIVE_INFINITY, breakLength: 200 }), shown)
})

test('a bus behind a proxy is shown as the bus, and an object that only inherits from one as it is', () => {
  const bus = new ParallelEventBus()
  assert.equal(inspect(new Proxy(bus, {})), inspect(bus))
  assert.equal(inspect(Object.create(bus)), 'ParallelEventBus {}')
  assert.match(inspect(ParallelEventBus.prototype), /^EventEmitter \{/)
})
