'use strict'

// The async context of the emitter is that of the listeners.

const assert = require('node:assert/strict')
const { AsyncLocalStorage, createHook, executionAsyncId } = require('node:async_hooks')
const { spawnSync } = require('node:child_process')
const path = require('node:path')
const { test } = require('node:test')
const { setImmediate: turn } = require('node:timers/promises')
const { Worker } = require('node:worker_threads')
const { ParallelEventBus } = require('../..')

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

test('a context that a listener enters stays within its emission', async () => {
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

/** The contexts in which events of another thread, or bus, are heard, where a context has the library's first use. */
async function heardIn(body) {
  const source = `
    const { AsyncLocalStorage } = require('node:async_hooks')
    const { parentPort, Worker } = require('node:worker_threads')
    const root = ${JSON.stringify(path.join(__dirname, '../..'))}
    const storage = new AsyncLocalStorage()
    const library = () => require(root).ParallelEventBus
    const tell = () => parentPort.postMessage(storage.getStore() ?? 'none')
    const emitElsewhere = () => {
      const source = "const { ParallelEventBus } = require(" + JSON.stringify(root) + ");" +
        "new ParallelEventBus({ channel: 'contexts' }).emit('x')"
      return new Worker(source, { eval: true })
    }
    ${body}
  `
  const worker = new Worker(source, { eval: true })
  try {
    return await new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject))
  } finally {
    await worker.terminate()
  }
}

test('events of other threads come in no async context, wherever the library is loaded, joined and first used', async () => {
  const ways = {
    joined: `
      const ParallelEventBus = library()
      const bus = storage.run('joined', () => new ParallelEventBus({ channel: 'contexts' }))
      storage.run('registered', () => bus.on('x', tell))
      emitElsewhere()`,
    loaded: `
      storage.run('loaded', () => new (library())({ channel: 'contexts' }).on('x', tell))
      emitElsewhere()`,
    used: `
      const ParallelEventBus = library()
      const first = new ParallelEventBus()
      first.on('y', () => {
        const bus = new ParallelEventBus({ channel: 'contexts' })
        bus.on('x', tell)
        storage.run('emitted', () => new ParallelEventBus({ channel: 'contexts' }).emit('x'))
      })
      storage.run('used', () => first.emit('y'))`,
    awaited: `
      storage.run('awaited', async () => {
        const ParallelEventBus = library()
        const bus = new ParallelEventBus({ channel: 'contexts' })
        bus.on('x', tell)
        await null
        emitElsewhere()
      })`,
  }
  for (const [way, body] of Object.entries(ways)) assert.equal(await heardIn(body), 'none', way)
})

test('a store that listeners or emitters had is not kept by the thread', async () => {
  const source = `
    const { AsyncLocalStorage } = require('node:async_hooks')
    const { setImmediate: turn } = require('node:timers/promises')
    const { ParallelEventBus } = require(${JSON.stringify(path.join(__dirname, '../..'))})
    const storage = new AsyncLocalStorage()
    const references = []
    const use = async (channel) => {
      const bus = new ParallelEventBus({ channel })
      const other = new ParallelEventBus({ channel })
      other.on('x', (memory) => memory)
      bus.on('x', () => {})
      await bus.emitAndWait('x', new SharedArrayBuffer(1))
      await other.close()
      await bus.close()
    }
    const useWithStore = (channel) => {
      const store = { channel }
      references.push(new WeakRef(store))
      return storage.run(store, () => use(channel))
    }
    const run = async () => {
      for (const channel of [undefined, 'stores']) await useWithStore(channel)
      // The library may know the last of anything.
      await use('stores')
      for (let round = 0; round < 20 && references.some((each) => each.deref()); round++) {
        await turn()
        gc()
      }
      console.log(references.filter((each) => each.deref()).length)
    }
    run()
  `
  const { stdout, stderr } = spawnSync(process.execPath, ['--expose-gc', '-e', source], { encoding: 'utf8' })
  assert.deepEqual([stdout, stderr], ['0\n', ''])
})
