'use strict'

// The names that a subclass may use and override.

const assert = require('node:assert/strict')
const { test } = require('node:test')
const { ParallelEventBus } = require('../..')

test('a subclass may name its own things as it likes, and override public methods', async () => {
  class Sub extends ParallelEventBus {
    constructor() {
      super()
      this._stats = 'own'
      this._history = []
      this.debug = true
      this.pending = 'own'
      this.added = []
    }
    on(event, listener) {
      this.added.push(event)
      return super.on(event, listener)
    }
    getStats() {
      throw new Error('own')
    }
    request() {
      throw new Error('own')
    }
    idle() {
      throw new Error('own')
    }
    clear() {
      throw new Error('own')
    }
    publish() {
      throw new Error('own')
    }
    removeAllListeners() {
      throw new Error('own')
    }
    setMaxListeners() {
      throw new Error('own')
    }
    listenerCount() {
      throw new Error('own')
    }
    listeners() {
      throw new Error('own')
    }
  }
  const bus = new Sub()
  let calls = 0
  bus.on('x', () => calls++)
  bus.once('x', () => calls++)
  assert.deepEqual(bus.added, ['x', 'x'], 'once goes through on, as in EventEmitter')
  assert.equal((await bus.emitAndWait('x')).success, 2)
  assert.equal(await bus.with({ timeout: 1000 }).request('x'), 2)
  await bus.close()
  assert.equal(calls, 3)
})

test('emit may be overridden and called through super', async () => {
  class Sub extends ParallelEventBus {
    emit(event, ...args) {
      const heard = super.emit(event, ...args)
      return super.emit('*', event, ...args) || heard
    }
  }
  const bus = new Sub()
  const seen = []
  bus.on('*', (...args) => seen.push(args))
  bus.on('x', (...args) => seen.push(args))
  bus.emit('x', 1)
  await bus.idle()
  assert.deepEqual(
    seen.filter(([event]) => event !== 'newListener'),
    [[1], ['x', 1]],
  )
})
