'use strict'

// What may take the short road: values that msgpackr carries just as `structuredClone` would clone them. Those are
// primitives, plain objects, dense arrays and bytes, each of them once, not too many and not too deep. Nearly every event is.
//
// Anything else is not refused here, it takes the other road. So in doubt the answer is no. Looking at a value before it
// is encoded has one consequence: a getter is called twice.

const { isArrayBuffer, isProxy } = require('node:util').types

/** More objects than this are looked up in a set: comparing with each would be slower. */
const COMPARED = 12
const MOST_OBJECTS = 2000
const LONGEST_ARRAY = 256
const DEEPEST = 40
/** Characters. V8 copies a longer string faster than msgpackr translates it, and one that is not Latin-1 much faster. */
const LONGEST_STRING = 8192
const LONGEST_WIDE_STRING = 128
/** More would have msgpackr keep a large buffer. */
const MOST_BYTES = 65_536
/** On a string that V8 keeps in one byte for each character this fails at once, however long it is. */
const WIDE = /[^\0-\xff]/

const { keys, hasOwn } = Object

/** Keys that were found plain, by their place in an object: events of one kind have the same ones again and again. */
const LAST_KNOWN = 31
const known = new Array(LAST_KNOWN + 1).fill('')

const few = new Array(COMPARED).fill(null)
const many = new Set()
let met = 0

/** Whether a list of arguments is plain: it is known to be a dense array. Not to be called by a getter in it. */
function isPlain(args) {
  met = 0
  try {
    for (let index = 0; index < args.length; index++) {
      if (!isPlainValue(args[index], 0)) return false
    }
    return true
  } finally {
    // Nothing is kept alive.
    for (let index = 0; index < met && index < COMPARED; index++) few[index] = null
    if (met > COMPARED) many.clear()
  }
}

function isPlainValue(value, depth) {
  switch (typeof value) {
    case 'string':
      return isPlainString(value)
    case 'number':
      // msgpackr has no negative zero.
      return value !== 0 || 1 / value > 0
    case 'boolean':
    case 'undefined':
      return true
    case 'object':
      return value === null || isPlainObject(value, depth)
    default:
      return false
  }
}

function isPlainString(string) {
  if (string.length <= LONGEST_WIDE_STRING) return string.isWellFormed()
  return string.length <= LONGEST_STRING && !WIDE.test(string)
}

function isPlainObject(object, depth) {
  if (depth === DEEPEST || isProxy(object) || !isNew(object)) return false
  if (Array.isArray(object)) return isPlainArray(object, depth + 1)
  if (ArrayBuffer.isView(object)) return isPlainBytes(object)
  // msgpackr goes by the constructor; what can be iterated is the `arguments` of a function, say.
  if (object.constructor !== Object || object[Symbol.iterator] !== undefined) return false
  let index = 0
  for (const key in object) {
    if (key !== known[index & LAST_KNOWN] && !isPlainKey(key, index)) return false
    if (!isPlainValue(object[key], depth + 1)) return false
    index++
  }
  return true
}

function isPlainKey(key, index) {
  if (key === '__proto__' || !key.isWellFormed()) return false
  if (key.length <= LONGEST_WIDE_STRING) known[index & LAST_KNOWN] = key
  return true
}

/** A Uint8Array or Buffer that is all of its memory, of which nothing else in the value is a view. */
function isPlainBytes(view) {
  if (view.constructor !== Uint8Array && view.constructor !== Buffer) return false
  const { buffer } = view
  return view.byteLength <= MOST_BYTES && view.byteLength === buffer.byteLength && isFixed(buffer) && isNew(buffer)
}

function isFixed(buffer) {
  return isArrayBuffer(buffer) && buffer.resizable !== true
}

function isPlainArray(array, depth) {
  const { length } = array
  if (length > LONGEST_ARRAY || array.constructor !== Array) return false
  for (let index = 0; index < length; index++) {
    const value = array[index]
    if (!isPlainValue(value, depth) || (value === undefined && !hasOwn(array, index))) return false
  }
  // No element is missing, so as many keys are the elements alone. The match of a RegExp has others.
  return keys(array).length === length
}

/** Whether an object was not met in this value before: what is shared has to stay shared. */
function isNew(object) {
  if (met < COMPARED) {
    for (let index = 0; index < met; index++) if (few[index] === object) return false
    few[met++] = object
    return true
  }
  if (met === COMPARED) for (const each of few) many.add(each)
  if (met === MOST_OBJECTS || many.has(object)) return false
  many.add(object)
  met++
  return true
}

module.exports = { isPlain }
