'use strict'

// Memory of messages: that nobody else writes into it, and what becomes of an event for which there is none.
// `lent.test.js` is about what the engine does with it.

const assert = require('node:assert/strict')
const v8 = require('node:v8')
const { Packr } = require('msgpackr/index-no-eval')
const { WAYS, stage, test } = require('./fixtures/stage.js')

const NO_MEMORY = 'ERR_MEMORY_ALLOCATION_FAILED'

/** From now on a thread has no memory for long messages. */
function haveLittle() {
  globalThis.Uint32Array = class extends globalThis.Uint32Array {
    constructor(length, ...rest) {
      if (length > 2 ** 18) throw new RangeError('Array buffer allocation failed')
      super(length, ...rest)
    }
  }
}

for (const { way, options } of WAYS) {
  test(`a program may do with what it packs by msgpackr what it likes, ${way}`, async (t) => {
    const { bus, startOne } = stage(t)
    const thread = await startOne(
      ({ bus, log, data }) => {
        bus.on('x', (value) => log.push(value), data)
      },
      { data: options },
    )
    const packr = new Packr()
    const [sent, packed] = [[], []]
    for (let number = 0; number < 600; number++) {
      const value = { number, text: `text ${'ü'.repeat(number % 50)}` }
      sent.push(value)
      assert.equal(bus.emit('x', value), true)
      const theirs = packr.pack({ theirs: number })
      if (number % 40 === 7) structuredClone(theirs, { transfer: [theirs.buffer] })
      else if (number % 40 > 7) packed.push([number, theirs])
    }
    for (const [number, theirs] of packed) {
      // What lies in the same memory as what they have transferred is gone, of course.
      if (theirs.length > 0) assert.deepEqual(packr.unpack(theirs), { theirs: number })
    }
    await bus.idle()
    assert.deepEqual(await thread.run(({ log }) => log), sent)
  })

  test(`an event for which its receiver has no memory fails there, ${way}`, async (t) => {
    const { bus, startOne } = stage(t)
    const thread = await startOne(
      ({ bus, log, data }) => {
        bus.on('x', (value) => log.push(value.length), data)
        bus.on('answer', (length) => Buffer.alloc(length))
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

    // What becomes of it is an event's message, too.
    const Original = globalThis.Uint32Array
    t.after(() => Object.assign(globalThis, { Uint32Array: Original }))
    haveLittle()
    await assert.rejects(bus.request('answer', 2 ** 21), { name: 'RangeError', code: NO_MEMORY })
    assert.equal((await bus.request('answer', 9)).length, 9)
  })
}

test('a message that is longer than any number of the engine is refused by emit, before anybody got it', async (t) => {
  const { bus, startOne } = stage(t)
  const thread = await startOne(({ bus, log }) => bus.on('x', (value) => log.push(value)))
  const { releaseBuffer } = v8.Serializer.prototype
  t.after(() => Object.assign(v8.Serializer.prototype, { releaseBuffer }))
  v8.Serializer.prototype.releaseBuffer = function release() {
    return Object.defineProperty(releaseBuffer.call(this), 'length', { value: 2 ** 31 })
  }
  const refused = { name: 'RangeError', code: 'ERR_BUFFER_TOO_LARGE', message: /2147483647 bytes.* 2147483648/ }
  for (let number = 0; number < 100; number++) {
    bus.emit('x', number)
    if (number % 10 === 9) assert.throws(() => bus.emit('x', new Map()), refused)
  }
  await assert.rejects(bus.emitAndWait('x', new Map()), refused)
  await assert.rejects(bus.request('x', new Map()), refused)
  await bus.idle()
  assert.deepEqual(
    await thread.run(({ log }) => log),
    Array.from({ length: 100 }, (_, number) => number),
  )
})
