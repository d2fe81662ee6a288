'use strict'

// Messages of the codec, the codebook between encoder and decoder, and the memory they keep.

const assert = require('node:assert/strict')
const { spawnSync } = require('node:child_process')
const path = require('node:path')
const { test } = require('node:test')
const { Decoder, Encoder, decodeAlone } = require('../../lib/codec')

const order = { id: 'a-123', kind: 'score', value: 42.5, at: 1_700_000_000_000, tags: ['x', 'y'], nothing: null }

/** The messages of an encoder, and the codebooks that it shares, as bytes that are not overwritten. */
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

function textOf(bytes) {
  return Buffer.from(bytes).toString('latin1')
}

/** Collects garbage, which V8 does not do at once, until something holds. */
async function collectedUntil(holds) {
  for (let round = 0; round < 100 && !holds(); round++) {
    await new Promise((resolve) => setImmediate(resolve))
    global.gc()
  }
  assert.ok(holds())
}

test('keys, and strings that a field has again and again, are in the codebook, and no more in messages', () => {
  const { published, write } = writing()
  assert.match(textOf(write(order)), /kind.*score/)
  for (let number = 0; number < 100; number++) write({ ...order, value: number })
  const { length } = published
  assert.ok(length > 0 && length < 10, `published ${length} times`)
  assert.match(textOf(published.at(-1)), /kind.*score/)
  const message = write(order)
  assert.doesNotMatch(textOf(message), /kind|score/)
  assert.ok(message.length < 50, `${message.length} bytes`)
  for (let number = 0; number < 100; number++) write({ ...order, value: number })
  assert.equal(published.length, length)
})

test('a codebook begins with the one shared before', () => {
  const { published, write } = writing()
  for (let number = 0; number < 1000; number++) write({ [`key${number % 7}`]: number, text: `text ${number % 3}` })
  assert.ok(published.length > 5)
  for (const [index, codebook] of published.slice(1).entries()) {
    assert.deepEqual(codebook.subarray(0, published[index].length), published[index])
  }
})

test('the codebook is published before the message that needs it can be sent', () => {
  const { published, write } = writing()
  for (let number = 0; number < 50; number++) {
    const shape = number % 5
    const values = [{ [`key${shape}`]: 'the same text' }, { inner: { [`deep${shape}`]: [] } }]
    const message = write(...values)
    // One that was made just now.
    const decoder = new Decoder(() => published.at(-1))
    assert.deepEqual(read(decoder, message), values)
  }
})

test('a decoder that has an older codebook gets the new one, and keeps reading earlier messages', () => {
  const { encoder, write } = writing()
  let fetched = 0
  const decoder = new Decoder(() => {
    fetched++
    return encoder.codebook
  })
  const writeOften = (...values) => Array.from({ length: 20 }, () => write(...values)).at(-1)
  const old = writeOften(order)
  assert.deepEqual(read(decoder, old), [order])
  const message = writeOften({ other: 1 }, order)
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
  assert.ok(published.length < 10)
  assert.ok(encoder.codebook.length < 200)
  for (let round = 0; round < 8; round++) {
    for (let number = 0; number < 3000; number++) {
      const value = { [`again ${number}`]: `text ${number}`, ['a long key'.repeat(9)]: number }
      assert.deepEqual(read(decoder, write(value)), [value])
    }
  }
  assert.ok(encoder.codebook.length <= 32_768)
})

test('a message is read from any place of a buffer, among any bytes, and nothing of the buffer is kept', () => {
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

test('a getter is called once, in the order of keys, and a property that it deletes is gone', () => {
  const { encoder, write } = writing()
  const decoder = new Decoder(() => encoder.codebook)
  const make = (calls) => {
    const value = {
      get first() {
        calls.push('first')
        delete value.second
        value.last = 'changed'
        value.added = 1
        return 1
      },
      second: 2,
      third: [3],
      get fourth() {
        calls.push('fourth')
        return { calls: calls.length }
      },
      last: 'as it was',
    }
    return value
  }
  const expected = []
  const wanted = structuredClone([make(expected)])
  // As often as it takes for all ways to write it.
  for (let round = 0; round < 1000; round++) {
    const calls = []
    const back = read(decoder, write(make(calls)))
    assert.deepEqual(back, wanted)
    assert.deepEqual(Object.keys(back[0]), Object.keys(wanted[0]))
    assert.deepEqual(calls, expected)
  }
})

test('nothing that Object.prototype has gets in between', () => {
  const { encoder, write } = writing()
  const decoder = new Decoder(() => encoder.codebook)
  const value = () => ({ set: 5, plain: { set: [6] }, map: new Map([[1, { set: 7 }]]) })
  for (let round = 0; round < 1000; round++) {
    if (round % 100 !== 0) {
      assert.deepEqual(read(decoder, write(value())), [value()])
      continue
    }
    Object.defineProperty(Object.prototype, 'set', { set() {}, get: () => 1, configurable: true, enumerable: true })
    try {
      const [back] = read(decoder, write(value()))
      assert.equal(Object.getOwnPropertyDescriptor(back, 'set').value, 5)
      assert.equal(Object.getOwnPropertyDescriptor(back.plain, 'set').value[0], 6)
    } finally {
      delete Object.prototype.set
    }
  }
})

test('where no code may be made from strings, it is the same', () => {
  const flags = ['--disallow-code-generation-from-strings', '--test', '--test-reporter=tap']
  const files = ['compiled.test.js'].map((file) => path.join(__dirname, file))
  const { NODE_TEST_CONTEXT: _, ...env } = process.env
  const { status, stdout } = spawnSync(process.execPath, [...flags, ...files], { encoding: 'utf8', env })
  assert.equal(status, 0, stdout)
})

test('replies and errors need no codebook', () => {
  const { encoder, published } = writing()
  for (const value of [order, undefined, 5, new TypeError('x')]) {
    const message = copyOf(encoder.encodeAlone(value))
    assert.deepEqual(decodeAlone(message, 0, message.length), value)
  }
  assert.deepEqual(published, [])
})

test('encoded, refused and decoded values are not kept in memory', async () => {
  const { encoder, write } = writing()
  const decoder = new Decoder(() => encoder.codebook)
  const references = []
  const track = (object) => {
    references.push(new WeakRef(object))
    return object
  }
  // In functions of their own: an async function may keep the values that it has seen.
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

test('a level of a value that is nested deep takes few bytes while it is written', () => {
  const { encoder } = writing()
  const kinds = {
    objects: (inner) => ({ a: 1, inner }),
    arrays: (inner) => [1, inner],
    maps: (inner) => new Map([[1, inner]]),
    causes: (cause) => new Error('outer', { cause }),
  }
  for (const [kind, around] of Object.entries(kinds)) {
    let bytes
    const innermost = {
      get bytes() {
        global.gc()
        bytes = process.memoryUsage().heapUsed
        return 1
      },
    }
    const bytesIn = (levels) => {
      let value = innermost
      for (let level = 0; level < levels; level++) value = around(value)
      encoder.encode([value])
      global.gc()
      const before = process.memoryUsage().heapUsed
      encoder.encode([value])
      return bytes - before
    }
    // Code that is compiled meanwhile is on the heap, too: the least of some is without it.
    const perLevel = Math.min(...Array.from({ length: 5 }, () => (bytesIn(4000) - bytesIn(1000)) / 3000))
    assert.ok(perLevel < 200, `${kind}: ${perLevel} bytes`)
  }
})
