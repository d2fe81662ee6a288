'use strict'

// The promise of the codec: a value comes back as `structuredClone` would have given it. Refused values are in
// `refusal.test.js`, errors are in `errors.test.js`, and the messages themselves in `messages.test.js`.

const assert = require('node:assert/strict')
const { test } = require('node:test')
const vm = require('node:vm')
const fc = require('fast-check')
const { once, roundTrip } = require('../fixtures/codec.js')
const { assertSame } = require('../fixtures/same.js')

/** By itself, as an argument, and where it is met in several ways. */
function assertClones(value, name) {
  const around = { first: [1, 'x'], value, again: [value], last: new Map([[value, { value }]]) }
  for (const each of [value, [value], around]) assertSame(roundTrip(each), structuredClone(each), name)
}

/** One test of many values. The names are for the messages of failures. */
function corpus(title, values) {
  test(title, () => {
    for (const [name, value] of Object.entries(values)) assertClones(value, name)
  })
}

const times = (count, make) => Array.from({ length: count }, (_, index) => make(index))
/** A string that fits in one byte for each character up to its very end. */
const wideAtTheEnd = (length) => `${'ä'.repeat(length - 1)}€`

corpus('primitive values come back as they were', [undefined, null, true, false])

corpus('numbers come back as they were, also where their encoding changes', [
  ...[0, -0, 1, -1, 1.5, -1.5, 0.1, 5e-324, Number.MAX_VALUE, NaN, Infinity, -Infinity],
  ...[7, 8, 15, 16, 31, 32, 52, 53, 63, 64].flatMap((bits) =>
    [-1, 0, 1].flatMap((more) => [2 ** bits + more, -(2 ** bits) + more]),
  ),
])

corpus('big integers of any size and sign come back as they were', [
  ...[0n, 1n, -1n],
  ...[31n, 32n, 63n, 64n, 65n, 127n, 128n, 1000n, 100_000n].flatMap((bits) =>
    [-1n, 0n, 1n].flatMap((more) => [2n ** bits + more, -(2n ** bits) + more]),
  ),
])

corpus('strings of any width and length come back as they were', [
  ...[1, 2, 3, 4, 5, 6, 7, 8, 9, 15, 16, 17, 23, 24, 25, 31, 32, 254, 255, 256, 65_535, 65_536].flatMap((length) => [
    'x'.repeat(length),
    'ÿ'.repeat(length),
    '\0'.repeat(length),
    '€'.repeat(length),
    wideAtTheEnd(length),
  ]),
  ...['', '👍🏽 done', `${'x'.repeat(40)}${'€'.repeat(40)}`.slice(20, 60), `€${'x'.repeat(100)}`.slice(1)],
])

corpus('strings and keys with unpaired surrogates come back as they were', [
  ...['\ud800', '\udc00', '\udc00\ud800', 'a\ud800', '\ud800a', 'a\udfff'.repeat(100), '\ud83d\ud83d\udc4d'],
  { '\ud800': 1, '\udc00x': 2, ['\ud800'.repeat(300)]: 3 },
])

test('strings and buffers of megabytes come back as they were', () => {
  for (const size of [64 << 10, 1 << 20, 8 << 20]) {
    for (const text of ['x'.repeat(size), wideAtTheEnd(size), '€'.repeat(size)]) {
      assert.ok(roundTrip([text])[0] === text)
      assert.ok(Object.keys(roundTrip({ [text]: 1 }))[0] === text)
    }
    const bytes = Buffer.alloc(size, 'abc')
    assertSame(roundTrip(bytes), structuredClone(bytes))
  }
})

corpus('keys come back as they were, in their order', {
  ordinary: { b: 1, a: 2, c: 3 },
  empty: { '': 1, ' ': 2 },
  integers: { b: 1, 10: 2, 9: 3, a: 4, '-1': 5, '01': 6, 4294967295: 7, 4294967294: 8, 1.5: 9 },
  prototype: JSON.parse('{ "a": 1, "__proto__": { "x": 1 }, "b": 2 }'),
  inherited: { constructor: 1, toString: 2, hasOwnProperty: 3, valueOf: 4, toJSON: 5, then: 6, __defineGetter__: 7 },
  widths: { ä: 1, '€': 2, '👍': 3, 'x€': 4 },
  lengths: Object.fromEntries([8, 16, 23, 24, 31, 32, 33, 253, 254, 255, 256, 70_000].map((n) => ['k'.repeat(n), n])),
  alike: [{ abc: 1, aXc: 2, abd: 3 }, { aXc: 1, abc: 2 }, { abd: 0 }, { aXc: 3, ab: 1, a: 2 }],
  many: Object.fromEntries(times(20_000, (index) => [`k${index % 7}${index}`, { index }])),
})

