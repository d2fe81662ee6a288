'use strict'

// The output of NODE_DEBUG=parallel-event-bus.

const assert = require('node:assert/strict')
const { spawnSync } = require('node:child_process')
const path = require('node:path')
const { test } = require('node:test')

const root = path.join(__dirname, '../..')
const POOL = path.join(__dirname, '../fixtures/pool.mjs')

/** The lines that a program logs, without their prefix. */
function logOf(program, debug = 'parallel-event-bus') {
  const prelude = `
    const { ParallelEventBus } = require(${JSON.stringify(root)})
    const { Worker } = require('node:worker_threads')
    const told = (bus, symbol) => new Promise((resolve) => bus.once(symbol, resolve));
  `
  const { status, stderr } = spawnSync(process.execPath, ['-e', `${prelude}(async () => {${program}})()`], {
    encoding: 'utf8',
    env: { ...process.env, NODE_DEBUG: debug },
    timeout: 30_000,
  })
  assert.equal(status, 0, stderr)
  const lines = stderr.split('\n')
  return lines.filter((line) => /^PARALLEL-EVENT-BUS \d+: /.test(line)).map((line) => line.replace(/^\S+ \d+: /, ''))
}

test('nothing without it, and nothing for each event', () => {
  const program = `
    const bus = new ParallelEventBus({ channel: 'x' })
    bus.on('x', () => {})
    bus.emit('x')
    await bus.close()`
  assert.deepEqual(logOf(program, ''), [])
  assert.deepEqual(logOf(program), ["joined channel 'x'", "left channel 'x'"])
})

test('threads that start, crash, are replaced and end', () => {
  const lines = logOf(`
    const bus = new ParallelEventBus({ channel: 'x', onError() {} })
    bus.ref()
    const pool = await bus.spawn(${JSON.stringify(POOL)}, { threads: 1 })
    const [id] = pool.threadIds
    bus.emit('exit', 1)
    await told(bus, ParallelEventBus.threadExit)
    while (pool.threadIds.length === 0 || pool.threadIds[0] === id) await new Promise(setImmediate)
    await bus.close()`)
  const kinds = lines.map((line) => line.replace(/\d+/g, 'N').replace(/: .*/, ''))
  for (const kind of [
    'spawned thread N',
    'thread N is ready',
    'thread N ended',
    'a thread crashed, and is replaced in N ms',
    "@cynic/parallel-event-bus.threadExit on channel 'x'",
    "left channel 'x'",
  ]) {
    assert.ok(kinds.includes(kind), `${kind} is missing in\n${lines.join('\n')}`)
  }
})

test('mailboxes that are full, dead letters and stalls', () => {
  const lines = logOf(`
    const bus = new ParallelEventBus({ channel: 'x', onError() {} })
    bus.ref()
    const worker = new Worker(\`
      const { workerData, parentPort } = require('node:worker_threads')
      const { ParallelEventBus } = require(workerData)
      const bus = new ParallelEventBus({ channel: 'x', mailbox: { maxMessages: 2 }, stallAfter: 10 })
      bus.on('hang', () => { for (;;); })
      bus.on('x', () => {})
      parentPort.postMessage('ready')
    \`, { eval: true, workerData: ${JSON.stringify(root)} })
    await new Promise((resolve) => worker.once('message', resolve))
    const stalled = told(bus, ParallelEventBus.stall)
    const dead = told(bus, ParallelEventBus.deadLetter)
    bus.emit('hang')
    const emitting = setInterval(() => bus.emit('x'))
    await Promise.all([stalled, dead])
    clearInterval(emitting)
    await worker.terminate()
    await bus.close()`)
  for (const pattern of [
    /^ERR_MAILBOX_FULL: the mailbox of thread \d+ is full .*: 'x' was not queued\./,
    /^@cynic\/parallel-event-bus\.deadLetter on channel 'x': /,
    /^@cynic\/parallel-event-bus\.stall on channel 'x': \{ threadId: \d+, waiting: \d+, ms: \d+ \}$/,
  ]) {
    assert.ok(
      lines.some((line) => pattern.test(line)),
      `${pattern} is missing in\n${lines.join('\n')}`,
    )
  }
})

test('a thread that is stuck is terminated and replaced, at once each time', () => {
  const module = `data:text/javascript,${encodeURIComponent('export default (bus) => bus.on("x", () => { for (;;); })')}`
  const lines = logOf(`
    const bus = new ParallelEventBus({ channel: 'x', onError() {} })
    const pool = await bus.spawn(${JSON.stringify(module)}, { threads: 2, terminateAfter: 50 })
    for (let round = 0; round < 3; round++) {
      await bus.emitAndWait('x')
      while (pool.threadIds.length < 2) await new Promise((resolve) => setImmediate(resolve))
    }
    await bus.close()`)
  assert.equal(lines.filter((line) => /^thread \d+ is stuck, and terminated$/.test(line)).length, 3)
  const delays = lines.flatMap((line) => line.match(/replaced in (\d+) ms/)?.[1] ?? [])
  assert.deepEqual(delays, ['0', '0', '0'])
})
