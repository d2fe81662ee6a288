'use strict'

// The refusals of the codec: those of `structuredClone`, in its words, and objects that bytes cannot carry. And that
// nothing is left of a value that was refused.

const assert = require('node:assert/strict')
const { createSecretKey, subtle } = require('node:crypto')
const { open } = require('node:fs/promises')
const { BlockList } = require('node:net')
const { createHistogram } = require('node:perf_hooks')
const { test } = require('node:test')
const vm = require('node:vm')
const { MessageChannel, Worker } = require('node:worker_threads')
const { encode, roundTrip } = require('../fixtures/codec.js')

function errorOf(run) {
  try {
    run()
  } catch (error) {
    return error
  }
  return undefined
}

/** Where a value can be met. */
const places = (value) => ({
  alone: value,
  argument: [1, value],
  property: { a: { b: value } },
  key: new Map([[value, 1]]),
  value: new Map([[1, value]]),
  member: new Set([value]),
  ofInstance: new (class Holder {
    held = value
  })(),
  besidesHole: Object.assign(new Array(3), { 1: value }),
})

const revoked = Proxy.revocable({}, {})
revoked.revoke()
async function* generate() {}
const wasm = new WebAssembly.Module(Uint8Array.of(0, 97, 115, 109, 1, 0, 0, 0))

test('a value that structuredClone refuses is refused, wherever it is, in the same words', () => {
  const refused = {
    function: () => 1,
    method: { a() {} }.a,
    class: class A {},
    symbol: Symbol('s'),
    boxedSymbol: Object(Symbol('s')),
    promise: Promise.resolve(),
    weakMap: new WeakMap(),
    weakSet: new WeakSet(),
    weakRef: new WeakRef({}),
    generator: generate(),
    iterator: [].values(),
    mapIterator: new Map().entries(),
    arguments: (function () {
      // biome-ignore lint/complexity/noArguments: it is about them
      return arguments
    })(1),
    foreignArguments: vm.runInNewContext('(function () { return arguments })(1)'),
    proxy: new Proxy({ a: 1 }, {}),
    proxyOfArray: new Proxy([1], {}),
    proxyOfMap: new Proxy(new Map(), {}),
    proxyOfFunction: new Proxy(() => 1, {}),
    proxyOfError: new Proxy(new Error(), {}),
    revoked: revoked.proxy,
    global: globalThis,
    format: new Intl.NumberFormat(),
    instance: new WebAssembly.Memory({ initial: 1 }),
    subclass: new (class Mine extends Promise {})(() => {}),
  }
  for (const [name, value] of Object.entries(refused)) {
    for (const [place, around] of Object.entries(places(value))) {
      const expected = errorOf(() => structuredClone(around))
      const error = errorOf(() => encode(around))
      assert.ok(error instanceof DOMException, `${name}, ${place}`)
      assert.equal(error.name, 'DataCloneError')
      assert.equal(error.code, 25)
      assert.equal(error.message, expected.message)
    }
  }
})

test('a module and a detached buffer are refused', async () => {
  const buffer = new ArrayBuffer(8)
  const view = new Uint8Array(buffer)
  structuredClone(buffer, { transfer: [buffer] })
  for (const value of [await import('node:fs'), buffer, view]) {
    for (const around of Object.values(places(value))) {
      const { message } = errorOf(() => structuredClone(around))
      assert.throws(() => encode(around), { name: 'DataCloneError', message })
    }
  }
})

test('an object that structuredClone hands over without copying is refused by name', async (t) => {
  const file = await open(__filename)
  const { port1, port2 } = new MessageChannel()
  t.after(() => Promise.all([file.close(), port1.close(), port2.close()]))
  const handles = {
    SharedArrayBuffer: [new SharedArrayBuffer(8), new Uint8Array(new SharedArrayBuffer(8))],
    MessagePort: [port1],
    Blob: [new Blob(['text'])],
    SecretKeyObject: [createSecretKey(Buffer.from('key'))],
    CryptoKey: [await subtle.generateKey({ name: 'HMAC', hash: 'SHA-256' }, true, ['sign'])],
    Module: [wasm],
    BlockList: [new BlockList()],
    RecordableHistogram: [createHistogram()],
    FileHandle: [file],
    ReadableStream: [new ReadableStream()],
  }
  for (const [name, values] of Object.entries(handles)) {
    for (const around of values.flatMap((value) => Object.values(places(value)))) {
      assert.throws(() => encode(around), {
        name: 'DataCloneError',
        code: 25,
        // A FileHandle has functions in it, of which V8 may complain first.
        message: name === 'FileHandle' ? /could not/ : new RegExp(`#<${name}> could not`),
      })
    }
  }
})