class Point {
  #hidden = 1
  x = 1
  constructor(y) {
    this.y = y
  }
  get sum() {
    return this.x + this.y + this.#hidden
  }
}
class Space extends Point {
  z = 3;
  *[Symbol.iterator]() {}
}
function OldStyle() {
  this.own = 1
}
OldStyle.prototype.inherited = 2

corpus('any object becomes a plain one with its own enumerable properties', {
  instance: new Point(2),
  subclass: new Space(2),
  oldStyle: new OldStyle(),
  iterable: { *[Symbol.iterator]() {}, a: 1 },
  nullPrototype: Object.assign(Object.create(null), { a: 1, toString: 2 }),
  ofAnObject: Object.assign(Object.create({ inherited: 1 }), { own: 1 }),
  ofAMap: Object.assign(Object.create(Map.prototype), { own: 1 }),
  ofAGenerator: Object.assign(Object.create((function* () {})()), { own: 1 }),
  hidden: Object.defineProperty({ a: 1 }, 'b', { value: 2, enumerable: false }),
  hiding: Object.defineProperty(Object.create({ a: 1 }), 'a', { value: 2, enumerable: false }),
  symbols: { a: 1, [Symbol('s')]: 2 },
  frozen: Object.freeze({ a: Object.freeze([1]) }),
  eventTarget: new EventTarget(),
  signal: AbortSignal.abort(),
  globalThings: [Math, JSON].map((thing) => Object.assign(Object.create(thing), { own: 1 })),
})

const match = /(?<word>a)(b)?/d.exec('cab')
const withHole = () => Object.assign(new Array(3), { 0: 1, 2: 3 })

corpus('arrays come back with their holes and properties', {
  empty: [],
  small: [1, 'two', [3], { four: 4 }],
  undefined: [undefined, null],
  holes: [withHole(), Object.assign(withHole(), { 0: undefined })],
  onlyHoles: new Array(5),
  holeAtTheEnd: Object.assign([1], { length: 3 }),
  // Bun's structuredClone goes through all of the holes.
  ...(process.versions.bun === undefined && {
    sparse: Object.assign([], { 4000000000: 1 }),
    long: Object.assign([], { length: 4_294_967_295 }),
  }),
  properties: Object.assign([1, 2], { a: 1, '-1': 2, '01': 3, map: 4, length: 2 }),
  holeMadeUpFor: Object.assign(withHole(), { extra: true }),
  holeAndIndexLike: Object.assign(withHole(), { '02': true }),
  hidden: Object.defineProperty([1, 2], 1, { enumerable: false }),
  match,
  subclass: class extends Array {}.from([1, 2]),
  template: ((strings) => strings)`a${1}b`,
  lengths: [254, 255, 256, 70_000].map((length) => new Array(length).fill(1)),
  mixed: times(2000, (index) => [index, { index }, `${index}`][index % 3]),
})

const halves = (length) => times(length, (index) => index / 2 - 40)

corpus('long arrays of numbers come back as they were, with what else they have', {
  lengths: [255, 256, 257, 4095, 4096, 4097, 65_536, 65_537].map(halves),
  property: [Object.assign(halves(300), { a: 1 }), Object.assign(halves(300), { [Symbol('s')]: 1 })],
  emptyKey: Object.assign(halves(300), { '': 'x' }),
  holes: [1, 150, 299].map((hole) => {
    const array = halves(300)
    delete array[hole]
    return array
  }),
  holeMadeUpFor: Object.assign([...halves(300)], { 301: 1, extra: true }),
  otherwise: [undefined, null, 'text', -0, NaN, { a: 1 }, 2n ** 70n].flatMap((other) => [
    [...halves(300), other],
    [...halves(150), other, ...halves(150)],
  ]),
  large: times(300, (index) => index * 2 ** 31),
  hiddenFirst: Object.defineProperty(halves(300), 0, { enumerable: false }),
  hiddenLast: Object.defineProperty(halves(300), 299, { enumerable: false }),
  frozen: Object.freeze(halves(300)),
})

