'use strict'

// In EventEmitter's place to the letter: every way to inherit, to copy, to stand before a bus, and undocumented things
// that programs do to it.

const assert = require('node:assert/strict')
const { EventEmitter } = require('node:events')
const { test } = require('node:test')
const util = require('node:util')
const { ParallelEventBus } = require('../..')

const DEFAULT = 55

/** A constructor of old, that inherits by `util.inherits`. */
function inheriting(call = true) {
  function Orders(options) {
    if (call) ParallelEventBus.call(this, options)
  }
  util.inherits(Orders, ParallelEventBus)
  return Orders
}

const waysToBeABus = {
  'util.inherits': () => new (inheriting())(),
  'util.inherits, without a call of the constructor': () => new (inheriting(false))(),
  'Object.setPrototypeOf': () => {
    function Orders() {
      ParallelEventBus.call(this)
    }
    Object.setPrototypeOf(Orders.prototype, ParallelEventBus.prototype)
    return new Orders()
  },
  'Reflect.construct': () => Reflect.construct(ParallelEventBus, [], inheriting()),
  'an instance as prototype': () => {
    function Orders() {
      ParallelEventBus.call(this)
    }
    Orders.prototype = new ParallelEventBus()
    return new Orders()
  },
  'a mixin': () => Object.assign({ name: 'orders' }, ParallelEventBus.prototype),
  'a mixin, with a call of the constructor': () => {
    const orders = Object.assign(Object.create({ name: 'orders' }), ParallelEventBus.prototype)
    ParallelEventBus.call(orders)
    return orders
  },
  'Object.create of a bus': () => Object.create(new ParallelEventBus()),
  'a proxy': () => new Proxy(new ParallelEventBus(), {}),
}

for (const [way, make] of Object.entries(waysToBeABus)) {
  test(`${way}: a bus that keeps its own listeners and calls them with itself as this`, async () => {
    const [bus, other] = [make(), make()]
    const heard = []
    const receiver = function listener(value) {
      heard.push([this === bus, value])
    }
    assert.equal(bus.emit('x'), false)
    assert.equal(bus.on('x', receiver), bus)
    assert.equal(bus.once('x', receiver), bus)
    bus.prependListener('x', receiver, { timeout: 60_000 })
    assert.equal(other.emit('x'), false)
    assert.equal(bus.emit('x', 1), true)
    await bus.idle()
    assert.deepEqual(heard, new Array(3).fill([true, 1]))
    assert.equal(bus.listenerCount('x'), 2)
    assert.equal(bus.getMaxListeners(), DEFAULT)
    assert.deepEqual(await bus.emitAndWait('x', 2), { success: 2, failed: 0, errors: [] })
    assert.throws(() => bus.emit('error', new Error('unheard')), /unheard/)
    assert.equal(bus.off('x', receiver), bus)
    assert.equal(bus.removeAllListeners(), bus)
    assert.equal(bus.getStats().eventsEmitted, 2)
    await bus.close()
  })
}

test('the constructor takes its options however it is called, and keeps the listeners of a bus', async () => {
  const Orders = inheriting()
  assert.equal(new Orders({ maxListeners: 3 }).getMaxListeners(), 3)
  assert.throws(() => new Orders({ maxListeners: '3' }), { code: 'ERR_INVALID_ARG_TYPE' })

  const early = new (inheriting(false))()
  let calls = 0
  early.once('x', () => calls++)
  early.emit('x')
  ParallelEventBus.call(early)
  await early.idle()
  assert.equal(calls, 1)
})

test('a forgotten new is told', () => {
  const forgotten = { name: 'TypeError', message: /without 'new'/ }
  assert.throws(() => ParallelEventBus(), forgotten)
  assert.throws(() => ParallelEventBus.call(Object.create(ParallelEventBus.prototype)), forgotten)
})

