'use strict'

// The trace of a process: a file with each emit, each wait and each call of a listener in all threads, however the process ends.

const assert = require('node:assert/strict')
const { execFile } = require('node:child_process')
const { mkdtempSync, readFileSync, rmSync, writeFileSync } = require('node:fs')
const { tmpdir } = require('node:os')
const path = require('node:path')
const { test } = require('node:test')
const { readTrace } = require('../fixtures/chrome-trace.js')

const BUS = JSON.stringify(path.join(__dirname, '../..'))

/** A folder for the time of a test. */
function folder(t) {
  const made = mkdtempSync(path.join(tmpdir(), 'bus-trace-'))
  t.after(() => rmSync(made, { recursive: true, force: true }))
  return made
}

/** Runs a program with two threads, `listening` and `emitting`, on the channel of its `bus`. */
function run(folder, source, env = {}) {
  writeFileSync(
    path.join(folder, 'thread.cjs'),
    `const { ParallelEventBus } = require(${BUS})
     const { workerData, parentPort } = require('node:worker_threads')
     const bus = new ParallelEventBus({ channel: 'traced' })
     new Function('bus', 'parentPort', workerData)(bus, parentPort)`,
  )
  const program = `
    const { ParallelEventBus } = require(${BUS})
    const { Worker } = require('node:worker_threads')
    const { once } = require('node:events')
    const bus = new ParallelEventBus({ channel: 'traced', onError() {} })
    const start = (body) => new Worker(${JSON.stringify(path.join(folder, 'thread.cjs'))}, { workerData: body })
    ;(async () => {
      const listening = start("bus.on('x', async function store() {}); bus.on('y', () => {}); bus.ref()")
      const emitting = start("parentPort.once('message', async () => { for (let n = 0; n < 200; n++) bus.emit('y', n); await bus.idle(); parentPort.postMessage('done') })")
      await ParallelEventBus.listening(bus, 'x')
      ${source}
    })()`
  const file = path.join(folder, 'trace.json')
  return new Promise((resolve) => {
    const options = { env: { ...process.env, PARALLEL_EVENT_BUS_TRACE: file, ...env }, timeout: 60_000 }
    execFile(process.execPath, ['-e', program], options, (error, stdout, stderr) => {
      resolve({ file, stdout, stderr, status: error === null ? 0 : (error.code ?? error.signal) })
    })
  })
}

/** Reads a trace as strictly as its format is told: see `readTrace`. */
function read({ file, stderr }, how) {
  try {
    return readTrace(readFileSync(file, 'utf8'), how)
  } catch (error) {
    throw new Error(`${error.message}: ${stderr}`, { cause: error })
  }
}

/** Asserts that an event was emitted so many times, each of them in the trace once. */
function assertEmitted(events, name, count) {
  const emits = events.filter(({ ph, name: of }) => ph === 'X' && of === `emit ${name}`)
  assert.equal(emits.length, count, `emits of ${name}`)
  assert.equal(new Set(emits.map(({ args }) => args.emit)).size, count, `numbers of ${name}`)
}

const EMIT = `
  for (let n = 0; n < 300; n++) bus.emit('x', n)
  bus.on('here', () => {})
  for (let n = 0; n < 100; n++) bus.emit('here')
  await bus.request('x')
  await bus.emitAndWait('y')
  emitting.postMessage('go')
  await once(emitting, 'message')
  await bus.idle()`

test('a trace has each emission of each thread once, with the calls of its listeners', async (t) => {
  const ran = await run(folder(t), `${EMIT}\nawait listening.terminate()`)
  assert.equal(ran.status, 0, ran.stderr)
  const events = read(ran)
  assertEmitted(events, 'x', 301)
  assertEmitted(events, 'here', 100)
  assertEmitted(events, 'y', 201)
  const called = (name) => events.filter(({ ph, name: of }) => ph === 'B' && of === name).length
  assert.deepEqual([called('store'), called('listener of y'), called('listener of here')], [301, 201, 100])
  assert.deepEqual([called('x'), called('y'), called('here')], [301, 201, 100])
  const settled = events.filter(({ name, args }) => name === 'x settled' && args.elsewhere === 1)
  assert.equal(settled.length, 301)
  assert.equal(events.at(-1).args.dropped, 0)
  const threads = events.filter(({ name }) => name === 'thread_name').map(({ args }) => args.name)
  assert.deepEqual(threads.sort(), ['main thread', 'thread 1', 'thread 2'])
})