test('the elements of a long array are read once each, in their order, and then its other properties', () => {
  const make = (calls) => {
    const array = halves(300)
    for (const key of [7, 150, 298, 'last']) {
      const get = () => {
        calls.push(key)
        return 1.5
      }
      Object.defineProperty(array, key, { get, enumerable: true, configurable: true })
    }
    return array
  }
  for (const remove of [[], ['last']]) {
    const [calls, wanted] = [[], []]
    const arrays = [make(calls), make(wanted)]
    for (const array of arrays) for (const key of remove) delete array[key]
    assertSame(once(arrays[0]), structuredClone(arrays[1]))
    assert.deepEqual(calls, wanted)
  }
})

test('of many objects, those that are met twice are one, however many lie between them', () => {
  for (const count of [20, 24, 25, 26, 60, 199, 200, 201, 202, 500]) {
    const objects = times(count, (index) => ({ index }))
    const value = [...objects, ...[...objects].reverse(), objects]
    assertSame(roundTrip(value), structuredClone(value))
  }
})

test('an array of a million elements comes back', () => {
  const array = times(1_000_000, (index) => index / 2)
  const back = roundTrip(array)
  assert.equal(back.length, array.length)
  assert.ok(back.every((element, index) => element === array[index]))
})

corpus('maps, sets, dates, expressions and boxed values come back without properties of their own', {
  map: new Map()
    .set('a', 1)
    .set(1, 'a')
    .set(NaN, -0)
    .set(undefined, { inner: new Map([[[], {}]]) }),
  bigMap: new Map(times(300, (index) => [index, { index }])),
  set: new Set([1, '1', NaN, undefined, null, { a: new Set([1]) }]),
  bigSet: new Set(times(300, (index) => `${index}`)),
  dates: [0, 1, -1, 1.7e12, 8.64e15, -8.64e15, NaN].map((time) => new Date(time)),
  expressions: [/a/, /[/]\/\n/dgimsuy, /€/u, /(?:)/, Object.assign(/a/g, { lastIndex: 3 })],
  boxed: [1, -0, NaN, '', 'text', '\ud800', true, false, 10n, 2n ** 70n].map(Object),
  extended: [new Map(), new Set(), new Date(0), /a/, Object(1)].map((object) => Object.assign(object, { own: 1 })),
  ofSubclasses: [new (class extends Map {})([[1, 2]]), new (class extends Set {})([1]), new (class extends Date {})(0)],
  ofOtherPrototypes: [new Map([[1, 2]]), new Date(0), /a/].map((object) => Object.setPrototypeOf(object, null)),
})

test('a map that is changed by a getter inside it comes back as it was', () => {
  const make = (collection, add) => {
    add(collection, {
      get key() {
        collection.clear()
        return 1
      },
    })
    add(collection, 2)
    return collection
  }
  const maps = () => make(new Map(), (map, value) => map.set(value, value))
  const sets = () => make(new Set(), (set, value) => set.add(value))
  for (const each of [maps, sets]) assertSame(once(each()), structuredClone(each()))
})

const classes = [
  'Int8',
  'Uint8',
  'Uint8Clamped',
  'Int16',
  'Uint16',
  'Int32',
  'Uint32',
  'Float32',
  'Float64',
  'BigInt64',
]
const views = [...classes, 'BigUint64', 'Float16']
  .map((name) => globalThis[`${name}Array`])
  .filter((View) => View !== undefined)
const some = () => Uint8Array.from({ length: 64 }, (_, index) => index * 5).buffer
const resizable = (length) => new ArrayBuffer(length, { maxByteLength: 64 })
const shared = some()

corpus('buffers and views come back with their offsets and with shared buffers shared', {
  buffers: [new ArrayBuffer(0), some()],
  whole: views.map((View) => new View(some())),
  parts: views.map((View) => new View(some(), 8, 3)),
  empty: views.map((View) => new View(some(), 64, 0)),
  noBuffer: views.map((View) => new View(0)),
  dataViews: [new DataView(some()), new DataView(some(), 3, 5)],
  sharing: [shared, new Uint8Array(shared), new Float64Array(shared, 16, 2), new DataView(shared, 1), shared],
  sharingInTurn: [new Uint8Array(shared, 4), { deep: [shared] }, new Uint8Array(shared, 4)],
  node: [Buffer.alloc(10, 1), Buffer.alloc(0), Buffer.alloc(5000, 2)],
  pooled: [Buffer.from('abc'), Buffer.from('def')],
  subclass: new (class extends Uint16Array {})([1, 2, 3]),
  extended: Object.assign(new Uint8Array(2), { own: 1 }),
  resizable: [resizable(4), resizable(0)],
  resizableViews: [new Uint8Array(resizable(8)), new Uint8Array(resizable(8), 2, 4), new DataView(resizable(8), 4)],
  sharingResizable: ((buffer) => [new Uint8Array(buffer), buffer, new Int16Array(buffer, 2, 1)])(resizable(8)),
})

