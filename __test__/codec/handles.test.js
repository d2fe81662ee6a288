'use strict'

// Objects that bytes cannot carry, where the codec's user sends them beside the message.

const assert = require('node:assert/strict')
const { createSecretKey } = require('node:crypto')
const { test } = require('node:test')
const { Decoder, Encoder, decodeAlone } = require('../../lib/codec')

let numbers = 0
const encoder = new Encoder(
  () => {},
  () => ++numbers,
)

/** Through bytes, and the runtime's own clone of the objects beside them. */
function roundTrip(value) {
  const { buffer, start, end, handles } = encoder.encode([value])
  const beside = handles === null ? null : structuredClone(handles.objects)
  const asked = []
  const decoder = new Decoder(
    () => encoder.codebook,
    (number) => {
      asked.push(number)
      return beside
    },
  )
  const [result] = decoder.decode(Uint8Array.from(buffer.subarray(start, end)), 0, end - start)
  assert.deepEqual(asked, handles === null ? [] : [handles.number], 'they are asked for once')
  return result
}

const key = createSecretKey(Buffer.from('key'))
const nest = (value, levels) => (levels === 0 ? value : nest({ inner: [value] }, levels - 1))
const unnest = (value) => (value.inner === undefined ? value : unnest(value.inner[0]))

test('an object that goes by a handle comes back wherever it is', () => {
  class Holder {
    held = key
  }
  const places = {
    argument: [key, (value) => value],
    property: [{ a: { b: key } }, ({ a }) => a.b],
    element: [[1, key], ([, value]) => value],
    besidesHole: [Object.assign(new Array(3), { 1: key }), (array) => array[1]],
    key: [new Map([[key, 1]]), (map) => [...map.keys()][0]],
    value: [new Map([[1, key]]), (map) => map.get(1)],
    member: [new Set([key]), ([value]) => value],
    ofInstance: [new Holder(), ({ held }) => held],
    cause: [new Error('m', { cause: key }), ({ cause }) => cause],
    ofError: [Object.assign(new Error('m'), { key }), (error) => error.key],
    ofAggregate: [new AggregateError([key]), ({ errors }) => errors[0]],
    deep: [nest(key, 300), unnest],
  }
  for (const [place, [value, find]] of Object.entries(places)) assert.ok(key.equals(find(roundTrip(value))), place)
})

test('shared memory stays shared, and what was one object is one', () => {
  const memory = new SharedArrayBuffer(16)
  const bytes = new Uint8Array(memory, 4, 8)
  const value = {
    memory,
    again: memory,
    bytes,
    words: new Int32Array(memory),
    view: new DataView(memory, 2),
    bytes2: bytes,
  }
  const result = roundTrip(value)
  assert.equal(result.memory, result.again)
  assert.equal(result.bytes, result.bytes2)
  for (const each of [result.bytes, result.words, result.view]) assert.equal(each.buffer, result.memory)
  assert.deepEqual([result.bytes.byteOffset, result.bytes.length, result.view.byteOffset], [4, 8, 2])
  result.words[1] = 7
  assert.equal(bytes[0], 7)
  assert.equal(Object.getPrototypeOf(roundTrip(Buffer.from(memory))), Uint8Array.prototype)
})

test('a view goes with the length of memory that grows, if it did before', {
  skip: !('grow' in SharedArrayBuffer.prototype),
}, () => {
  const memory = new SharedArrayBuffer(8, { maxByteLength: 32 })
  const [tracking, fixed] = roundTrip([new Uint8Array(memory), new Uint8Array(memory, 0, 8)])
  assert.equal(memory.byteLength, 8, 'nothing has grown it')
  memory.grow(16)
  assert.deepEqual([tracking.length, fixed.length], [16, 8])
})

test('a message without such objects has no number', () => {
  const before = numbers
  assert.equal(encoder.encode([{ a: [1, new Map(), new Uint8Array(3)] }]).handles, null)
  assert.equal(numbers, before)
})

test('the next message has nothing of those before, also where one was refused', () => {
  assert.throws(() => encoder.encode([key, () => {}]), { name: 'DataCloneError' })
  assert.equal(encoder.encode([1]).handles, null)
  assert.deepEqual(encoder.encode([key]).handles.objects, [key])
})

test('a property of an error that is left out leaves no handle behind', () => {
  const other = new SharedArrayBuffer(1)
  const half = [other, () => {}]
  const { handles } = encoder.encode([Object.assign(new Error('m'), { half, key })])
  assert.deepEqual(handles.objects, [key])
  assert.equal(encoder.encode([Object.assign(new Error('m'), { half })]).handles, null)
})

test('what a getter encodes meanwhile has handles of its own', () => {
  let inner
  const outer = encoder.encode([
    {
      key,
      get b() {
        inner = encoder.encode([new Blob([])])
        return 1
      },
    },
  ])
  assert.deepEqual(outer.handles.objects, [key])
  assert.equal(inner.handles.objects.length, 1)
  assert.notEqual(inner.handles.number, outer.handles.number)
})

test('an error for nobody who takes handles comes without them', () => {
  const thrown = Object.assign(new Error('m'), { key, code: 'E' })
  const { buffer, start, end, handles } = encoder.encodeThrown(thrown, false)
  assert.equal(handles, null)
  const error = decodeAlone(buffer, start, end)
  assert.deepEqual([error.message, error.code, 'key' in error], ['m', 'E', false])
  assert.deepEqual(encoder.encodeThrown(thrown, true).handles.objects, [key])
})

test('what can only be transferred is refused by name', () => {
  assert.throws(() => encoder.encode([new MessageChannel().port1]), {
    name: 'DataCloneError',
    message: /#<MessagePort>/,
  })
})

test('a reader without handles, or with too few, refuses the message', () => {
  const { buffer, start, end } = encoder.encode([key, new SharedArrayBuffer(1)])
  const bytes = Uint8Array.from(buffer.subarray(start, end))
  const codebook = () => encoder.codebook
  assert.throws(() => new Decoder(codebook).decode(bytes, 0, bytes.length), TypeError)
  assert.throws(() => new Decoder(codebook, () => [key]).decode(bytes, 0, bytes.length), TypeError)
})
