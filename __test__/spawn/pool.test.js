'use strict'

// `spawn`: threads that listen on a bus's channel as one group, and the failures that keep them from it.

const assert = require('node:assert/strict')
const { copyFileSync, mkdtempSync, rmSync } = require('node:fs')
const { availableParallelism, tmpdir } = require('node:os')
const path = require('node:path')
const { pathToFileURL } = require('node:url')
const { ParallelEventBus } = require('../..')
const native = require('../../native.js')
const { inProcess, stage, test, until } = require('../fixtures/stage.js')

const POOL = path.join(__dirname, '../fixtures/pool.mjs')
/** The system has no such characters in names of files. */
const WINDOWS = process.platform === 'win32'

const ofSource = (source) => `data:text/javascript,${encodeURIComponent(source)}`

/** Fails a test that leaves a thread behind. */
function leavesNoThread(t) {
  const before = native.counters()
  t.after(() => {
    const { threads, mailboxes } = native.counters()
    assert.deepEqual([threads, mailboxes], [before.threads, before.mailboxes])
  })
}

test('spawn resolves when every thread has registered its listeners; they are one group', async (t) => {
  const { bus } = stage(t)
  const pool = await bus.spawn(pathToFileURL(POOL), { threads: 3 })
  assert.equal(new Set(pool.threadIds).size, 3)
  assert.ok(pool.threadIds.every((id) => Number.isInteger(id) && id > 0))
  const calls = new Int32Array(new SharedArrayBuffer(4))
  const together = await Promise.all([0, 1, 2].map(() => bus.request('together', calls, 3)))
  assert.deepEqual(together.sort(), pool.threadIds.sort(), 'each thread had one')
  assert.deepEqual(await bus.emitAndWait('who'), { success: 1, failed: 0, errors: [] })
  assert.deepEqual(await bus.emitAndWait('everywhere'), { success: 3, failed: 0, errors: [] }, 'group: null')
  const another = await bus.spawn(POOL, { threads: 2 })
  assert.deepEqual(await bus.emitAndWait('who'), { success: 2, failed: 0, errors: [] }, 'each spawn is a group')
  await another.close()
  assert.deepEqual(await bus.emitAndWait('who'), { success: 1, failed: 0, errors: [] })
  await pool.close()
})

test('without a number there is a thread for each core', async (t) => {
  const { bus } = stage(t)
  const pool = await bus.spawn(POOL)
  assert.equal(pool.threadIds.length, availableParallelism())
})

test('the module gets the data, and its threads the limits, environment and flags', async (t) => {
  const { bus } = stage(t)
  const workerData = { list: [1n], memory: new SharedArrayBuffer(4) }
  const resourceLimits = { maxOldGenerationSizeMb: 64, maxYoungGenerationSizeMb: 8 }
  const options = { threads: 1, workerData, resourceLimits, env: { POOL: 'yes' }, execArgv: ['--no-warnings'] }
  const pool = await bus.spawn(POOL, options)
  assert.deepEqual((await bus.emitAndWait('data')).success, 1)
  const about = await bus.request('about')
  assert.deepEqual([about.env, about.execArgv], ['yes', ['--no-warnings']])
  assert.equal(about.resourceLimits.maxOldGenerationSizeMb, 64)
  await pool.close()
  const list = await bus.spawn(POOL, { threads: 1, workerData: { list: [1n] } })
  assert.deepEqual(await bus.request('data'), { list: [1n] })
  await list.close()
  const none = await bus.spawn(POOL, { threads: 1 })
  assert.equal(await bus.request('data'), undefined)
  await none.close()
})

test('a module is a URL, a path, its text, or CommonJS', async (t) => {
  const { bus } = stage(t)
  const folder = mkdtempSync(path.join(tmpdir(), WINDOWS ? 'a b#c%20dé ' : 'a b#c%20d?é '))
  t.after(() => rmSync(folder, { recursive: true }))
  const odd = path.join(folder, 'pool.cjs')
  copyFileSync(path.join(__dirname, '../fixtures/pool.cjs'), odd)
  const modules = [
    pathToFileURL(POOL),
    pathToFileURL(POOL).href,
    POOL,
    path.relative(process.cwd(), POOL),
    path.join(__dirname, '../fixtures/pool.cjs'),
    path.join(__dirname, '../fixtures/pool-compiled.cjs'),
    odd,
    pathToFileURL(odd),
    ofSource("export default (bus, data) => bus.on('data', () => data)"),
    new URL(ofSource("export default (bus, data) => bus.on('data', () => data)")),
  ]
  for (const module of modules) {
    const pool = await bus.spawn(module, { threads: 1, workerData: String(module) })
    assert.equal(await bus.request('data'), String(module))
    await pool.close()
    await assert.rejects(bus.request('data'), { code: 'ERR_NO_LISTENERS' })
  }
})

