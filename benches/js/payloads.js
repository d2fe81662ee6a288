'use strict'

// Payloads of events: one maker for each kind. The same number makes the same payload.

const { randomUUID } = require('node:crypto')
const { isDeepStrictEqual } = require('node:util')
const { serialize } = require('node:v8')

/** Objects and buffers that are the same in each event: to make them would take longer than to send them. */
const LONG = 'abcdefghij'.repeat(6554)
const WIDE = 'ünï日本語'.repeat(342)
const DOUBLES = Array.from({ length: 1000 }, (_, index) => index + 0.5)
const FLOATS = new Float64Array(8192).fill(1.5)
const [BYTES_4K, BYTES_64K, BYTES_1M] = [12, 16, 20].map((bits) => Buffer.alloc(2 ** bits, 7))

class Point {
  label = 'point'
  constructor(x, y) {
    this.x = x
    this.y = y
  }
  get sum() {
    return this.x + this.y
  }
}

/** Made before, so that it is not in the time of an event. */
const UUIDS = Array.from({ length: 1024 }, () => randomUUID())

function uuid(id) {
  return UUIDS[id & 1023]
}

function rows(count, id) {
  return Array.from({ length: count }, (_, row) => ({
    id: id + row,
    name: `name ${row}`,
    price: row * 1.25,
    inStock: row % 2 === 0,
    tag: 'new',
  }))
}

const SHAPES = [
  (id) => ({ id, kind: 'a' }),
  (at) => ({ user: 'ann', at, ok: true }),
  (code) => ({ code, text: 'hello there', level: 2, extra: null }),
]

/** @type {Record<string, (id: number) => unknown>} */
const payloads = {
  'flat object': (id) => ({ id, kind: 'order.created', value: 1, at: 1_764_000_000_000 + id, tags: ['new', 'paid'] }),
  'application’s event': (id) => ({
    id: uuid(id),
    type: 'order.created',
    payload: { orderId: id, customer: { id: uuid(id + 1), name: 'Ada Lovelace' }, total: 129.9, currency: 'EUR' },
    metadata: { at: 1_764_000_000_000 + id, source: 'api', version: 3, retry: false },
  }),
  'uuid, number, name': (id) => ({ id: uuid(id), number: id, name: 'Ada Lovelace' }),
  'nested objects': (id) => ({ id, a: { b: { c: id, d: 'deep' } }, items: [{ sku: 'a1', n: 1 }, { sku: 'b2', n: 2 }] }), // biome-ignore format: a line
  'undefined and -0': (id) => ({ id, a: undefined, b: -0, c: null, d: 'x' }),
  'three shapes in turn': (id) => SHAPES[id % 3](id),
  integer: (id) => id,
  'short string': (id) => `hello ${id % 10}`,
  'text with accents': (id) => `Grüße aus Köln ${id % 10}`,
  Date: (id) => ({ id, at: new Date(1_764_000_000_000 + id) }),
  'class instance': (id) => new Point(id, 2),
  'small typed array': (id) => ({ id, values: new Float32Array([1, 2, 3, id]) }),
  'Buffer of 64 bytes': (id) => Buffer.alloc(64, id),
  Map: (id) => new Map([
    ['a', id],
    ['b', 2],
  ]), // biome-ignore format: short
  Set: (id) => new Set([id, id + 1, id + 2]),
  BigInt: (id) => ({ id, amount: 12_345_678_901_234_567_890n + BigInt(id) }),
  'shared references': (id) => {
    const one = { a: id, b: 'x' }
    return [one, one]
  },
  Error: (id) => new Error(`it went wrong ${id}`),
  '10 rows of objects': (id) => rows(10, id),
  '100 rows of objects': (id) => rows(100, id),
  '1000 doubles': () => DOUBLES,
  'string of 1 KiB': (id) => ({ id, text: LONG.slice(id & 63, (id & 63) + 1024) }),
  'string of 64 KiB': () => LONG.slice(0, 65_536),
  'wide text of 4 KiB': () => WIDE,
  'Buffer of 4 KiB': () => BYTES_4K,
  'Buffer of 64 KiB': () => BYTES_64K,
  'Buffer of 1 MiB': () => BYTES_1M,
  'Float64Array of 64 KiB': (id) => ({ id, values: FLOATS }),
}

/** An event from the middle of a burst: its id has as many digits as those of most. */
const TYPICAL_ID = 10_000

/** The payload of a kind in words: `5 fields, 86 bytes as JSON`. Not for the process of a row: V8 learns from each look. */
function payloadInWords(kind) {
  const payload = payloads[kind](TYPICAL_ID)
  const isRecord = Object.getPrototypeOf(payload) === Object.prototype
  const fields = isRecord ? [`${Object.keys(payload).length} fields`] : []
  return [...fields, sizeInWords(payload)].join(', ')
}

/** The size as JSON, or as V8 writes it where JSON would lose something. */
function sizeInWords(payload) {
  const json = asJson(payload)
  const [size, format] =
    json === null ? [serialize(payload).length, 'V8 serializes it'] : [Buffer.byteLength(json), 'JSON']
  return `${size} ${size === 1 ? 'byte' : 'bytes'} as ${format}`
}

/** Null where JSON would not give back the same. */
function asJson(payload) {
  try {
    const json = JSON.stringify(payload)
    return isDeepStrictEqual(JSON.parse(json), payload) ? json : null
  } catch {
    return null
  }
}

module.exports = { payloads, payloadInWords, sizeInWords }
