'use strict'

// The start of a thread of `spawn`: `spawn` learns when it is ready, or why it is not, even if the module misuses its
// thread. The errors lead to the mistake.

const assert = require('node:assert/strict')
const { mkdtempSync, rmSync, writeFileSync } = require('node:fs')
const { tmpdir } = require('node:os')
const path = require('node:path')
const { pathToFileURL } = require('node:url')
const { ParallelEventBus } = require('../..')
const { inProcess, stage, test } = require('../fixtures/stage.js')

const ABSENT = pathToFileURL(path.resolve('/absent/score.mjs'))

/** Writes modules into a new folder, and makes that the working directory. Returns the folder. */
function modules(t, texts) {
  const folder = mkdtempSync(path.join(tmpdir(), 'spawn-'))
  for (const [name, text] of Object.entries(texts)) writeFileSync(path.join(folder, name), text)
  const before = process.cwd()
  process.chdir(folder)
  t.after(() => {
    process.chdir(before)
    rmSync(folder, { recursive: true })
  })
  // As the system calls it.
  return process.cwd()
}

const IMPORTS = `import { parentPort, workerData } from 'node:worker_threads'\n`

const HABITS = {
  'posts to parentPort': `parentPort.postMessage('loading'); parentPort.postMessage({ is: 'ready' })`,
  'closes parentPort': 'parentPort.close()',
  'unrefs parentPort': 'parentPort.unref()',
  'listens to parentPort, and takes what is told': `parentPort.on('message', () => process.exit(9))`,
  'has handlers of its own': `for (const event of ['uncaughtException', 'unhandledRejection']) process.on(event, () => {})`,
  'removes all listeners': 'process.removeAllListeners(); parentPort.removeAllListeners()',
}

for (const [what, habit] of Object.entries(HABITS)) {
  test(`a module that ${what} is ready when it has registered, and is closed`, async (t) => {
    modules(t, {
      'fine.mjs': `${IMPORTS}${habit}
        export default async (bus) => {
          await new Promise((resolve) => setTimeout(resolve, 50))
          bus.on('x', () => 5)
        }`,
    })
    const { bus, errors } = stage(t)
    const pool = await bus.spawn('fine.mjs', { threads: 1 })
    assert.equal(await bus.request('x'), 5)
    await pool.close()
    assert.deepEqual([pool.threadIds, errors], [[], []])
  })

  test(`the error of one that ${what} and cannot register is the error of spawn`, async (t) => {
    const folder = modules(t, {
      'loads.mjs': `${IMPORTS}${habit}; throw Object.assign(new RangeError('no disk'), { code: 'E_DISK', at: [1n] })`,
      'registers.mjs': `${IMPORTS}${habit}
        export default async () => { await null; throw Object.assign(new RangeError('no disk'), { code: 'E_DISK', at: [1n] }) }`,
    })
    const { bus, errors } = stage(t)
    for (const name of ['loads.mjs', 'registers.mjs']) {
      const error = await bus.spawn(name, { threads: 2 }).catch((reason) => reason)
      assert.ok(error instanceof RangeError)
      assert.deepEqual([error.message, error.code, error.at], ['no disk', 'E_DISK', [1n]])
      // A stack has the URL of a module.
      assert.ok(error.stack.replaceAll('/', path.sep).includes(path.join(folder, name)), error.stack)
    }
    assert.deepEqual(errors, [])
  })
}

test('spawn rejects with any kind of value that is thrown', async (t) => {
  const { bus } = stage(t)
  for (const thrown of ['undefined', 'null', '5', "'text'"]) {
    const text = `export default () => { throw ${thrown} }`
    const reason = bus.spawn(`data:text/javascript,${encodeURIComponent(text)}`, { threads: 1 })
    await assert.rejects(reason, (error) => String(error) === thrown.replaceAll("'", ''))
  }
})

