'use strict'

// Reads values that are nested so deep that the stack might not do: as `deep-writer.js` writes them.

const { extend } = require('./collections.js')
const { define } = require('./define.js')
const { readHeadOfError } = require('./errors.js')
const { tags } = require('./format.js')

/** The result of `simple` where an object that is made of others has to follow. */
const none = Symbol('none')

/** Reads an object. Its first byte is the next one. */
function readDeep(reader) {
  const open = [stepsOf(reader)]
  let value
  while (open.length > 0) {
    const step = open.at(-1).next(value)
    if (step.done) {
      open.pop()
      value = step.value
    } else {
      open.push(stepsOf(reader))
    }
  }
  return value
}

function stepsOf(reader) {
  switch (reader.bytes[reader.at]) {
    case tags.PAIRS:
      return stepsOfObject(reader)
    case tags.SPARSE_ARRAY:
      return stepsOfArray(reader)
    case tags.MAP:
      return stepsOfMap(reader)
    case tags.SET:
      return stepsOfSet(reader)
    case tags.ERROR:
      return stepsOfError(reader)
    default:
      // Only in a message that was not written by this codec.
      return reader.fail()
  }
}

/** Reads a value, or returns `none`: then an object is next that may be deep. */
function simple(reader) {
  if (reader.at >= reader.end) reader.fail()
  switch (reader.bytes[reader.at]) {
    case tags.PAIRS:
    case tags.SPARSE_ARRAY:
    case tags.MAP:
    case tags.SET:
    case tags.ERROR:
      return none
    default:
      return reader.field()
  }
}

function* property(reader, object, key) {
  let value = simple(reader)
  if (value === none) value = yield
  reader.define(object, key, value)
}

function* stepsOfObject(reader) {
  reader.at++
  const object = reader.register({})
  for (let left = reader.count(2); left > 0; left--) yield* property(reader, object, reader.key())
  return object
}

function* stepsOfArray(reader) {
  reader.at++
  const array = reader.register([])
  const length = reader.uint32()
  const count = reader.count(2)
  extend(array, length)
  for (let left = count; left > 0; left--) yield* property(reader, array, reader.keyOfArray(length))
  return array
}

function* stepsOfMap(reader) {
  reader.at++
  const map = reader.register(new Map())
  for (let left = reader.count(2); left > 0; left--) {
    let key = simple(reader)
    if (key === none) key = yield
    let value = simple(reader)
    if (value === none) value = yield
    map.set(reader.present(key), reader.present(value))
  }
  return map
}

function* stepsOfSet(reader) {
  reader.at++
  const set = reader.register(new Set())
  for (let left = reader.count(1); left > 0; left--) {
    let value = simple(reader)
    if (value === none) value = yield
    set.add(reader.present(value))
  }
  return set
}

function* stepsOfError(reader) {
  reader.at++
  const error = readHeadOfError(reader)
  while (!reader.isAt(tags.END)) {
    const key = reader.key()
    const isVisible = reader.byte() === 1
    let value = simple(reader)
    if (value === none) value = yield
    define(error, key, reader.present(value), isVisible)
  }
  reader.at++
  return error
}

module.exports = { readDeep }
