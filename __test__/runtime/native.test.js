'use strict'

// The engine seen from JavaScript: the number of calls, the things that it leaves behind, and that it cannot take the
// process down.

const assert = require('node:assert/strict')
const { readFileSync, readdirSync } = require('node:fs')
const path = require('node:path')
const { test } = require('node:test')
const { Worker } = require('node:worker_threads')
const { ParallelEventBus } = require('../..')
const native = require('../../native.js')

const root = path.join(__dirname, '../..')

test('a burst of any length crosses into the engine once', async () => {
  const [bus, other] = [new ParallelEventBus(), new ParallelEventBus()]
  for (const each of [bus, other]) {
    each.on('x', () => {})
    each.on('x', async () => {})
  }
  const { wake } = native
  let crossings = 0
  native.wake = (...args) => {
    crossings++
    wake(...args)
  }
  try {
    const before = native.counters().wakes
    for (let n = 0; n < 10_000; n++) {
      bus.emit('x', n)
      other.emit('x', n)
    }
    await Promise.all([bus.idle(), other.idle()])
    assert.equal(native.counters().wakes - before, 1)
    assert.equal(crossings, 1)
  } finally {
    native.wake = wake
  }
})

test('where a wake cannot be requested, the next event requests it again', async () => {
  const bus = new ParallelEventBus()
  const heard = []
  bus.on('x', (number) => heard.push(number))
  const { wake } = native
  native.wake = () => {
    throw new RangeError('no stack is left')
  }
  try {
    assert.throws(() => bus.emit('x', 1), /no stack is left/)
  } finally {
    native.wake = wake
  }
  bus.emit('x', 2)
  await bus.idle()
  assert.deepEqual(heard, [1, 2])
})

test('a process has one attached thread, however many buses', async () => {
  for (let n = 0; n < 10; n++) {
    const bus = new ParallelEventBus()
    bus.on('x', () => {})
    await bus.emitAndWait('x')
  }
  assert.equal(native.counters().threads, 1)
  assert.equal(native.counters().mailboxes, 1)
})

test('a panic in Rust is a JavaScript error, and the engine works on', async () => {
  assert.throws(() => native.panicForTest(), /a panic on purpose/)
  const bus = new ParallelEventBus()
  bus.on('x', () => 5)
  assert.equal(await bus.request('x'), 5)
})

test('every export catches a panic', () => {
  const folder = path.join(root, 'src/node')
  const files = readdirSync(folder, { recursive: true }).filter((file) => file.endsWith('.rs'))
  const sources = files.map((file) => readFileSync(path.join(folder, file), 'utf8'))
  const exports = sources.flatMap((source) => source.match(/#\[napi[^\]]*\]\s*pub (async )?fn \w+/g) ?? [])
  assert.ok(exports.length >= 20)
  for (const each of exports) assert.match(each, /catch_unwind/)
})

test('wrong arguments are errors', () => {
  assert.throws(() => native.wake(4_000_000), /no such thread/)
  assert.throws(() => native.wake('text'))
  assert.throws(() => native.attach(5))
})

test('two hundred workers load, emit and are terminated at any moment; nothing is left of them', async () => {
  const before = native.counters()
  const fixture = path.join(__dirname, '../fixtures/emitting-worker.js')
  const atOnce = 8
  let started = 0
  let delivered = 0
  const live = async () => {
    while (started < 200) {
      const number = started++
      const worker = new Worker(fixture, { workerData: { root, number } })
      worker.on('message', () => delivered++)
      const exited = new Promise((resolve, reject) => {
        worker.once('exit', resolve)
        worker.once('error', reject)
      })
      if (number % 4 === 0) {
        // These end by themselves: an idle bus does not keep a worker.
      } else if (number % 4 === 1) {
        // While it loads.
        await worker.terminate()
      } else {
        // In the middle of a storm of emissions, after a moment that differs from worker to worker.
        await new Promise((resolve) => worker.once('message', resolve))
        for (let moment = 0; moment < number % 7; moment++) await new Promise((resolve) => setImmediate(resolve))
        await worker.terminate()
      }
      await exited
    }
  }
  await Promise.all(Array.from({ length: atOnce }, live))
  const after = native.counters()
  assert.deepEqual([after.threads, after.mailboxes], [before.threads, before.mailboxes])
  assert.ok(delivered >= 100)
})