test('a bus has the methods that an EventEmitter has, under the names it has them', () => {
  // In Bun the constructor can be enumerated.
  const isMethod = (prototype) => (key) => key !== 'constructor' && typeof prototype[key] === 'function'
  const of = (prototype) => Object.keys(prototype).filter(isMethod(prototype))
  const own = of(ParallelEventBus.prototype)
  for (const key of of(EventEmitter.prototype)) {
    assert.ok(own.includes(key), key)
    assert.equal(ParallelEventBus.prototype[key].name, EventEmitter.prototype[key].name)
  }
  assert.equal(ParallelEventBus.prototype.on, ParallelEventBus.prototype.addListener)
  assert.equal(ParallelEventBus.prototype.off, ParallelEventBus.prototype.removeListener)
})

test('lists that somebody has deleted are made again', async () => {
  for (const remove of [(bus) => delete bus._events, (bus) => Object.assign(bus, { _events: undefined })]) {
    const use = {
      emit: (bus) => assert.equal(bus.emit('x'), false),
      emitAndWait: async (bus) => assert.equal((await bus.emitAndWait('x')).success, 0),
      request: (bus) => assert.rejects(bus.request('x'), { code: 'ERR_NO_LISTENERS' }),
      off: (bus) => bus.off('x', () => {}),
      removeAllListeners: (bus) => bus.removeAllListeners().removeAllListeners('x'),
      on: async (bus) => assert.equal((await bus.on('x', () => {}).emitAndWait('x')).success, 1),
      once: async (bus) => assert.equal((await bus.once('x', () => {}).emitAndWait('x')).success, 1),
      inspect: (bus) => assert.match(util.inspect(bus), /events: \{\}/),
      error: (bus) => assert.throws(() => bus.emit('error', new Error('unheard')), /unheard/),
      close: (bus) => bus.close(),
    }
    for (const act of Object.values(use)) {
      const bus = new ParallelEventBus()
      bus.on('x', () => {})
      remove(bus)
      await act(bus)
    }
  }
})

test("EventEmitter's own methods, called on a bus, leave queued events alone", async () => {
  const { on, prependListener, removeListener, removeAllListeners } = EventEmitter.prototype
  const [first, second, third] = [() => {}, () => {}, () => {}]
  const changes = [
    (bus) => on.call(bus, 'x', () => {}),
    (bus) => prependListener.call(bus, 'x', () => {}),
    (bus) => removeListener.call(bus, 'x', first),
    (bus) => removeListener.call(bus, 'x', second),
    (bus) => removeAllListeners.call(bus, 'x'),
    // As many as before, and others.
    (bus) => on.call(removeListener.call(bus, 'x', second), 'x', third),
    (bus) => {
      bus._events.x[0] = () => {}
    },
  ]
  for (const change of changes) {
    const bus = new ParallelEventBus()
    for (const listener of [first, second, third]) bus.on('x', listener)
    const outcome = bus.emitAndWait('x')
    change(bus)
    assert.deepEqual(await outcome, { success: 3, failed: 0, errors: [] })
    assert.equal((await bus.emitAndWait('x')).success, bus.listenerCount('x'))
    await bus.close()
    assert.equal(bus.getStats().pending, 0)
  }
})

test('lists of listeners look as those of an EventEmitter', () => {
  const lists = (emitter) => {
    emitter.on('x', Math.abs).on('x', Math.ceil).on('y', Math.abs)
    emitter.emit('x')
    return emitter._events
  }
  const [ours, theirs] = [lists(new ParallelEventBus()), lists(new EventEmitter())]
  assert.deepEqual(ours, theirs)
  assert.deepEqual(Object.keys(ours.x), ['0', '1'])
  assert.equal(util.inspect(ours), util.inspect(theirs))
})

test('a third argument that is no plain object is ignored, as EventEmitter does', async () => {
  for (const third of [null, false, true, 5, 'capture', [], () => {}, new EventEmitter(), new (class Context {})()]) {
    for (const method of ['on', 'addListener', 'once', 'prependListener', 'prependOnceListener']) {
      const bus = new ParallelEventBus()
      bus[method]('x', () => {}, third)
      assert.equal((await bus.emitAndWait('x')).success, 1, `${method} with ${util.inspect(third)}`)
    }
  }
  const options = Object.assign(Object.create(null), { once: true })
  const bus = new ParallelEventBus().on('x', () => {}, options)
  assert.deepEqual([bus.emit('x'), bus.emit('x')], [true, false])
})

