'use strict'

// A thread that has read many messages goes over to the reader that is compiled, if it can, and nobody notices.

const assert = require('node:assert/strict')
const { spawnSync } = require('node:child_process')
const path = require('node:path')
const { test } = require('node:test')
const { Decoder, Encoder } = require('../lib/codec')
const { Reader } = require('../lib/codec/reader.js')

const order = { id: 'a-123', kind: 'score', value: 42.5, tags: ['x', 'y'], 'not a name': { deep: new Uint8Array([7]) } }

/** An encoder, and decoders of what it writes. */
function between() {
  const encoder = new Encoder(() => {})
  let fetched = 0
  const fetch = () => {
    fetched++
    return encoder.codebook
  }
  return {
    newDecoder: () => new Decoder(fetch),
    write: (...values) => copyOf(encoder.encode(values)),
    fetched: () => fetched,
  }
}

function copyOf({ buffer, start, end }) {
  return Uint8Array.from(buffer.subarray(start, end))
}

function read(decoder, bytes, times = 1) {
  for (let time = 1; time < times; time++) decoder.decode(bytes, 0, bytes.length)
  return decoder.decode(bytes, 0, bytes.length)
}

test('after many messages a decoder goes over, with the codebook as it is then', () => {
  const { newDecoder, write, fetched } = between()
  const decoder = newDecoder()
  const old = write(order)
  assert.deepEqual(read(decoder, old, Reader.compilesAfter - 1), [order])
  const grown = write({ grown: 1 }, order)
  assert.equal(fetched(), 1)
  assert.deepEqual(read(decoder, old), [order])
  assert.equal(fetched(), 2)
  assert.deepEqual(read(decoder, grown, 9), [{ grown: 1 }, order])
  assert.equal(fetched(), 2)
  assert.deepEqual(read(decoder, write({ again: 1 }, { grown: 2 }), 9), [{ again: 1 }, { grown: 2 }])
  assert.equal(fetched(), 3)
  assert.deepEqual(read(decoder, old, 9), [order])
})

test('compiled readers write literals, so that nothing of Object.prototype gets in between', () => {
  const { newDecoder, write } = between()
  const message = write({ set: 5 })
  const decoder = newDecoder()
  read(decoder, message, Reader.compilesAfter)
  read(decoder, message, 9)
  Object.defineProperty(Object.prototype, 'set', { set() {}, configurable: true })
  try {
    assert.equal(read(decoder, message)[0].set, 5)
  } finally {
    delete Object.prototype.set
  }
})

for (const [what, part] of Object.entries({
  'has nothing for readers to call': { loaded: true, exports: {} },
  'can not be loaded': {
    loaded: true,
    get exports() {
      throw new Error('no such file')
    },
  },
})) {
  test(`where msgpackr's other part ${what}, it reads on by itself`, (t) => {
    const file = require.resolve('msgpackr/unpack-no-eval')
    const before = require.cache[file]
    t.after(() => {
      if (before === undefined) delete require.cache[file]
      else require.cache[file] = before
    })
    require.cache[file] = part
    const { newDecoder, write, fetched } = between()
    const decoder = newDecoder()
    const message = write(order)
    assert.deepEqual(read(decoder, message, Reader.compilesAfter + 9), [order])
    assert.deepEqual(read(decoder, write({ grown: 1 })), [{ grown: 1 }])
    assert.equal(fetched(), 2)
  })
}

/** What a process prints, in lines. */
function inAProcess(args, flags = []) {
  const file = path.join(__dirname, 'fixtures/reading.js')
  const { status, stdout, stderr } = spawnSync(process.execPath, [...flags, file, ...args], { encoding: 'utf8' })
  assert.equal(stderr, '')
  assert.equal(status, 0)
  return stdout.trim().split('\n')
}

const event = '[{"a":{"b":[1]}}]'

test('where no code may be made from strings, none is', () => {
  assert.deepEqual(inAProcess([], ['--disallow-code-generation-from-strings']), [event, event])
})
