'use strict'

// Maps, sets, and arrays with holes or with keys that are no indexes.

const { inspect, types } = require('node:util')
const { tags } = require('./format.js')

const isEnumerable = Object.prototype.propertyIsEnumerable
const forEachOfMap = Map.prototype.forEach
const forEachOfSet = Set.prototype.forEach
const [sizeOfMap, sizeOfSet] = [Map, Set].map(({ prototype }) => Object.getOwnPropertyDescriptor(prototype, 'size').get)

/** The last index that an array can have. */
const LAST_INDEX = 2 ** 32 - 2
/** Number of holes above which an array is read into one that takes no memory for them. */
const MOST_HOLES = 1024
/**
 * The range of lengths in which `inspect` tells sooner than the keys whether an array has nothing but elements. In longer
 * ones holes might be too many to be written one by one.
 */
const [LEAST_TOLD, MOST_TOLD] = [256, 65_536]
/** Tells of properties that are no indexes, and no more of elements than how many they are. */
const TELLING = {
  ...{ breakLength: 80, colors: false, compact: 3, customInspect: false, depth: 0, getters: false },
  ...{ maxArrayLength: 0, maxStringLength: 0, showHidden: false, showProxy: false },
}

/** Returns the entries of a map or a set when it is met: a getter in it may change it. */
function valuesOf(collection) {
  // As long as it is, where V8 would make room for more.
  if (types.isSet(collection)) {
    const count = sizeOfSet.call(collection)
    const values = new Array(count)
    let at = 0
    forEachOfSet.call(collection, (value) => {
      values[at++] = value
    })
    return { tag: tags.SET, values, count }
  }
  const count = sizeOfMap.call(collection)
  const values = new Array(2 * count)
  let at = 0
  forEachOfMap.call(collection, (value, key) => {
    values[at++] = key
    values[at++] = value
  })
  return { tag: tags.MAP, values, count }
}

function writeCollection(writer, collection, position) {
  const { tag, values, count } = valuesOf(collection)
  writer.bytes[position] = tag
  writer.view.setUint32(position + 1, count, true)
  position += 5
  for (const value of values) {
    if (position > writer.high) writer.grow(position, 0)
    position = writer.value(value, position)
  }
  return position
}

/**
 * Returns true if a long array is known to have no other properties than elements, and at least its first, its last and the
 * one in the middle. V8 makes a string for each key, which takes most of the time of an array of numbers.
 */
function hasElementsAlone(array) {
  const { length } = array
  if (length < LEAST_TOLD || length > MOST_TOLD) return false
  for (const index of [0, length >>> 1, length - 1]) if (!isEnumerable.call(array, index)) return false
  return inspect(array, TELLING) === `[ ... ${length} more items ]`
}

/** Writes its length, then elements and properties, each behind its index or key. */
function writeSparse(writer, array, keys, position) {
  position = headOfSparse(writer, array, keys, position)
  for (const key of keys) {
    if (position > writer.high) writer.grow(position, 0)
    position = keyOfSparse(writer, key, position)
    if (position > writer.high) writer.grow(position, 0)
    position = writer.property(array, key, position)
  }
  return position
}

function headOfSparse(writer, array, keys, position) {
  writer.bytes[position] = tags.SPARSE_ARRAY
  writer.view.setUint32(position + 1, array.length, true)
  writer.view.setUint32(position + 5, keys.length, true)
  return position + 9
}

function keyOfSparse(writer, key, position) {
  return isIndex(key) ? writer.number(Number(key), position) : writer.string(key, position)
}

function isIndex(key) {
  const index = Number(key)
  return index >= 0 && index <= LAST_INDEX && String(index) === key && Number.isInteger(index)
}

function readMap(reader) {
  const map = reader.register(new Map())
  for (let left = reader.count(2); left > 0; left--) {
    const key = reader.value()
    map.set(key, reader.value())
  }
  return map
}

function readSet(reader) {
  const set = reader.register(new Set())
  for (let left = reader.count(1); left > 0; left--) set.add(reader.value())
  return set
}

function readSparse(reader) {
  const array = reader.register([])
  const length = reader.uint32()
  const count = reader.count(2)
  extend(array, length)
  for (let left = count; left > 0; left--) {
    const key = reader.keyOfArray(length)
    reader.define(array, key, reader.field())
  }
  return array
}

/** Gives an array a length, and no memory for it that the message does not have. */
function extend(array, length) {
  if (length > MOST_HOLES) {
    array[length - 1] = 0
    delete array[length - 1]
  } else {
    array.length = length
  }
}

module.exports = {
  extend,
  hasElementsAlone,
  headOfSparse,
  keyOfSparse,
  readMap,
  readSet,
  readSparse,
  valuesOf,
  writeCollection,
  writeSparse,
}
