'use strict'

// Writes values that are nested so deep that the stack might not do. The open objects are in a list, as generators: each
// yields the objects that it meets to be written, and goes on behind them. Slower, and deep enough for any use.

const { types } = require('node:util')
const { isDOMException, isError, keysOfError, writeHeadOfError, writePropertyHead } = require('./errors.js')
const { tags } = require('./format.js')
const { headOfSparse, keyOfSparse, valuesOf } = require('./collections.js')
const { refuse } = require('./refusal.js')
const { isOrdinary, writeSpecial } = require('./special.js')

/** Largest number of levels. `structuredClone` gives up before, in any thread without an extraordinary stack. */
const DEEPEST = 32_768

/** Writes an object that was met. */
function writeDeep(writer, object, position) {
  const open = [stepsOf(writer, object)]
  writer.at = position
  let failure = null
  while (open.length > 0) {
    const steps = open.at(-1)
    try {
      const { done, value } = failure === null ? steps.next() : steps.throw(failure.error)
      failure = null
      if (done) open.pop()
      else if (open.length === DEEPEST) throw new RangeError(`A value is nested more than ${DEEPEST} levels deep.`)
      else open.push(stepsOf(writer, value))
    } catch (error) {
      failure = { error }
      // An object that has thrown is done. With too many open ones, the last of them goes.
      open.pop()
    }
  }
  if (failure !== null) throw failure.error
  return writer.at
}

function stepsOf(writer, object) {
  if (types.isProxy(object)) refuse(object)
  if (Array.isArray(object)) return stepsOfArray(writer, object)
  if (types.isMap(object) || types.isSet(object)) return stepsOfCollection(writer, object)
  if (isError(object) && !isDOMException(object)) return stepsOfError(writer, object)
  return isOrdinary(object) ? stepsOfObject(writer, object) : leaf(writer, object)
}

// biome-ignore lint/correctness/useYield: nothing in it is an object that is met
function* leaf(writer, object) {
  writer.at = writeSpecial(writer, object, Object.getPrototypeOf(object), room(writer))
}

function* stepsOfObject(writer, object) {
  const keys = Object.keys(object)
  head(writer, tags.PAIRS, keys.length)
  for (const key of keys) {
    writer.at = writer.string(key, room(writer))
    const met = property(writer, object, key)
    if (met !== null) yield met
  }
}

function* stepsOfArray(writer, array) {
  const keys = Object.keys(array)
  writer.at = headOfSparse(writer, array, keys, room(writer))
  for (const key of keys) {
    writer.at = keyOfSparse(writer, key, room(writer))
    const met = property(writer, array, key)
    if (met !== null) yield met
  }
}

function* stepsOfCollection(writer, collection) {
  const { tag, values, count } = valuesOf(collection)
  head(writer, tag, count)
  for (const value of values) {
    const met = valueAt(writer, value)
    if (met !== null) yield met
  }
}

function* stepsOfError(writer, error) {
  writer.at = writeHeadOfError(writer, error, room(writer))
  for (const [key, visibility] of keysOfError(error)) {
    const before = writer.mark(writer.at)
    try {
      const value = error[key]
      if (value === undefined && !Object.hasOwn(error, key)) continue
      writer.at = writePropertyHead(writer, key, visibility, room(writer))
      const met = valueAt(writer, value)
      if (met !== null) yield met
    } catch {
      writer.at = writer.takeBack(before)
    }
  }
  mark(writer, tags.END)
}

/** As `valueAt`, for a property. */
function property(writer, object, key) {
  const value = object[key]
  if (value !== undefined || Object.hasOwn(object, key)) return valueAt(writer, value)
  mark(writer, tags.ABSENT)
  return null
}

/** Writes a value, but for an object that is met for the first time: returns that, to be written by steps of its own. */
function valueAt(writer, value) {
  const position = room(writer)
  if (typeof value !== 'object' || value === null) {
    writer.at = writer.value(value, position)
    return null
  }
  const number = writer.meet(value)
  if (number < 0) return value
  writer.at = writer.reference(number, position)
  return null
}

function head(writer, tag, count) {
  mark(writer, tag)
  writer.view.setUint32(writer.at, count, true)
  writer.at += 4
}

function mark(writer, tag) {
  const position = room(writer)
  writer.bytes[position] = tag
  writer.at = position + 1
}

/** Returns the position, with room behind it. */
function room(writer) {
  if (writer.at > writer.high) writer.grow(writer.at, 0)
  return writer.at
}

module.exports = { writeDeep }