/** Modules that never come to listen, and the errors of `spawn` for them. */
const FAILURES = {
  'throws when it is loaded': ["throw new RangeError('on purpose')", { name: 'RangeError', message: 'on purpose' }],
  'throws when it is called': [
    "export default () => { throw Object.assign(new TypeError('on purpose'), { code: 'E_OWN' }) }",
    { name: 'TypeError', message: 'on purpose', code: 'E_OWN' },
  ],
  rejects: ["export default async () => { throw new Error('on purpose') }", { message: 'on purpose' }],
  'exits when it is loaded': ['process.exit(0)', { code: 'ERR_THREAD_EXITED', message: /ended without being told to/ }],
  'exits when it is called': ['export default () => process.exit(3)', { code: 'ERR_THREAD_EXITED' }],
  'has no default export': ['export const other = 1', { code: 'ERR_INVALID_ARG_TYPE', message: /default export/ }],
  'exports no function': ['export default 5', { code: 'ERR_INVALID_ARG_TYPE', message: /default export/ }],
  'is no JavaScript': ['nonsense nonsense', { name: 'SyntaxError' }],
  'closes its bus and is never ready': [
    'export default (bus) => { bus.close(); return new Promise(() => {}) }',
    { code: 'ERR_THREAD_EXITED' },
  ],
}

for (const [what, [source, expected]] of Object.entries(FAILURES)) {
  test(`spawn rejects and leaves no thread when the module ${what}`, async (t) => {
    leavesNoThread(t)
    const { bus, errors } = stage(t)
    await assert.rejects(bus.spawn(ofSource(source), { threads: 2 }), expected)
    assert.deepEqual(errors, [], 'it is not told twice')
  })
}

test('spawn rejects when there is no such module, and when one thread of several fails', async (t) => {
  leavesNoThread(t)
  const { bus } = stage(t)
  await assert.rejects(bus.spawn('./no such module.js', { threads: 2 }), { code: 'ERR_MODULE_NOT_FOUND' })
  const source = `export default (bus, memory) => {
    bus.on('x', () => {})
    if (Atomics.add(new Int32Array(memory), 0, 1) === 2) throw new Error('the third')
  }`
  const memory = new SharedArrayBuffer(4)
  await assert.rejects(bus.spawn(ofSource(source), { threads: 4, workerData: memory }), { message: 'the third' })
  assert.equal(bus.emit('x'), false)
})

test('the arguments of spawn are checked', async (t) => {
  const { bus } = stage(t)
  for (const threads of [0, -1, 1.5, NaN, 100_000]) {
    await assert.rejects(bus.spawn(POOL, { threads }), { code: 'ERR_OUT_OF_RANGE' }, String(threads))
  }
  for (const args of [[POOL, { threads: '2' }], [POOL, null], [POOL, 5], [5], [], [null], [{}]]) {
    await assert.rejects(bus.spawn(...args), { code: 'ERR_INVALID_ARG_TYPE' })
  }
  await assert.rejects(bus.spawn(POOL, { threads: 1, workerData: () => {} }), { name: 'DataCloneError' })
  await assert.rejects(bus.spawn(POOL, { threads: 2, execArgv: ['--no-such-flag'] }), {
    code: 'ERR_WORKER_INVALID_EXEC_ARGV',
  })
  await assert.rejects(new ParallelEventBus().spawn(POOL), { code: 'ERR_INVALID_ARG_VALUE', message: /channel/ })
  assert.equal(bus.emit('who'), false)
})

test('a bus that is closed spawns no threads, nor does one that is closed meanwhile', async (t) => {
  leavesNoThread(t)
  const { bus, channel } = stage(t)
  const closing = new ParallelEventBus({ channel })
  const spawning = assert.rejects(closing.spawn(POOL, { threads: 2 }), { code: 'ERR_BUS_CLOSED' })
  await closing.close()
  await spawning
  await assert.rejects(closing.spawn(POOL), { code: 'ERR_BUS_CLOSED' })
  assert.equal(bus.emit('who'), false)
})

test('a bus that is closed ends threads that would never be ready', async (t) => {
  const { channel } = stage(t)
  leavesNoThread(t)
  const closing = new ParallelEventBus({ channel })
  const started = new SharedArrayBuffer(8)
  const source = `export default (bus, memory) => {
    const shared = new Int32Array(memory)
    Atomics.add(shared, 0, 1)
    setInterval(() => Atomics.load(shared, 1) === 1 && process.exit(), 50)
    return new Promise(() => {})
  }`
  // Where the test fails, nothing is to hang.
  t.after(() => Atomics.store(new Int32Array(started), 1, 1))
  const spawning = assert.rejects(closing.spawn(ofSource(source), { threads: 2, workerData: started }), {
    code: 'ERR_BUS_CLOSED',
  })
  await until(() => Atomics.load(new Int32Array(started), 0) === 2)
  await closing.close()
  await spawning
})

test('an idle pool does not keep the process, and one with something to do does', async () => {
  const idle = await inProcess(`bus.spawn(${JSON.stringify(POOL)}, { threads: 2 }).then((pool) => bus.request('who'))`)
  assert.deepEqual(idle, { status: 0, stdout: '', stderr: '' })
  const busy = await inProcess(`
    bus.spawn(${JSON.stringify(POOL)}, { threads: 1 }).then((pool) => {
      bus.request('slow', 100).then(() => console.log('replied'))
      bus.emit('slow', 200)
      process.on('exit', () => console.log('pending', bus.getStats().pending))
    })
  `)
  assert.deepEqual(busy, { status: 0, stdout: 'replied\npending 0\n', stderr: '' })
})