test('a module sees its own workerData, in every way to import it', async (t) => {
  modules(t, {
    'data.mjs': `
      import threads, { workerData } from 'node:worker_threads'
      import * as all from 'node:worker_threads'
      export default (bus, data) => {
        bus.on('same', () => [workerData, threads.workerData, all.workerData].map((each) => each === data))
        bus.on('data', () => workerData)
      }`,
  })
  const { bus } = stage(t)
  // Something that runs before may have imported it, too.
  const preloading = ['--import', `data:text/javascript,import 'node:worker_threads'`]
  for (const [workerData, execArgv] of [
    [{ of: 'the module' }, []],
    [undefined, []],
    [{ of: 'the module' }, preloading],
  ]) {
    const pool = await bus.spawn('data.mjs', { threads: 1, workerData, execArgv })
    assert.deepEqual(await bus.request('same'), [true, true, true])
    assert.deepEqual(await bus.request('data'), workerData)
    await pool.close()
  }
})

test('a URL of any class is a URL', async (t) => {
  const folder = modules(t, { 'five.mjs': `export default (bus) => { bus.on('x', () => 5) }` })
  const { bus } = stage(t)
  class Address {
    #href = pathToFileURL(path.join(folder, 'five.mjs')).href
    get href() {
      return this.#href
    }
  }
  const pool = await bus.spawn(new Address(), { threads: 1 })
  assert.equal(await bus.request('x'), 5)
  await pool.close()
  for (const href of ['five.mjs', '', 5, null]) {
    await assert.rejects(bus.spawn({ href }, { threads: 1 }), { code: 'ERR_INVALID_ARG_TYPE' })
  }
})

/** Calls `spawn`. Its name is to be in the stacks of errors. */
function callingSpawn(bus, module) {
  return bus.spawn(module, { threads: 1 }).catch((error) => error)
}

const MISTAKES = {
  'no such path': {
    module: './absent.mjs',
    code: 'ERR_MODULE_NOT_FOUND',
    message: (folder) =>
      `no module './absent.mjs' in ${folder}. Relative to this file: new URL('./absent.mjs', import.meta.url)`,
    cause: /absent\.mjs/,
  },
  'no such path without a dot': {
    module: 'absent.mjs',
    code: 'ERR_MODULE_NOT_FOUND',
    message: (folder) =>
      `no module 'absent.mjs' in ${folder}. Relative to this file: new URL('./absent.mjs', import.meta.url)`,
    cause: /absent\.mjs/,
  },
  'no such URL': {
    module: ABSENT,
    code: 'ERR_MODULE_NOT_FOUND',
    message: () => `no module ${ABSENT}`,
    cause: /score\.mjs/,
  },
  'other exports': {
    text: 'export const register = 1, other = 2',
    code: 'ERR_INVALID_ARG_TYPE',
    message: () =>
      'x.mjs has no default export (it exports: other, register). Wanted: export default (bus, workerData) => …',
  },
  'no exports': {
    text: '',
    code: 'ERR_INVALID_ARG_TYPE',
    message: () => 'x.mjs has no default export (it exports nothing). Wanted: export default (bus, workerData) => …',
  },
  'an export that is no function': {
    text: 'export default { register() {} }',
    code: 'ERR_INVALID_ARG_TYPE',
    message: () =>
      'the default export of x.mjs is { register: [Function: register] }. Wanted: export default (bus, workerData) => …',
  },
  'a syntax error': {
    text: 'nonsense nonsense',
    code: 'ERR_MODULE_DOES_NOT_LOAD',
    message: (folder) => `${pathToFileURL(path.join(folder, 'x.mjs'))} does not load: Unexpected identifier 'nonsense'`,
    cause: /^Unexpected identifier/,
  },
  'a dependency that is missing': {
    text: "import 'absent-package'",
    code: 'ERR_MODULE_NOT_FOUND',
    message: (folder, cause) => `${pathToFileURL(path.join(folder, 'x.mjs'))} does not load: ${cause.message}`,
    cause: /absent-package/,
  },
}

for (const [what, { module = 'x.mjs', text = '', code, message, cause }] of Object.entries(MISTAKES)) {
  test(`the error for ${what} names the mistake, and the place where spawn was called`, async (t) => {
    const folder = modules(t, { 'x.mjs': text })
    const { bus } = stage(t)
    const error = await callingSpawn(bus, module)
    assert.equal(error.message, message(folder, error.cause))
    assert.equal(error.code, code)
    assert.match(error.stack, /callingSpawn/)
    assert.ok(error.stack.startsWith(`${error.name}: ${error.message}\n`), error.stack)
    if (cause === undefined) assert.equal(error.cause, undefined)
    else assert.match(error.cause.message, cause)
  })
}

