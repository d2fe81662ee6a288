'use strict'

// The reason why a thread has ended is the cause of the errors for all that was in flight there.

const assert = require('node:assert/strict')
const { mkdtempSync, rmSync, writeFileSync } = require('node:fs')
const { tmpdir } = require('node:os')
const path = require('node:path')
const { ParallelEventBus, ThreadExitedError } = require('../..')
const { hasLimits, stage, test, told, until } = require('../fixtures/stage.js')

/** Returns the path of a module that ends its thread at the event `end`. */
function moduleOf(t, end, before = '') {
  const folder = mkdtempSync(path.join(tmpdir(), 'reason-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const file = path.join(folder, 'doomed.mjs')
  writeFileSync(
    file,
    `export default (bus, data) => { ${before}; bus.on('end', () => { ${end}; return new Promise(() => {}) }) }`,
  )
  return file
}

const WAYS = {
  'an uncaught error': {
    end: `setImmediate(() => { throw Object.assign(new RangeError('the reason'), { code: 'E_OWN', at: [1n] }) })`,
    cause: { name: 'RangeError', message: 'the reason', code: 'E_OWN', at: [1n] },
  },
  'an unhandled rejection': {
    end: `Promise.reject(new TypeError('the reason'))`,
    cause: { name: 'TypeError', message: 'the reason' },
  },
  'an error that a handler ends the thread for': {
    before: `process.on('uncaughtException', () => process.exit(3))`,
    end: `setImmediate(() => { throw new Error('the reason') })`,
    cause: { message: 'the reason' },
  },
  'an error that can hardly be sent': {
    end: `setImmediate(() => { throw Object.assign(new Error('the reason'), { large: 'x'.repeat(1e6), call() {} }) })`,
    cause: { message: 'the reason', large: undefined },
  },
  'process.exit()': { end: 'process.exit(3)', cause: { message: 'exit code 3', exitCode: 3 } },
}

for (const [what, { before, end, cause }] of Object.entries(WAYS)) {
  test(`a request to a thread that ends by ${what} has that as the cause of its error`, async (t) => {
    const { bus, errors } = stage(t)
    const file = moduleOf(t, end, before)
    const pool = await bus.spawn(file, { threads: 1 })
    const error = await bus.request('end').catch((reason) => reason)
    assert.ok(error instanceof ThreadExitedError)
    for (const [key, value] of Object.entries(cause)) assert.deepEqual(error.cause[key], value)
    // A stack has the URL of a module.
    assert.ok(error.cause.stack.replaceAll('/', path.sep).includes(file), 'and so where')
    assert.equal(Object.keys(error).includes('cause'), false)
    const lost = errors.find(([event]) => event === 'end')[1]
    assert.equal(lost.cause, error.cause, 'all that is lost with the thread is lost for one reason')
    await pool.close()
  })
}

test('so it is in an emitter of a third thread', {
  threadsOnly: 'the reason of an end stays in its process',
}, async (t) => {
  const { bus, startOne } = stage(t)
  const thread = await startOne(() => {})
  await bus.spawn(moduleOf(t, WAYS['an uncaught error'].end), { threads: 1 })
  const cause = await thread.run(async ({ bus }) => {
    const { errors } = await bus.emitAndWait('end')
    return errors[0].cause
  })
  assert.deepEqual([cause.name, cause.message], ['RangeError', 'the reason'])
})

test('so it is for a thread that was not started by spawn', {
  threadsOnly: 'the reason of an end stays in its process',
}, async (t) => {
  const { bus, startOne } = stage(t)
  await startOne(({ bus, die }) => bus.on('end', (way) => new Promise(() => die[way]())))
  const { errors } = await bus.emitAndWait('end', 'uncaught')
  assert.deepEqual([errors[0].code, errors[0].cause.message], ['ERR_THREAD_EXITED', 'uncaught on purpose'])
})

test('so it is for events that never began', async (t) => {
  const { bus } = stage(t)
  const dead = []
  bus.on(ParallelEventBus.deadLetter, (about) => dead.push(about))
  const go = new Int32Array(new SharedArrayBuffer(4))
  const file = moduleOf(t, 'Atomics.wait(data, 0, 0); process.exit(4)', `bus.on('x', () => {})`)
  const pool = await bus.spawn(file, { threads: 1, workerData: go })
  const ended = bus.request('end').catch((error) => error)
  bus.emit('x', 1)
  bus.emit('x', 2)
  Atomics.store(go, 0, 1)
  Atomics.notify(go, 0)
  const { cause } = await ended
  await bus.idle()
  assert.deepEqual(dead.map(({ args: [number], error }) => [number, error.cause]).sort(), [
    [1, cause],
    [2, cause],
  ])
  await pool.close()
})

test('an error that the thread has outlived is not why it ends', async (t) => {
  const { bus } = stage(t)
  const before = `
    let heard
    process.on('uncaughtException', () => setImmediate(() => setImmediate(heard)))
    bus.on('stumble', () => {
      setImmediate(() => { throw new Error('not the reason') })
      return new Promise((resolve) => { heard = resolve })
    })`
  const pool = await bus.spawn(moduleOf(t, 'process.exit(5)', before), { threads: 1 })
  await bus.request('stumble')
  const { cause } = await bus.request('end').catch((error) => error)
  assert.deepEqual([cause.message, cause.exitCode], ['exit code 5', 5])
  await pool.close()
})

test('a thread that is terminated leaves no reason', async (t) => {
  const { bus } = stage(t)
  const pool = await bus.spawn(moduleOf(t, ''), { threads: 1 })
  const requested = bus.request('end').catch((error) => error)
  await pool.terminate()
  const error = await requested
  assert.deepEqual([error.code, Object.hasOwn(error, 'cause')], ['ERR_THREAD_EXITED', false])
})

test('a thread that is out of memory leaves no reason, but its crash is told with one', {
  skip: !hasLimits,
}, async (t) => {
  const { bus, errors } = stage(t)
  const resourceLimits = { maxOldGenerationSizeMb: 16, maxYoungGenerationSizeMb: 4 }
  const file = moduleOf(t, 'const kept = []; for (;;) kept.push(new Array(10_000).fill({}))')
  const pool = await bus.spawn(file, { threads: 1, resourceLimits })
  const error = await bus.request('end').catch((reason) => reason)
  assert.deepEqual([error.code, error.cause], ['ERR_THREAD_EXITED', undefined])
  const crash = () => errors.find(([event]) => event === ParallelEventBus.threadExit)
  await until(() => crash() !== undefined, 'the crash is told')
  assert.equal(crash()[1].code, 'ERR_WORKER_OUT_OF_MEMORY')
  await pool.close()
})

test('a crash without an error is told with the exit code as its cause', async (t) => {
  const { bus, errors } = stage(t)
  const pool = await bus.spawn(moduleOf(t, 'process.exit(6)'), { threads: 1 })
  const exit = told(bus, ParallelEventBus.threadExit)
  bus.emit('end')
  const { threadId } = await exit
  const crash = () => errors.find(([event]) => event === ParallelEventBus.threadExit)
  await until(() => crash() !== undefined, 'the crash is told')
  const [, error] = crash()
  assert.deepEqual([error.threadId, error.cause.exitCode], [threadId, 6])
  await pool.close()
})

test('spawn rejects with the exit code as the cause, too, if a thread ends before it is ready', async (t) => {
  const { bus } = stage(t)
  for (const text of ['process.exit(7)', 'export default () => process.exit(7)']) {
    const module = `data:text/javascript,${encodeURIComponent(text)}`
    const error = await bus.spawn(module, { threads: 1 }).catch((reason) => reason)
    assert.deepEqual([error.code, error.cause.exitCode], ['ERR_THREAD_EXITED', 7])
  }
})
