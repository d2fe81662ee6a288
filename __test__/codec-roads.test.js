'use strict'

// The two roads of the codec, the codebook between encoder and decoder, and what it keeps in memory.

const assert = require('node:assert/strict')
const { test } = require('node:test')
const { Decoder, Encoder, decodeAlone } = require('../lib/codec')

const order = { id: 'a-123', kind: 'score', value: 42.5, at: 1_700_000_000_000, tags: ['x', 'y'], nothing: null }

/** What an encoder writes, and what it publishes, as bytes that nobody overwrites. */
function writing() {
  const published = []
  const encoder = new Encoder((codebook) => published.push(Buffer.from(codebook)))
  const write = (...values) => copyOf(encoder.encode(values))
  return { encoder, published, write }
}

function copyOf({ buffer, start, end }) {
  return Uint8Array.from(buffer.subarray(start, end))
}

function read(decoder, bytes) {
  return decoder.decode(bytes, 0, bytes.length)
}

/** Collects garbage, which V8 does not do at once, until something holds. */
async function collectedUntil(holds) {
  for (let round = 0; round < 100 && !holds(); round++) {
    await new Promise((resolve) => setImmediate(resolve))
    global.gc()
  }
  assert.ok(holds())
}

test('the keys of an event are not in its message, but in the codebook, which is published once', () => {
  const { published, write } = writing()
  const first = write(order)
  assert.equal(published.length, 1)
  for (let number = 0; number < 100; number++) write({ ...order, value: number })
  assert.equal(published.length, 1)
  assert.match(published[0].toString(), /kind/)
  assert.doesNotMatch(Buffer.from(first).toString('latin1'), /kind/)
  assert.ok(first.length < 60, `${first.length} bytes`)
})

test('the codebook is published before the message that needs it can be sent', () => {
  const { published, write } = writing()
  for (let shape = 0; shape < 5; shape++) {
    const message = write({ [`key${shape}`]: shape }, { inner: { [`deep${shape}`]: [] } })
    // One that was made just now.
    const decoder = new Decoder(() => published.at(-1))
    assert.deepEqual(read(decoder, message), [{ [`key${shape}`]: shape }, { inner: { [`deep${shape}`]: [] } }])
  }
})

test('a decoder that has an older codebook gets the new one, and keeps reading what was written before', () => {
  const { encoder, write } = writing()
  let fetched = 0
  const decoder = new Decoder(() => {
    fetched++
    return encoder.codebook
  })
  const old = write(order)
  assert.deepEqual(read(decoder, old), [order])
  const message = write({ other: 1 }, order)
  assert.deepEqual(read(decoder, message), [{ other: 1 }, order])
  assert.deepEqual(read(decoder, old), [order])
  assert.deepEqual(read(decoder, message), [{ other: 1 }, order])
  assert.equal(fetched, 2)
})

test('objects of ever new shapes are read as they were written, and the codebook has an end', () => {
  const { encoder, published, write } = writing()
  const decoder = new Decoder(() => encoder.codebook)
  for (let number = 0; number < 500; number++) {
    const value = { [`user-${number}`]: number, shared: { [`n${number}`]: null }, list: [{ [`${number}`]: number }] }
    assert.deepEqual(read(decoder, write(value, order)), [value, order])
  }
  assert.ok(published.length < 100)
  assert.ok(encoder.codebook.length < 4096)
})

test('a message is read from any place of a buffer, whatever is around it, and nothing of the buffer is kept', () => {
  const { encoder, write } = writing()
  const decoder = new Decoder(() => encoder.codebook)
  for (const value of [order, new Map([[order, new Float64Array([1.5])]]), 'x'.repeat(5000), Buffer.alloc(99, 1)]) {
    const message = write(value)
    const wanted = structuredClone([value])
    for (let offset = 0; offset < 9; offset++) {
      const memory = new Uint8Array(message.length + 20).fill(0xff)
      memory.set(message, offset)
      const back = decoder.decode(memory, offset, offset + message.length)
      memory.fill(129)
      assert.deepEqual(back, wanted)
    }
  }
})

test('a getter may encode in the middle of a value', () => {
  const { encoder, write } = writing()
  const decoder = new Decoder(() => encoder.codebook)
  const shared = {}
  const value = {
    shared,
    get inner() {
      return write({ a: 1, shared }, [shared, shared]).length > 0
    },
    get refused() {
      assert.throws(() => write(Symbol('s')))
      return 2
    },
    last: shared,
  }
  const [back] = read(decoder, write(value))
  assert.deepEqual(back, { shared: {}, inner: true, refused: 2, last: {} })
  assert.equal(back.shared, back.last)
})

test('what a getter gives when it is asked again is refused like anything else', () => {
  const { write } = writing()
  const turning = (later) => {
    let asked = 0
    return {
      get value() {
        return asked++ === 0 ? 'plain' : later
      },
    }
  }
  for (const refused of [() => {}, Symbol('s')]) {
    assert.throws(() => write(turning(refused)), { name: 'DataCloneError' })
  }
})

test('answers and errors need no codebook', () => {
  const { encoder, published } = writing()
  for (const value of [order, undefined, 5, new TypeError('x')]) {
    const message = copyOf(encoder.encodeAlone(value))
    assert.deepEqual(decodeAlone(message, 0, message.length), value)
  }
  assert.deepEqual(published, [])
})

test('what was encoded, refused or decoded is not kept in memory', async () => {
  const { encoder, write } = writing()
  const decoder = new Decoder(() => encoder.codebook)
  const references = []
  const track = (object) => {
    references.push(new WeakRef(object))
    return object
  }
  // In functions of their own: what awaits may keep what it has seen.
  const uses = [
    () => read(decoder, write(...Array.from({ length: 50 }, () => track({ list: [track([])] })))).map(track),
    () => read(decoder, write(track(new Map([[track({}), track(new Error('x'))]])))).map(track),
    () =>
      assert.throws(() =>
        write(
          track({}),
          track(() => {}),
        ),
      ),
  ]
  for (const use of uses) use()
  await collectedUntil(() => references.every((each) => each.deref() === undefined))

  const before = process.memoryUsage().arrayBuffers
  encoder.encode(['x'.repeat(8 << 20)])
  encoder.encode([Buffer.alloc(8 << 20)])
  await collectedUntil(() => process.memoryUsage().arrayBuffers - before < 1 << 20)
})