test('an arrow leads from each emit to each start of its listeners', async (t) => {
  const events = read(await run(folder(t), `${EMIT}\nawait listening.terminate()`))
  const emits = events.filter(({ ph }) => ph === 'X')
  const starts = events.filter(({ ph, cat }) => ph === 'B' && cat === 'event')
  const tails = new Map(events.filter(({ ph }) => ph === 's').map((event) => [event.id, event]))
  const heads = events.filter(({ ph }) => ph === 'f')
  assert.equal(heads.length, starts.length)
  const byEmit = new Map(emits.map((emit) => [`${emit.tid} ${emit.ts}`, emit]))
  for (const { id, tid, ts } of heads) {
    const tail = tails.get(id)
    const emit = byEmit.get(`${tail.tid} ${tail.ts}`)
    const start = starts.find((start) => start.tid === tid && start.ts === ts)
    assert.equal(emit?.args.emit, start?.args.emit, 'of one event')
    assert.ok(tail.ts <= ts, 'forward in time')
  }
})

test('a trace is whole when the process crashes, and has what threads did that crashed', async (t) => {
  const source = `${EMIT}
    const crashing = start("for (let n = 0; n < 50; n++) bus.emit('x'); bus.emitAndWait('y').then(() => { bus.emit('x'); throw new Error('on purpose') })")
    await once(crashing, 'error')
    const ending = start("for (let n = 0; n < 50; n++) bus.emit('y'); bus.idle().then(() => { bus.emit('y'); process.exit() })")
    await once(ending, 'exit')
    for (let n = 0; n < 9; n++) bus.emit('here')
    throw new Error('on purpose')`
  const ran = await run(folder(t), source)
  assert.equal(ran.status, 1)
  const events = read(ran)
  assertEmitted(events, 'x', 352)
  assertEmitted(events, 'y', 253)
  assertEmitted(events, 'here', 109)
  assert.equal(events.at(-1).name, 'end of the trace')
})

test('a call that a thread was stuck in, and ended in from outside, is in the trace without an end', async (t) => {
  const source = `
    const stuck = start("bus.on('stuck', function spin() { for (;;); }); bus.ref()")
    await ParallelEventBus.listening(bus, 'stuck')
    bus.emit('stuck')
    const written = () => require('node:fs').readFileSync(process.env.PARALLEL_EVENT_BUS_TRACE, 'utf8')
    while (!written().includes('"spin"')) await new Promise(setImmediate)
    await stuck.terminate()
    await bus.idle()
    await emitting.terminate()
    await listening.terminate()`
  const ran = await run(folder(t), source)
  assert.equal(ran.status, 0, ran.stderr)
  const track = 4
  const events = read(ran, { unfinished: [track] })
  const ofTrack = events.filter(({ tid, ph }) => tid === track && 'BE'.includes(ph))
  assert.deepEqual(
    ofTrack.map(({ ph, name }) => [ph, name]),
    [
      ['B', 'stuck'],
      ['B', 'spin'],
    ],
  )
  assertEmitted(events, 'stuck', 1)
})

test('a trace of a process that is killed lacks its end alone', async (t) => {
  const { file, status } = await run(folder(t), `${EMIT}\nsetImmediate(() => process.kill(process.pid, 'SIGKILL'))`)
  assert.equal(status, process.platform === 'win32' ? 1 : 'SIGKILL')
  const events = read({ file }, { isClosed: false })
  assertEmitted(events, 'x', 301)
  assertEmitted(events, 'y', 201)
})

