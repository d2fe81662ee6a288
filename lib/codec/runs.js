'use strict'

// Runs of numbers in arrays, which are without tags: as integers, or as doubles.

const { DOUBLES, INTEGERS } = require('./format.js').tags

/** Number of elements up to which an array of doubles is made by copying another one: V8 would make one of objects first. */
const MOST_COPIED = 4096
let copied = null

/** Writes the elements of an array of a length, of which the first was read, and is a number. */
function writeRun(writer, array, value, length, position) {
  let index = 0
  if (position + 9 * length > writer.high) writer.grow(position, 9 * length)
  const { view } = writer
  let at = position + 5
  // Anything else may have a `valueOf` that is not ours to call, and a BigInt throws here.
  while (index < length && typeof value === 'number' && (value | 0) === value && (value !== 0 || 1 / value > 0)) {
    view.setInt32(at, value, true)
    at += 4
    index++
    if (index < length) value = array[index]
  }
  if (index > 0) position = endRun(writer, INTEGERS, index, position, at)
  if (index === length) return position
  const first = index
  at = position + 5
  while (typeof value === 'number') {
    view.setFloat64(at, value, true)
    at += 8
    index++
    if (index === length) break
    value = array[index]
  }
  if (index > first) position = endRun(writer, DOUBLES, index - first, position, at)
  return index === length ? position : writeRest(writer, array, value, index, length, position)
}

function endRun(writer, tag, count, position, end) {
  writer.bytes[position] = tag
  writer.view.setUint32(position + 1, count, true)
  return end
}

/** Writes the elements from an index on, of which the first was read. */
function writeRest(writer, array, value, index, length, position) {
  position = writer.element(value, position, array, index)
  for (index++; index < length; index++) {
    if (position > writer.high) writer.grow(position, 0)
    position = writer.element(array[index], position, array, index)
  }
  return position
}

/** Returns true if all of an array of a length are numbers of one kind. */
function isRunOf(reader, length) {
  const { at } = reader
  if (at + 5 > reader.end) return false
  const head = reader.bytes[at]
  return (head === INTEGERS || head === DOUBLES) && reader.view.getUint32(at + 1, true) === length
}

/** Reads such an array. */
function readRun(reader, length) {
  const isIntegers = reader.byte() === INTEGERS
  const bytes = isIntegers ? 4 : 8
  reader.count(bytes)
  const { view, at } = reader
  // As long as the message says; `count` has looked whether it is that long.
  const array = isIntegers ? new Array(length) : arrayOfDoubles(length)
  if (isIntegers) for (let index = 0; index < length; index++) array[index] = view.getInt32(at + 4 * index, true)
  else for (let index = 0; index < length; index++) array[index] = view.getFloat64(at + 8 * index, true)
  reader.at = at + bytes * length
  return array
}

function arrayOfDoubles(length) {
  if (length > MOST_COPIED) return new Array(length)
  copied ??= Array.from({ length: MOST_COPIED }, () => 0.5)
  return copied.slice(0, length)
}

/** Reads numbers of one kind to the end of an array that will have a length. */
function readInto(reader, array, length) {
  const isIntegers = reader.byte() === INTEGERS
  const bytes = isIntegers ? 4 : 8
  const count = reader.count(bytes)
  if (count === 0 || array.length + count > length) reader.fail()
  const { view, at } = reader
  const end = at + bytes * count
  reader.at = end
  if (isIntegers) for (let each = at; each < end; each += 4) array.push(view.getInt32(each, true))
  else for (let each = at; each < end; each += 8) array.push(view.getFloat64(each, true))
}

module.exports = { isRunOf, readInto, readRun, writeRun }
