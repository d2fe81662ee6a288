'use strict'

// Errors come back as errors, with more than `structuredClone` leaves of them.

const assert = require('node:assert/strict')
const { test } = require('node:test')
const { types } = require('node:util')
const vm = require('node:vm')
const { roundTrip } = require('../fixtures/codec.js')
const errors = require('../../lib/errors.js')

/** All visible properties of an error, except those it inherits from an ordinary class. */
function seen(error) {
  const { name, message, stack, code, cause } = error
  return { name, message, stack, code, cause, keys: Object.keys(error), properties: { ...error } }
}

test('an error comes back as an error of its class, with its message and stack', () => {
  const classes = [Error, EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError]
  for (const Class of classes) {
    for (const message of ['went wrong', '', 'größer €', 'ä'.repeat(1000)]) {
      const error = new Class(message)
      const back = roundTrip(error)
      assert.ok(types.isNativeError(back))
      assert.equal(Object.getPrototypeOf(back), Class.prototype)
      assert.deepEqual(seen(back), seen(error))
      assert.deepEqual(Object.getOwnPropertyNames(back).sort(), ['message', 'stack'])
    }
  }
})

test('an error has the properties it has with structuredClone', () => {
  const make = [
    () => new Error(),
    () => new Error('message', { cause: { a: [1] } }),
    () => new Error('message', { cause: undefined }),
    () => Object.assign(new TypeError('x'), { message: 42 }),
    () => Object.defineProperty(new Error('x'), 'stack', { value: 'mine' }),
  ]
  for (const error of make.map((each) => each())) {
    const [back, expected] = [roundTrip(error), structuredClone(error)]
    assert.equal(Object.getPrototypeOf(back), Object.getPrototypeOf(expected))
    for (const key of ['message', 'cause']) {
      assert.deepEqual(Object.getOwnPropertyDescriptor(back, key), Object.getOwnPropertyDescriptor(expected, key))
    }
    assert.deepEqual(seen(back), seen(expected))
    assert.deepEqual(Object.keys(back), [])
  }
})

test('code, cause and own properties come along, as enumerable as they were', () => {
  const cause = Object.assign(new RangeError('inner'), { code: 'ERR_INNER' })
  const error = Object.assign(new Error('outer', { cause }), { code: 'ERR_OUTER', errno: -2, info: { path: ['/'] } })
  Object.defineProperty(error, 'hidden', { value: 1, enumerable: false })
  const back = roundTrip({ error }).error
  assert.deepEqual(back.info, { path: ['/'] })
  assert.deepEqual(Object.keys(back), ['code', 'errno', 'info'])
  assert.deepEqual(seen(back.cause), seen(cause))
  assert.ok(back.cause instanceof RangeError)
  assert.ok(!Object.keys(back).includes('cause'))
  assert.ok(Object.keys(roundTrip(Object.assign(new Error(), { cause: 1 }))).includes('cause'))
  assert.equal(roundTrip(Object.defineProperty(new Error(), 'code', { value: 'E', enumerable: false })).code, 'E')
})

test('a property that cannot be cloned or read is left out, and nothing else', () => {
  const shared = { shared: true }
  const error = Object.assign(new Error('socket'), {
    before: shared,
    request: { shared, list: [{}, /a/, new Map([[1, { socket: () => {} }]])] },
    symbol: Symbol('s'),
    blob: new Blob([]),
    many: [...Array.from({ length: 40 }, () => ({})), () => {}],
    after: [shared, /b/, { deep: shared }],
    circle: null,
  })
  const get = () => {
    throw new Error('not to be read')
  }
  Object.defineProperty(error, 'broken', { get, enumerable: true })
  error.circle = [error]
  const [back, beside] = roundTrip([error, shared, /c/])
  assert.deepEqual(Object.keys(back), ['before', 'after', 'circle'])
  assert.deepEqual(back.after, [{ shared: true }, /b/, { deep: { shared: true } }])
  for (const one of [back.before, back.after[0], back.after[2].deep]) assert.equal(one, beside)
  assert.equal(back.circle[0], back)
})