test('classes of Node are refused if the structuredClone of this Node refuses them', () => {
  const values = [new URL('http://host'), new URLSearchParams('a=1'), new FormData(), new Headers(), new EventTarget()]
  for (const value of [...values, new Event('e'), new AbortController(), AbortSignal.timeout(1), new TextDecoder()]) {
    for (const around of [value, [value], { value }]) {
      const expected = errorOf(() => structuredClone(around))
      const error = errorOf(() => encode(around))
      assert.equal(error?.name, expected?.name)
      if (expected === undefined) assert.deepEqual(roundTrip(around), structuredClone(around))
    }
  }
})

test('encode throws the error of a getter', () => {
  for (const thrown of [new Error('mine'), undefined, 'text', 0]) {
    const fail = () => {
      throw thrown
    }
    const guarded = Object.defineProperty({}, 'a', { get: fail, enumerable: true })
    for (const around of Object.values(places(guarded))) {
      try {
        encode(around)
        assert.fail('encode went on')
      } catch (error) {
        assert.equal(error, thrown)
      }
    }
  }
})

test('nothing of a refused value is in the next message', () => {
  const one = { a: 1 }
  const many = Array.from({ length: 50 }, (_, index) => ({ index, one }))
  const refused = [
    [one, /a/, () => {}],
    [many, /a/, Symbol('s')],
    { one, deep: { one, map: new Map([[one, Promise.resolve()]]) } },
    [{ get a() { throw new Error('no') } }, one], // biome-ignore format: short
  ]
  for (const value of refused) {
    assert.throws(() => encode(value))
    for (const next of [[], [one, one], [many, one, /b/], ['x'], [new Map([[one, one]])]]) {
      assert.deepEqual(roundTrip(next), structuredClone(next))
    }
  }
})

const nestings = {
  array: (inner) => [inner],
  object: (inner) => ({ inner }),
  map: (inner) => new Map([[1, inner]]),
  set: (inner) => new Set([inner]),
  mixed: (inner) => [{ inner, map: new Map() }],
}

function nested(nest, depth, value = {}) {
  for (let level = 0; level < depth; level++) value = nest(value)
  return value
}

/** How deep a value is, and whether it ends as it should. */
function depthOf(value) {
  let depth = 0
  while (true) {
    const inner = value instanceof Map ? value.get(1) : value instanceof Set ? [...value][0] : Object.values(value)[0]
    if (inner === undefined) return depth
    value = inner
    depth++
  }
}

test('values that are nested deeper than the stack is come back', () => {
  for (const [name, nest] of Object.entries(nestings)) {
    for (const depth of [98, 99, 100, 101, 199, 200, 201, 1000, 10_000]) {
      assert.equal(depthOf(roundTrip(nested(nest, depth))), nest === nestings.mixed ? 2 * depth : depth, name)
    }
  }
  const shared = { shared: true }
  const [deep, beside] = roundTrip([nested(nestings.array, 500, shared), shared])
  assert.equal(deep.flat(Number.POSITIVE_INFINITY)[0], beside)
  assert.throws(() => encode(nested(nestings.array, 500, () => {})), { name: 'DataCloneError' })
  for (const handle of [new Blob([]), wasm, new ReadableStream(), new SharedArrayBuffer(1)]) {
    for (const nest of Object.values(nestings)) {
      const deep = nested(nest, 500, { handle })
      assert.throws(() => encode(deep), { name: 'DataCloneError', message: /^#<\w+> could not be cloned: it cannot/ })
    }
  }
})

test('deeper values throw, in any thread, and the process lives', async () => {
  for (const nest of Object.values(nestings)) {
    assert.throws(() => encode(nested(nest, 40_000)), { name: 'RangeError', message: /nested more than 32768/ })
    assert.deepEqual(roundTrip([1]), [1])
  }
  const source = `const { encode } = require(${JSON.stringify(require.resolve('../fixtures/codec.js'))})
    let deep = []
    for (let level = 0; level < 100_000; level++) deep = [deep]
    try { encode(deep) } catch (error) { require('node:worker_threads').parentPort.postMessage(error.name) }`
  const worker = new Worker(source, { eval: true })
  const reply = await new Promise((resolve, reject) => worker.on('message', resolve).on('error', reject))
  assert.equal(reply, 'RangeError')
})