test('a trace is bounded, and tells how much it left out', async (t) => {
  const source = (maxBytes) => `
    const trace = ParallelEventBus.trace({ file: process.env.FILE, maxBytes: ${maxBytes} })
    bus.on('here', () => {})
    for (let n = 0; n < 500; n++) { bus.emit('here'); if (n % 50 === 0) await bus.idle() }
    await bus.idle()
    await trace.close()
    await trace.close()
    console.log(trace.dropped)
    await emitting.terminate()
    await listening.terminate()`
  const made = folder(t)
  const file = path.join(made, 'api.json')
  const lines = []
  for (const maxBytes of [2 ** 26, 100_000]) {
    const ran = await run(made, source(maxBytes), { PARALLEL_EVENT_BUS_TRACE: '', FILE: file })
    assert.equal(ran.status, 0, ran.stderr)
    const events = read({ file, stderr: ran.stderr }, { isWhole: maxBytes === 2 ** 26 })
    const { dropped } = events.at(-1).args
    assert.equal(dropped, Number(ran.stdout))
    // Those of the main thread: the others may come too late for it.
    const kept = events.filter(({ tid }) => tid === 1).length
    lines.push({ kept, dropped, bytes: readFileSync(file).length })
  }
  const [whole, bounded] = lines
  assert.equal(whole.dropped, 0)
  assert.ok(bounded.dropped > 0 && bounded.bytes < 101_000)
  const all = bounded.kept + bounded.dropped
  assert.ok(all >= whole.kept && all <= whole.kept + 6, `${all} of ${whole.kept}`)
})

test('threads that run already write to a trace that begins, and to none after its end', async (t) => {
  const made = folder(t)
  const source = `
    const go = async () => { emitting.postMessage('go'); await once(emitting, 'message') }
    const trace = ParallelEventBus.trace({ file: process.env.FILE })
    try { ParallelEventBus.trace({ file: process.env.FILE }) } catch (error) { console.log(error.code) }
    // The threads have been told, and write their names.
    const written = () => require('node:fs').readFileSync(process.env.FILE, 'utf8')
    while (!written().includes('thread 1') || !written().includes('thread 2')) await new Promise(setImmediate)
    await go()
    await trace.close()
    console.log(require('node:fs').readFileSync(process.env.FILE, 'utf8').length > 0)
    const { size } = require('node:fs').statSync(process.env.FILE)
    for (let n = 0; n < 9; n++) bus.emit('x')
    await bus.idle()
    console.log(require('node:fs').statSync(process.env.FILE).size === size)
    await listening.terminate()`
  const file = path.join(made, 'api.json')
  const ran = await run(made, source, { PARALLEL_EVENT_BUS_TRACE: '', FILE: file })
  assert.equal(ran.status, 0, ran.stderr)
  assert.equal(ran.stdout, 'ERR_INVALID_STATE\ntrue\ntrue\n')
  const events = read({ file, stderr: ran.stderr })
  assertEmitted(events, 'y', 200)
  assertEmitted(events, 'x', 0)
})

test('each process has a file of its own where the name says so', async (t) => {
  const made = folder(t)
  const ran = await run(made, 'console.log(process.pid); process.exit()', {
    PARALLEL_EVENT_BUS_TRACE: path.join(made, 'trace-{pid}.json'),
  })
  assert.ok(Array.isArray(read({ file: path.join(made, `trace-${ran.stdout.trim()}.json`) })))
})

test('a program runs although its trace cannot be written', async (t) => {
  const source = `try { ParallelEventBus.trace({ file: '/no/such/folder' }) } catch (error) { console.log(error.code) }
    process.exit()`
  const ran = await run(folder(t), source, { PARALLEL_EVENT_BUS_TRACE: '/no/such/folder/trace.json' })
  assert.equal(ran.status, 0)
  assert.equal(ran.stdout, 'ERR_TRACE_FILE\n')
  assert.match(ran.stderr, /PARALLEL_EVENT_BUS_TRACE_FAILED.*[/\\]no[/\\]such[/\\]folder[/\\]trace.json/)
})

test('without a trace nothing of it is loaded', async (t) => {
  const source = `bus.emit('x'); await bus.idle()
    console.log(Object.keys(require.cache).filter((name) => /observe.(trace|thread-trace)/.test(name)).length); process.exit()`
  const ran = await run(folder(t), source, { PARALLEL_EVENT_BUS_TRACE: '' })
  assert.equal(ran.stdout, '0\n')
})
