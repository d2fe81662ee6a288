'use strict'

// `spawn(() => new Worker(…))`, for bundlers, and `ParallelEventBus.spawned`, the worker's side of it.

const assert = require('node:assert/strict')
const { mkdtempSync, rmSync, writeFileSync } = require('node:fs')
const { tmpdir } = require('node:os')
const path = require('node:path')
const { Worker } = require('node:worker_threads')
const { ParallelEventBus, spawned } = require('../..')
const native = require('../../native.js')
const { inProcess, stage, test, until } = require('../fixtures/stage.js')

const PACKAGE = JSON.stringify(path.join(__dirname, '../..'))

/** Writes a worker's file. Returns a function that starts a worker for it. */
function workersOf(t, source, options) {
  const folder = mkdtempSync(path.join(tmpdir(), 'spawn-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const file = path.join(folder, 'worker.cjs')
  writeFileSync(file, `const { spawned } = require(${PACKAGE});\n${source}`)
  return () => new Worker(file, options)
}

const LISTENING = `
  const { threadId, parentPort } = require('node:worker_threads')
  spawned(async (bus, data) => {
    bus.on('who', () => threadId)
    bus.on('data', () => data)
    bus.on('exit', () => process.exit(3))
    bus.on('fail', () => Promise.reject(new Error('failed')))
    return () => parentPort.postMessage('torn down')
  })`

test('workers that a function starts are a pool like any other', async (t) => {
  const { bus, errors } = stage(t)
  const before = native.counters().threads
  const heard = []
  const start = workersOf(t, LISTENING, { workerData: 'of the worker' })
  const make = () => {
    const worker = start()
    worker.on('message', (message) => heard.push(message))
    return worker
  }
  const pool = await bus.spawn(make, { threads: 2 })
  const ids = pool.threadIds
  assert.ok(ids.includes(await bus.request('who')))
  assert.equal((await bus.emitAndWait('who')).success, 1, 'they are one group')
  assert.equal(await bus.request('data'), 'of the worker')
  await assert.rejects(bus.request('fail'), { message: 'failed' })
  await until(() => errors.length === 1)
  bus.emit('exit')
  await until(() => pool.threadIds.length === 2 && pool.threadIds.some((id) => !ids.includes(id)))
  await pool.recycle()
  assert.deepEqual(await pool.close(), { unsettled: 0 })
  assert.equal(native.counters().threads, before)
  assert.deepEqual(heard, Array(4).fill('torn down'), 'parentPort is the worker’s own')
})

test('the data of spawn goes before that of the worker', async (t) => {
  const { bus } = stage(t)
  const make = workersOf(t, LISTENING, { workerData: 'of the worker' })
  for (const workerData of [{ list: [1n] }, undefined]) {
    const pool = await bus.spawn(make, { threads: 1, workerData })
    assert.deepEqual(await bus.request('data'), workerData)
    await pool.close()
  }
})

test('spawn rejects where the function, its result, or the worker is wrong, and leaves no thread', async (t) => {
  const { bus } = stage(t)
  const before = native.counters().threads
  const fails = workersOf(t, `spawned(() => { throw new RangeError('on purpose') })`)
  const breaks = workersOf(t, `throw new RangeError('on purpose')`)
  for (const make of [fails, breaks]) {
    await assert.rejects(bus.spawn(make, { threads: 2 }), { name: 'RangeError', message: 'on purpose' })
  }
  await assert.rejects(
    bus.spawn(() => {
      throw new Error('no worker')
    }),
    { message: 'no worker' },
  )
  for (const result of [undefined, null, {}, Promise.resolve()]) {
    await assert.rejects(
      bus.spawn(() => result, { threads: 1 }),
      { code: 'ERR_INVALID_ARG_TYPE', message: /result of the function.*instance of Worker/ },
    )
  }
  const make = workersOf(t, LISTENING)
  await assert.rejects(bus.spawn(make, { threads: 1, workerData: () => {} }), { name: 'DataCloneError' })
  await assert.rejects(bus.spawn(make, { env: {} }), {
    code: 'ERR_INVALID_ARG_VALUE',
    message: /belongs to `new Worker`/,
  })
  await until(() => native.counters().threads === before)
})

test('spawned is for workers, and takes a function', async () => {
  assert.equal(ParallelEventBus.spawned, spawned)
  assert.throws(() => spawned(() => {}), { code: 'ERR_NOT_SPAWNED', message: /bus\.spawn/ })
  assert.throws(() => spawned(5), { code: 'ERR_INVALID_ARG_TYPE' })
})

test('a pool of workers of the program lets the process end', async () => {
  const { status, stdout, stderr } = await inProcess(`
    const source = "require(" + ${JSON.stringify(JSON.stringify(path.join(__dirname, '../..')))} + ").spawned((bus) => bus.on('x', () => 5))"
    bus.spawn(() => new Worker(source, { eval: true }), { threads: 2 }).then(async () => console.log(await bus.request('x')))
  `)
  assert.deepEqual([status, stdout, stderr], [0, '5\n', ''])
})
