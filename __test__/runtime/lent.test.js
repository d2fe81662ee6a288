'use strict'

// Memory that JavaScript lends to the engine: its contents and its place may be wrong in any way.

const assert = require('node:assert/strict')
const path = require('node:path')
const { test } = require('node:test')
const { Worker } = require('node:worker_threads')
const { decodeAlone } = require('../../lib/codec')

/** A test in a thread that ends with it, and takes its leftovers in the engine along. It sees nothing of this file. */
function testInThread(name, run) {
  test(name, async () => {
    const source = `(${run})((${tools})(require, ${JSON.stringify(path.join(__dirname, '../../native.js'))})); process.exit()`
    const worker = new Worker(source, { eval: true })
    await new Promise((resolve, reject) => worker.once('exit', resolve).once('error', reject))
  })
}

function tools(require, binding) {
  const native = require(binding)
  return {
    assert: require('node:assert/strict'),
    native,
    shared: (Type, length) => new Type(new SharedArrayBuffer(Type.BYTES_PER_ELEMENT * length)),
    /** A thread for the engine that has lent nothing, with a member that listens to `e`, and one that emits it. */
    attached: () => {
      const thread = native.attach(() => {}, 1)
      const [emitter, listening] = [1, 2].map(() => native.join(thread, 'lent', 1000, 2 ** 20, 0))
      native.listen(thread, listening, 'e', 1, false, false, false, undefined)
      return { thread, emitter, listening, route: native.route(thread, emitter, 'e') }
    },
  }
}

testInThread('only memory that nobody can take away is lent', ({ assert, native, attached, shared }) => {
  const { thread } = attached()
  const ways = { lend: Uint8Array, lendRecords: Uint32Array }
  for (const [name, Type] of Object.entries(ways)) {
    const refused = { name: 'TypeError', code: 'ERR_INVALID_ARG_VALUE', message: /SharedArrayBuffer/ }
    for (const buffer of [new ArrayBuffer(64), new ArrayBuffer(64, { maxByteLength: 128 })]) {
      assert.throws(() => native[name](thread, new Type(buffer)), refused, name)
    }
    const buffer = new ArrayBuffer(64)
    const detached = new Type(buffer)
    structuredClone(buffer, { transfer: [buffer] })
    assert.throws(() => native[name](thread, detached), refused, name)
    for (const value of [undefined, {}, [], new ArrayBuffer(64), new SharedArrayBuffer(64), shared(Int8Array, 64)]) {
      assert.throws(() => native[name](thread, value), name)
    }
    native[name](thread, shared(Type, 64))
    native[name](thread, shared(Type, 0))
  }
})

testInThread('what is passed in a call may be gone, or become smaller', ({ assert, native, attached, shared }) => {
  const { thread, emitter, listening, route } = attached()
  native.lend(thread, shared(Uint8Array, 64))
  const gone = (Type) => {
    const view = new Type(4096)
    structuredClone(view, { transfer: [view.buffer] })
    return view
  }
  assert.throws(() => native.publish(thread, route, 0, 9, gone(Uint8Array)), /not within the bytes of a message/)
  assert.throws(
    () => native.dispatch(thread, route, 0, 9, 4, 1, 0, gone(Uint8Array)),
    /not within the bytes of a message/,
  )
  assert.equal(native.inFlight(thread, listening), 0)
  const buffer = new ArrayBuffer(64, { maxByteLength: 128 })
  const view = new Uint8Array(buffer)
  native.dispatch(thread, route, 0, 64, 4, 1, 0, view)
  buffer.resize(8)
  assert.throws(() => native.publish(thread, route, 0, 64, view), /not within the bytes of a message/)
  assert.equal(native.read(thread, 1000, gone(Uint32Array)), -1)
  assert.ok(native.read(thread, 1000, new Uint32Array(9)) < -9, 'it says how many words it needs')
  assert.ok(native.read(thread, 1000, new Uint32Array(99)) > 1)
  assert.throws(() => native.reply(thread, 0, 0, 9, 1, gone(Uint8Array)), /not within the bytes of a message/)
  native.settle(thread, gone(Uint32Array), 1024)
  native.fail(thread, 0, 0, gone(Uint8Array), 0, 4096)
  native.shareCodebook(thread, gone(Uint8Array))
  assert.equal(native.pending(thread, emitter), 0)
  for (const value of [undefined, null, 1, {}, [], new ArrayBuffer(9), new Int8Array(9)]) {
    assert.throws(() => native.read(thread, 1000, value))
    assert.throws(() => native.publish(thread, route, 0, 9, value))
  }
})

testInThread(
  'a payload that is not within what was lent is an error, and so is a number that is none',
  ({ assert, native, attached, shared }) => {
    const { thread, route, listening } = attached()
    for (const [start, end] of [
      [0, 1],
      [0, 2 ** 31],
      [2 ** 31, 2 ** 31 + 1],
    ]) {
      assert.throws(() => native.publish(thread, route, start, end), /not within the bytes of a message/)
    }
    native.lend(thread, shared(Uint8Array, 64))
    for (const [start, end] of [
      [0, 65],
      [60, 50],
      [0, 2 ** 31],
      [2 ** 32 - 2, 2 ** 32 - 1],
    ]) {
      assert.throws(() => native.publish(thread, route, start, end), /not within the bytes of a message/)
      assert.throws(() => native.dispatch(thread, route, start, end, 0, 0, 0), /not within the bytes of a message/)
    }
    for (const end of [2 ** 32, 2 ** 32 + 9, 2 ** 53, -1, 0.5, Number.NaN, Infinity, '9', 9n, undefined, {}]) {
      assert.throws(() => native.publish(thread, route, 0, end), /whole numbers/)
    }
    assert.equal(native.inFlight(thread, listening), 0)
    // The listener is in this thread, too.
    assert.equal(native.publish(thread, route, 0, 64) & ~(1 << 29), 1)
  },
)

testInThread('a number of records is no more than there is room for', ({ assert, native, attached, shared }) => {
  const { thread, route, listening } = attached()
  const records = shared(Uint32Array, 2 + 3 * 4)
  native.lend(thread, shared(Uint8Array, 64))
  native.lendRecords(thread, records)
  for (let record = 0; record < 4; record++) records.set([route, 0, 9], 2 + 3 * record)
  Atomics.store(records, 0, 2 ** 32 - 1)
  native.flushBurst(thread, 0)
  assert.deepEqual([native.inFlight(thread, listening), records[0]], [4, 0])
  // Nor are they read where none fits.
  for (let length = 0; length < 5; length++) {
    const few = shared(Uint32Array, length).fill(2 ** 32 - 1)
    native.lendRecords(thread, few)
    native.flushBurst(thread, 0)
  }
  assert.equal(native.inFlight(thread, listening), 4)
})

test('a message of a version that is not known is an error, and so is one that is not there', () => {
  assert.throws(() => decodeAlone(Uint8Array.of(200, 1, 2), 0, 3), /unknown version of a message: 12/)
  assert.throws(() => decodeAlone(Uint8Array.of(3, 1), 0, 0), { code: 'ERR_MEMORY_ALLOCATION_FAILED' })
})
