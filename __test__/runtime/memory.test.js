'use strict'

// Memory of messages: no program can write into it, and an event without memory is refused.
// `lent.test.js` is about the engine's use of it.

const assert = require('node:assert/strict')
const { spawnSync } = require('node:child_process')
const path = require('node:path')
const { Encoder, decodeAlone } = require('../../lib/codec/index.js')
const native = require('../../native.js')
const { WAYS, stage, test } = require('../fixtures/stage.js')

const NO_MEMORY = 'ERR_MEMORY_ALLOCATION_FAILED'

/** From now on a thread has no memory for long parts of messages. */
function haveLittle() {
  const { allocUnsafeSlow } = Buffer
  Buffer.allocUnsafeSlow = (bytes) => {
    if (bytes > 2 ** 20) throw new RangeError('Array buffer allocation failed')
    return allocUnsafeSlow(bytes)
  }
}

for (const { way, options } of WAYS) {
  test(`an event for which its receiver has no memory fails there, ${way}`, async (t) => {
    const { bus, startOne } = stage(t)
    // Memory of the engine's own needs none of the receiver's.
    native.forbidExternalForTest(true)
    t.after(() => native.forbidExternalForTest(false))
    const thread = await startOne(
      ({ bus, log, data }) => {
        bus.on('x', (value) => log.push(value.length), data)
        bus.on('reply', (length) => Buffer.alloc(length))
      },
      { data: options },
    )
    await thread.run(haveLittle)
    const large = Buffer.alloc(2 ** 21)
    for (const value of ['small', large, 'small']) bus.emit('x', value)
    const { success, failed, errors } = await bus.emitAndWait('x', large)
    assert.deepEqual([success, failed, errors[0].name, errors[0].code], [0, 1, 'RangeError', NO_MEMORY])
    assert.deepEqual(await bus.emitAndWait('x', 'small'), { success: 1, failed: 0, errors: [] })
    assert.deepEqual(await thread.run(({ log }) => log), [5, 5, 5])
    const told = await thread.run(({ errors }) => errors.map(([event, { code }]) => [event, code]))
    assert.deepEqual(told, Array(2).fill(['x', NO_MEMORY]))
    assert.equal(bus.getStats().listenersFailed, 2)

    // Its result becomes an event's message, too.
    const { allocUnsafeSlow } = Buffer
    t.after(() => Object.assign(Buffer, { allocUnsafeSlow }))
    haveLittle()
    await assert.rejects(bus.request('reply', 2 ** 21), { name: 'RangeError', code: NO_MEMORY })
    assert.equal((await bus.request('reply', 9)).length, 9)
  })
}

test('a message that is longer than numbers of the engine are is refused, and the next one is as ever', () => {
  const encoder = new Encoder(() => {})
  // The system has not to find memory for it before somebody writes there.
  const longest = new Uint8Array(2 ** 31)
  const refused = { name: 'RangeError', code: 'ERR_BUFFER_TOO_LARGE', message: /2147483647 bytes, .* 21474\d+$/ }
  for (let number = 0; number < 10; number++) {
    assert.throws(() => encoder.encodeAlone(longest), refused)
    const { buffer, start, end } = encoder.encodeAlone(number)
    assert.equal(decodeAlone(buffer, start, end), number)
  }
})

test('a buffer that is longer than numbers of a message are is refused by emit, before anybody got it', async (t) => {
  const { bus, startOne } = stage(t)
  const thread = await startOne(({ bus, log }) => bus.on('x', (value) => log.push(value)))
  const longest = new ArrayBuffer(2 ** 32)
  const refused = { name: 'DataCloneError', message: /more than 4 GiB/ }
  for (const value of [longest, new Uint8Array(longest, 8, 8), { deep: [longest] }]) {
    assert.throws(() => bus.emit('x', value), refused)
    await assert.rejects(bus.emitAndWait('x', value), refused)
  }
  bus.emit('x', 1)
  await bus.idle()
  assert.deepEqual(await thread.run(({ log }) => log), [1])
})

/** Only the system can take memory away: where it has a program for that. */
const canLimit = spawnSync('prlimit', ['--version']).status === 0

test('a process without memory for an event goes on, and its emitter is told', { skip: !canLimit }, () => {
  const source = (size, left) => `
    const { execFileSync } = require('node:child_process')
    const { readFileSync } = require('node:fs')
    const { ParallelEventBus } = require(${JSON.stringify(path.join(__dirname, '../..'))})
    const told = []
    const options = { channel: 'limited', mailbox: { maxBytes: 2 ** 40 }, onError: (event, error) => told.push(error.code) }
    const [bus, other] = [options, options].map((options) => new ParallelEventBus(options))
    const heard = []
    other.on('x', (value) => heard.push(value.length))
    const large = Buffer.alloc(${size})
    bus.emit('x', 'small')
    const [, used] = /VmSize:\\s+(\\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))
    const most = Number(used) * 1024 + ${left}
    execFileSync('prlimit', ['--pid', String(process.pid), '--as=' + Math.floor(most)])
    try {
      bus.emit('x', large)
    } catch (error) {
      told.push(error.code)
    }
    bus.emit('x', 'small')
    bus.idle().then(() => console.log(JSON.stringify({ heard, told })))
  `
  // One copy is all that a long payload needs; and it may be too much.
  for (const [size, left, expected] of [
    [2 ** 30, 2 ** 28, { heard: [5, 5], told: [NO_MEMORY] }],
    [2 ** 27, 1.9 * 2 ** 27, { heard: [5, 2 ** 27, 5], told: [] }],
  ]) {
    const { status, signal, stdout, stderr } = spawnSync(process.execPath, ['-e', source(size, left)], {
      encoding: 'utf8',
    })
    assert.deepEqual([status, signal, stderr], [0, null, ''])
    assert.deepEqual(JSON.parse(stdout), expected)
  }
})