test('the error for TypeScript says which Node runs it', async (t) => {
  modules(t, { 'x.ts': 'export default (bus: unknown) => {}' })
  const { bus } = stage(t)
  // Newer releases do, unless they are told not to.
  const execArgv = process.features.typescript ? ['--no-experimental-strip-types'] : []
  const error = await bus.spawn('x.ts', { threads: 1, execArgv }).catch((reason) => reason)
  assert.equal(error.message, 'x.ts: Node 22.18 or newer runs TypeScript modules; or spawn the compiled file')
  assert.equal(error.code, 'ERR_UNKNOWN_FILE_EXTENSION')
})

test('a bus without a channel says how it gets one', async () => {
  await assert.rejects(new ParallelEventBus().spawn('x.mjs'), {
    code: 'ERR_INVALID_ARG_VALUE',
    message: "bus.spawn() needs a bus with a channel: new ParallelEventBus({ channel: 'orders' })",
  })
})

test('a replacement that gets ready while it is being ended keeps the process until it has ended', async () => {
  const text = `export default (bus, cells) => {
    if (Atomics.add(cells, 0, 1) === 1) Atomics.wait(cells, 1, 0)
    bus.on('exit', () => process.exit())
    setTimeout(() => {
      Atomics.store(cells, 2, 1)
      Atomics.notify(cells, 2)
    }, 20)
  }`
  const module = JSON.stringify(`data:text/javascript,${encodeURIComponent(text)}`)
  const ended = await inProcess(`
    bus.clearErrorHandler().setErrorHandler(() => {})
    const cells = new Int32Array(new SharedArrayBuffer(12))
    bus.spawn(${module}, { threads: 1, workerData: cells }).then(async (pool) => {
      bus.emit('exit')
      while (Atomics.load(cells, 0) < 2) await new Promise(setImmediate)
      Atomics.store(cells, 2, 0)
      Atomics.store(cells, 1, 1)
      Atomics.notify(cells, 1)
      // That it is ready is told, and not read.
      Atomics.wait(cells, 2, 0)
      pool.close().then(() => setImmediate(() => console.log('closed')))
    })
  `)
  assert.deepEqual(ended, { status: 0, stdout: 'closed\n', stderr: '' })
})

test('a thread that is not ready after ten seconds is warned of, and one that is ready is not', async () => {
  const ofSource = (text) => JSON.stringify(`data:text/javascript,${encodeURIComponent(text)}`)
  const { stdout } = await inProcess(`
    const timers = require('node:timers')
    const { setTimeout, clearTimeout } = timers
    const waiting = new Set()
    timers.setTimeout = (callback, ms) => {
      const timer = setTimeout(callback, ms === 10_000 ? 1 : ms)
      if (ms === 10_000) waiting.add(timer)
      return timer
    }
    timers.clearTimeout = (timer) => {
      waiting.delete(timer)
      clearTimeout(timer)
    }
    const heard = []
    process.removeAllListeners('warning').on('warning', ({ code, message }) => {
      console.log(code, message)
      if (/not resolved.*thread 2/.test(message)) bus.close()
    })
    bus.spawn(${ofSource('export default () => {}')}, { threads: 1 }).then((pool) => pool.close()).then(() => {
      console.log(waiting.size)
      return bus.spawn(${ofSource('export default () => new Promise(() => {})')}, { threads: 1 })
    }).catch(({ code }) => console.log(code, waiting.size))
  `)
  const name = ofSource('export default () => new Promise(() => {})').slice(1, 61)
  const lines = stdout.split('\n').filter((line) => !line.includes('thread 1 '))
  assert.deepEqual(lines, [
    '0',
    `PARALLEL_EVENT_BUS_THREAD_NOT_READY ${name}… has not loaded; thread 2 is not ready`,
    `PARALLEL_EVENT_BUS_THREAD_NOT_READY the function of ${name}… has not resolved; thread 2 is not ready`,
    'ERR_BUS_CLOSED 0',
    '',
  ])
})
