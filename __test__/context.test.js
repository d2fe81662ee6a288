'use strict'

// The async context of the emitter is that of the listeners.

const assert = require('node:assert/strict')
const { AsyncLocalStorage, createHook, executionAsyncId } = require('node:async_hooks')
const { test } = require('node:test')
const { setImmediate: turn } = require('node:timers/promises')
const { ParallelEventBus } = require('..')

test('listeners run in the AsyncLocalStorage of each emit, before and after they wait', async () => {
  const storage = new AsyncLocalStorage()
  const bus = new ParallelEventBus()
  const seen = []
  bus.on('x', (name) => seen.push(['sync', name, storage.getStore()]))
  bus.on('x', async (name) => {
    await turn()
    seen.push(['async', name, storage.getStore()])
  })
  // One burst with several contexts, some of them of the same execution.
  storage.run('a', () => bus.emit('x', 'a'))
  bus.emit('x', undefined)
  storage.run('b', () => {
    bus.emit('x', 'b')
    storage.run('c', () => bus.emit('x', 'c'))
    bus.emit('x', 'b')
  })
  await bus.idle()
  assert.equal(seen.length, 10)
  for (const [kind, name, store] of seen) assert.equal(store, name, kind)
})

test('a listener registered in one context runs in that of the emitter', async () => {
  const storage = new AsyncLocalStorage()
  const bus = new ParallelEventBus()
  const stores = []
  storage.run('registered', () => {
    bus.on('x', () => stores.push(storage.getStore()))
    bus.once('x', () => stores.push(storage.getStore()), { timeout: 1000 })
  })
  await storage.run('emitted', () => bus.emitAndWait('x'))
  assert.deepEqual(stores, ['emitted', 'emitted'])
})

test('what a listener enters stays within its emission', async () => {
  const storage = new AsyncLocalStorage()
  const bus = new ParallelEventBus()
  const stores = []
  bus.on('x', () => {
    stores.push(storage.getStore())
    storage.enterWith('entered')
  })
  bus.emit('x')
  bus.emit('x')
  storage.run('own', () => bus.emit('x'))
  await bus.idle()
  assert.deepEqual(stores, [undefined, undefined, 'own'])
  assert.equal(storage.getStore(), undefined)
})

test('nested emits, onError and awaited outcomes keep the context', async () => {
  const storage = new AsyncLocalStorage()
  const stores = {}
  const bus = new ParallelEventBus({
    onError: () => {
      stores.onError = storage.getStore()
    },
  })
  bus.on('outer', () => {
    bus.emit('inner')
  })
  bus.on('inner', () => {
    stores.inner = storage.getStore()
    throw new Error('x')
  })
  await storage.run('own', async () => {
    await bus.emitAndWait('outer')
    stores.after = storage.getStore()
  })
  await bus.idle()
  assert.deepEqual(stores, { inner: 'own', onError: 'own', after: 'own' })
})

test('async_hooks sees an emission as a resource of its own', async () => {
  const bus = new ParallelEventBus()
  const created = new Map()
  const hook = createHook({
    init: (id, type, trigger) => {
      created.set(id, { type, trigger })
    },
  }).enable()
  const emitter = executionAsyncId()
  let id
  bus.on('x', () => {
    id = executionAsyncId()
  })
  bus.emit('x')
  await bus.idle()
  hook.disable()
  assert.deepEqual(created.get(id), { type: 'ParallelEventBus', trigger: emitter })
})