test('a view that goes with the length of its buffer still does', () => {
  const [tracking, fixed] = roundTrip([new Uint8Array(resizable(8)), new Uint8Array(resizable(8), 0, 8)])
  tracking.buffer.resize(16)
  fixed.buffer.resize(16)
  assert.deepEqual([tracking.length, fixed.length], [16, 8])
})

const cyclic = { array: [], map: new Map(), set: new Set() }
cyclic.self = cyclic
cyclic.array.push(cyclic, cyclic.array)
cyclic.map.set(cyclic.map, cyclic).set(cyclic, cyclic.set)
cyclic.set.add(cyclic.set).add(cyclic)

corpus('one object comes back as one object, in cycles too', {
  cyclic,
  twice: ((one) => [one, one, { one }])({ a: 1 }),
  twiceAmongMany: ((many) => [...many, many, ...many])(times(100, (index) => ({ index }))),
  alike: [{}, {}, [], [], new Date(0), new Date(0)],
  ofEveryKind: [
    [],
    {},
    new Map(),
    new Set(),
    new Date(0),
    /a/,
    Object(1),
    some(),
    new Uint8Array(2),
    2n ** 70n,
  ].flatMap((object) => [object, { object }]),
  prototypes: ((one) => [new Point(one), Object.assign(Object.create(null), { one }), one])([1]),
})

test('a value of another realm is cloned into this one', () => {
  const foreign = vm.runInNewContext(
    '({ array: [1, [2]], object: { a: {} }, map: new Map([[1, new Set([2])]]), date: new Date(0), regexp: /a/g, ' +
      'view: new Uint16Array([1, 2]), boxed: Object(1), instance: new (class A { x = 1 })(), bare: Object.create(null) })',
  )
  assertClones(foreign)
})

const anything = {
  withBigInt: true,
  withBoxedValues: true,
  withDate: true,
  withMap: true,
  withNullPrototype: true,
  withObjectString: true,
  withSet: true,
  withSparseArray: true,
  withTypedArray: true,
  withUnicodeString: true,
}
const strings = fc.oneof(
  fc.string(),
  fc.string({ unit: 'binary' }),
  fc.constantFrom('__proto__', 'length', '0', '\ud800'),
)

test('any value comes back as structuredClone gives it', () => {
  const values = fc.array(fc.anything({ ...anything, key: strings, maxDepth: 4 }), { maxLength: 5 })
  fc.assert(
    fc.property(values, (value) => assertSame(roundTrip(value), structuredClone(value))),
    { numRuns: 1000 },
  )
})

const containers = [() => [], () => ({}), () => new Map(), () => new Set(), () => new Point(0)]
const put = (container, value, key) => {
  if (container instanceof Map) container.set(key % 2 === 0 ? key : value, value)
  else if (container instanceof Set) container.add(value)
  else container[key] = value
}

test('any graph of objects comes back as structuredClone gives it', () => {
  const nodes = fc.array(fc.nat(containers.length - 1), { minLength: 1, maxLength: 40 })
  const edges = fc.array(fc.tuple(fc.nat(), fc.nat(), fc.nat(50)), { maxLength: 80 })
  fc.assert(
    fc.property(nodes, edges, (kinds, pairs) => {
      const objects = kinds.map((kind) => containers[kind]())
      for (const [from, to, key] of pairs) put(objects[from % objects.length], objects[to % objects.length], key)
      assertSame(roundTrip(objects), structuredClone(objects))
      assertSame(roundTrip(objects[0]), structuredClone(objects[0]))
    }),
    { numRuns: 500 },
  )
})

test('an array that begins with numbers may go on with anything, of which nothing is called', () => {
  let calls = 0
  const called = () => {
    calls++
    return 5
  }
  const others = { bigint: 5n, null: null, text: '5', true: true, array: [5], date: new Date(5), boxed: Object(5n) }
  for (const [name, other] of Object.entries(others)) {
    assertClones([...times(20, (number) => number), other, 1, 1.5, other], name)
  }
  const object = Object.create({ valueOf: called, toString: called, [Symbol.toPrimitive]: called }, {})
  roundTrip([...times(20, (number) => number), object, 1])
  assert.equal(calls, 0)
  assert.throws(() => roundTrip([...times(20, (number) => number), Symbol('s')]), { name: 'DataCloneError' })
})