test('wrong listeners are refused in the words of EventEmitter by every way to register', () => {
  for (const listener of [undefined, null, 5, 'text', {}, Symbol('s')]) {
    for (const method of ['on', 'once', 'prependListener', 'prependOnceListener', 'off']) {
      const told = (emitter) => {
        try {
          emitter[method]('x', listener)
          return 'nothing'
        } catch ({ name, code, message }) {
          return { name, code, message }
        }
      }
      assert.deepEqual(told(new ParallelEventBus()), told(new EventEmitter()), `${method}(${String(listener)})`)
    }
  }
})

/** Has a value of its kind for any name, as deep mocks and proxies of remote objects do; or itself. */
const having = (calls, value) => {
  const proxy = new Proxy(() => {}, {
    get: (_target, key) => (key === 'then' ? undefined : value === 'itself' ? proxy : having(calls, value)),
    has: () => true,
    set: () => true,
    apply: (_target, _this, args) => {
      calls.push(args)
    },
  })
  return proxy
}

for (const value of ['another', 'itself']) {
  test(`a listener that has ${value} for any name is called as any other`, async (t) => {
    const calls = []
    const channel = `having ${value}`
    const [bus, remote] = [new ParallelEventBus({ channel }), new ParallelEventBus({ channel })]
    t.after(() => Promise.all([bus.close(), remote.close()]))
    for (const each of [new ParallelEventBus(), bus]) {
      calls.length = 0
      const listener = having(calls, value)
      each.on('x', listener)
      each.once('x', listener)
      assert.deepEqual(await each.emitAndWait('x', 1), { success: 2, failed: 0, errors: [] })
      await each.request('x', 2)
      if (each === bus) await remote.emitAndWait('x', 3)
      assert.deepEqual(calls, each === bus ? [[1], [1], [2], [3]] : [[1], [1], [2]])
      each.off('x', listener)
      assert.equal(each.listenerCount('x'), 0)
    }
  })
}

test('a wrapper with copied properties of a function of rawListeners is a listener of its own', async () => {
  const bus = new ParallelEventBus()
  let calls = 0
  bus.once('x', () => calls++)
  const [raw] = bus.rawListeners('x')
  const wrapper = Object.assign(() => calls++, raw)
  bus.on('x', wrapper)
  await bus.emitAndWait('x')
  await bus.emitAndWait('x')
  assert.equal(calls, 3)
})

test("the then of a listener's result is read once", async () => {
  const values = { plain: 5, thenable: (resolve) => resolve('reply') }
  for (const [name, then] of Object.entries(values)) {
    for (const options of [undefined, { timeout: 60_000 }]) {
      const bus = new ParallelEventBus()
      let reads = 0
      const result = Object.defineProperty({}, 'then', {
        get() {
          reads++
          return then
        },
      })
      bus.on('x', () => result, options)
      await bus.emitAndWait('x')
      if (name === 'thenable') assert.equal(reads, 1)
      reads = 0
      await bus.request('x')
      if (name === 'thenable') assert.equal(reads, 1)
    }
  }
})

test('another global Promise changes nothing, whenever it is installed', async () => {
  const { Promise: Native } = globalThis
  class Other {
    constructor(executor) {
      this.own = new Native(executor)
    }
    then(...args) {
      return new Other((resolve, reject) => this.own.then(...args).then(resolve, reject))
    }
    static resolve = (value) => new Other((resolve) => resolve(value))
  }
  const bus = new ParallelEventBus({ onError() {} })
  bus.on('native', async () => 'native')
  bus.on('bounded', async () => 'bounded', { timeout: 60_000 })
  bus.on('other', () => Other.resolve('other'))
  bus.on('fails', () => new Other((_resolve, reject) => reject(new Error('other'))))
  globalThis.Promise = Other
  try {
    for (const event of ['native', 'bounded', 'other']) {
      assert.equal((await bus.emitAndWait(event)).success, 1, event)
      assert.equal(await bus.request(event), event)
    }
    assert.equal((await bus.emitAndWait('fails')).failed, 1)
    await bus.idle()
    await bus.close()
  } finally {
    globalThis.Promise = Native
  }
})