test('an error of another class is an Error with the name that it had', () => {
  class Named extends Error {
    name = 'Named'
  }
  class NamedByPrototype extends TypeError {}
  NamedByPrototype.prototype.name = 'Prototype'
  class Coded extends RangeError {
    get code() {
      return 'ERR_CODED'
    }
    get message() {
      return 'always this'
    }
  }
  function OldStyle(message) {
    Error.captureStackTrace(this, OldStyle)
    this.message = message
    this.more = 1
  }
  OldStyle.prototype = Object.create(Error.prototype, { name: { value: 'OldStyle' } })
  for (const error of [new Named('a'), new NamedByPrototype('b'), new OldStyle('c')]) {
    const back = roundTrip([error])[0]
    assert.ok(back instanceof Error && back instanceof TypeError === error instanceof TypeError)
    assert.deepEqual({ ...seen(back), keys: 0 }, { ...seen(error), keys: 0 })
  }
  assert.equal(String(roundTrip(new NamedByPrototype('b'))), 'Prototype: b')
  const coded = roundTrip(new Coded())
  assert.ok(coded instanceof RangeError)
  assert.equal(coded.code, 'ERR_CODED')
  assert.equal(coded.message, 'always this')
  assert.deepEqual(Object.keys(coded), [])
})

test('errors of this library come back as such', () => {
  const { ListenerTimeoutError, NoListenersError, BusClosedError } = errors
  const error = new ListenerTimeoutError('tick', function listener() {}, 50)
  const back = roundTrip(error)
  assert.ok(back instanceof ListenerTimeoutError)
  assert.ok(!(back instanceof NoListenersError))
  assert.ok(types.isNativeError(back))
  assert.deepEqual(seen(back), seen(error))
  assert.deepEqual(Object.keys(back), ['event', 'timeout'])
  assert.equal(Object.getPrototypeOf(back), ListenerTimeoutError.prototype)
  assert.equal(roundTrip(new NoListenersError(Symbol('local'))).code, 'ERR_NO_LISTENERS')

  class Mine extends BusClosedError {
    name = 'Mine'
  }
  assert.ok(roundTrip(new Mine('x')) instanceof BusClosedError)
  assert.equal(roundTrip(new Mine('x')).name, 'Mine')
  const impostor = roundTrip(Object.assign(new Error('x'), { code: 'ERR_BUS_CLOSED' }))
  assert.equal(Object.getPrototypeOf(impostor), Error.prototype)
  assert.equal(impostor.code, 'ERR_BUS_CLOSED')
})

test('every class that lib/errors.js exports is known', () => {
  const classes = Object.values(errors).filter((each) => typeof each.prototype?.code === 'string')
  assert.ok(classes.length >= 3)
  for (const Class of classes) {
    const back = roundTrip(new Class('event', () => {}, 1))
    assert.ok(back instanceof Class, Class.name)
    assert.equal(back.name, Class.name)
  }
})

test('an AggregateError has its errors', () => {
  const inner = new TypeError('inner')
  const error = new AggregateError([inner, 'text', { a: 1 }], 'all failed', { cause: inner })
  const back = roundTrip(error)
  assert.ok(back instanceof AggregateError)
  assert.equal(back.message, 'all failed')
  assert.ok(back.errors[0] instanceof TypeError)
  assert.equal(back.cause, back.errors[0])
  assert.deepEqual(back.errors.slice(1), ['text', { a: 1 }])
  assert.deepEqual(Object.keys(back), [])
})

test('a DOMException comes back as one, with its properties', () => {
  const { reason } = AbortSignal.abort()
  const thrown = Object.assign(new DOMException('late', 'TimeoutError'), { own: { a: 1 } })
  for (const error of [reason, thrown, new DOMException('')]) {
    const [back] = roundTrip([error])
    assert.ok(back instanceof DOMException)
    assert.deepEqual(seen(back), seen(error))
  }
})

test('an error that is its own cause comes back as that', () => {
  const error = new Error('cyclic')
  error.cause = error
  const back = roundTrip(error)
  assert.equal(back.cause, back)
  const [one, other] = [new Error('one'), new Error('other')]
  one.cause = other
  other.cause = one
  assert.equal(roundTrip(one).cause.cause.message, 'one')
})

test('errors in cycles and collections are errors too', () => {
  const error = Object.assign(new Error('cyclic'), { code: 'E', list: [] })
  error.list.push(error, new Set([error]))
  const value = {
    map: new Map([[error, { error }]]),
    error,
  }
  const back = roundTrip(value)
  assert.equal(back.error.code, 'E')
  assert.equal(back.error.list[0], back.error)
  assert.ok(back.error.list[1].has(back.error))
  assert.equal(back.map.get(back.error).error, back.error)
})

test('errors of another realm come back as those of this one', () => {
  const foreign = vm.runInNewContext(
    'Object.assign(new TypeError("foreign", { cause: new Error("c") }), { code: "E" })',
  )
  const back = roundTrip([foreign])[0]
  assert.equal(Object.getPrototypeOf(back), TypeError.prototype)
  assert.equal(Object.getPrototypeOf(back.cause), Error.prototype)
  assert.deepEqual({ ...seen(back), cause: 0 }, { ...seen(foreign), cause: 0 })
})
