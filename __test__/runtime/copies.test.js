'use strict'

// Several copies of the package in one process are one bus, or say that they cannot be.

const assert = require('node:assert/strict')
const { spawnSync } = require('node:child_process')
const { mkdtempSync, rmSync } = require('node:fs')
const { tmpdir } = require('node:os')
const path = require('node:path')
const { after, before, test } = require('node:test')
const { version } = require('../../package.json')
const { BINARY, copyInto } = require('../fixtures/copies.js')

const OTHER = version.replace(/\d$/, (last) => (Number(last) + 1) % 10)
const POOL = path.join(__dirname, '../fixtures/pool.mjs')

let directory
/** Three copies of this version, and two of another. */
let [a, b, c, older, oldest] = []

before(() => {
  directory = mkdtempSync(path.join(tmpdir(), 'copies-'))
  ;[a, b, c] = [1, 2, 3].map(() => copyInto(directory))
  ;[older, oldest] = [1, 2].map(() => copyInto(directory, OTHER))
})
after(() => rmSync(directory, { recursive: true }))

/** The start of every script, and of every thread of it. */
const PRELUDE = `
  const { Worker, parentPort, isMainThread } = require('node:worker_threads')
  /** A bus of a copy, on the one channel there is. */
  const join = (copy) => new (require(copy))({ channel: 'x', onError() {} })
  /** Returns the result of joining. */
  const attempt = (copy) => {
    try { return join(copy).emit('unheard') }
    catch ({ code, message }) { return { code, message } }
  }
  /** Runs a text in a thread. Resolves to the first message, or the exit code. */
  const inThread = (text) => new Promise((resolve, reject) => {
    const thread = new Worker(prelude + text, { eval: true })
    thread.on('error', reject)
    const heard = (about) => {
      thread.unref()
      resolve(about)
    }
    for (const event of ['message', 'exit']) thread.once(event, heard)
  })
`

/** Runs a script in a process of its own, and returns the values that it gives to \`print\`. */
function run(script, ...args) {
  const text = `
    const prelude = ${JSON.stringify(PRELUDE)}
    ${PRELUDE}
    const print = (value) => console.log(JSON.stringify(value))
    ;(async () => { ${script} })()
  `
  const { stdout, stderr, status } = spawnSync(process.execPath, [...args, '-e', text], { encoding: 'utf8' })
  assert.deepEqual({ status, stderr }, { status: 0, stderr: '' })
  return JSON.parse(stdout)
}

const q = JSON.stringify

test('buses of several copies in one thread hear each other', () => {
  const replies = run(`
    const buses = ${q([a, b, c])}.map(join)
    for (const [number, bus] of buses.entries()) bus.on('from ' + number, () => number)
    print(await Promise.all(buses.flatMap((bus) => [0, 1, 2].map((number) => bus.request('from ' + number)))))
  `)
  assert.deepEqual(replies, [0, 1, 2, 0, 1, 2, 0, 1, 2])
})

test('so do buses of copies that are in one thread each, also where the main thread has none', () => {
  const body = (copy, number) => `
    const bus = join(${q(copy)})
    bus.on('${number}', () => ${number})
    bus.on('all', () => parentPort.postMessage('heard'))
    parentPort.postMessage('ready')
  `
  const requested = (copy) => `
    const requesting = join(${q(copy)})
    Promise.all([requesting.request('1'), requesting.request('2')]).then((replies) => parentPort.postMessage(replies))
  `
  const replies = run(`
    await inThread(${q(body(a, 1))})
    await inThread(${q(body(b, 2))})
    const about = await inThread(${q(requested(c))})
    const main = join(${q(b)})
    print([about, await Promise.all([main.request('1'), main.request('2')])])
  `)
  assert.deepEqual(replies, [
    [1, 2],
    [1, 2],
  ])
})

test('threads that a copy spawns are on the channel of the others', () => {
  const count = run(`
    const [first, second] = [join(${q(a)}), join(${q(b)})]
    await second.spawn(${q(POOL)}, { threads: 1 })
    await first.spawn(${q(POOL)}, { threads: 1 })
    print((await first.emitAndWait('who')).success)
    await Promise.all([first.close(), second.close()])
  `)
  assert.equal(count, 2, 'and each spawn is a group of its own')
})

test('so are those that a copy spawns when it is loaded anew, as test runners do', () => {
  const count = run(`
    const buses = [join(${q(a)})]
    for (const file of Object.keys(require.cache)) if (!file.endsWith('.node')) delete require.cache[file]
    buses.push(join(${q(a)}))
    for (const bus of buses) await bus.spawn(${q(POOL)}, { threads: 1 })
    print((await buses[0].emitAndWait('who')).success)
    await Promise.all(buses.map((bus) => bus.close()))
  `)
  assert.equal(count, 2)
})

test('copies find each other again when the one that came first is gone with its thread', () => {
  const replies = run(`
    await inThread(${q(`require(${q(a)})`)})
    await inThread(${q(`join(${q(b)}).on('x', () => 5); parentPort.postMessage('ready')`)})
    print([await join(${q(a)}).request('x'), await join(${q(c)}).request('x')])
  `)
  assert.deepEqual(replies, [5, 5])
})

test('a copy of another version has no channels, names the one that has, and emits to its own listeners', () => {
  const { refused, again, own, kept } = run(`
    const bus = join(${q(a)})
    bus.on('x', () => 5)
    const local = new (require(${q(older)}))()
    local.on('x', () => 6)
    print({
      refused: attempt(${q(older)}),
      again: attempt(${q(oldest)}),
      own: await local.request('x'),
      kept: await join(${q(b)}).request('x'),
    })
  `)
  assert.equal(refused.code, 'ERR_OTHER_VERSION')
  for (const part of [version, OTHER, a, older]) assert.ok(refused.message.includes(part), refused.message)
  assert.equal(again.code, 'ERR_OTHER_VERSION')
  assert.deepEqual([own, kept], [6, 5])
})

test('so it is in every thread, and also if it was loaded first', () => {
  const { refused, joined } = run(`
    require(${q(older)})
    await inThread(${q(`join(${q(a)}).on('x', () => 5); parentPort.postMessage('ready')`)})
    const about = await inThread(${q(`parentPort.postMessage(attempt(${q(oldest)}))`)})
    print({ refused: [about, attempt(${q(older)})], joined: [await join(${q(b)}).request('x'), await join(${q(c)}).request('x')] })
  `)
  for (const { code, message } of refused) {
    assert.equal(code, 'ERR_OTHER_VERSION')
    assert.ok(message.includes(a), message)
  }
  assert.deepEqual(joined, [5, 5], 'copies of the version that has them share them')
})

test('a copy that cannot load the engine of the others is refused', { skip: process.platform === 'win32' }, () => {
  const script = `
    require(${q(older)})
    require('node:fs').rmSync(${q(path.join(oldest, BINARY))})
    try { require(${q(oldest)}) } catch ({ code }) { print(code) }
  `
  assert.equal(run(script), 'ERR_BINARY_NOT_FOUND')
  const lost = run(`
    const gone = ${q(path.join(c, BINARY))}
    require(${q(c)})
    require('node:fs').rmSync(gone)
    for (const file of Object.keys(require.cache)) delete require.cache[file]
    try { require(${q(a)}) } catch ({ code, message }) { print({ code, message }) }
  `)
  assert.equal(lost.code, 'ERR_OTHER_COPY')
  for (const part of [a, c]) assert.ok(lost.message.includes(part), lost.message)
})
