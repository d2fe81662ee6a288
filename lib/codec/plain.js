'use strict'

// What may take the short road: values that msgpackr carries just as `structuredClone` would clone them. Those are
// primitives, plain objects and dense arrays, each of them once, not too many and not too deep. Nearly every event is.
//
// Anything else is not refused here, it takes the other road. So in doubt the answer is no. Looking at a value before it
// is encoded has one consequence: a getter is called twice.

const { isProxy } = require('node:util').types

/** More objects than this are looked up in a set: comparing with each would be slower. */
const COMPARED = 12
const MOST_OBJECTS = 2000
const LONGEST_ARRAY = 256
const DEEPEST = 40
/** Characters. V8 copies a longer string faster than msgpackr translates it. */
const LONGEST_STRING = 2048

const { keys, hasOwn } = Object

const few = new Array(COMPARED).fill(null)
const many = new Set()
let met = 0
let looking = false

/** Whether a list of arguments is plain: it is known to be a dense array. */
function isPlain(args) {
  // A getter of the value that is being looked at encodes something of its own.
  if (looking) return false
  looking = true
  met = 0
  try {
    for (let index = 0; index < args.length; index++) {
      if (!isPlainValue(args[index], 0)) return false
    }
    return true
  } finally {
    looking = false
    // Nothing is kept alive.
    for (let index = 0; index < met && index < COMPARED; index++) few[index] = null
    if (met > COMPARED) many.clear()
  }
}

function isPlainValue(value, depth) {
  switch (typeof value) {
    case 'string':
      return value.length <= LONGEST_STRING && value.isWellFormed()
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

function isPlainObject(object, depth) {
  if (depth === DEEPEST || isProxy(object) || !isNew(object)) return false
  if (Array.isArray(object)) return isPlainArray(object, depth + 1)
  // msgpackr goes by the constructor; what can be iterated is the `arguments` of a function, say.
  if (object.constructor !== Object || object[Symbol.iterator] !== undefined) return false
  for (const key in object) {
    if (key === '__proto__' || !key.isWellFormed()) return false
    if (!isPlainValue(object[key], depth + 1)) return false
  }
  return true
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
