'use strict'

// The long road: any value that `structuredClone` accepts, by the runtime's own structured clone algorithm. What that
// leaves of errors is put right, and what it would pass on by a handle is refused: see below.

const { types } = require('node:util')
const { describeError, isError, restoreError } = require('./errors.js')
const { notByBytes, read, refusal, write } = require('./structured.js')

const LONGEST_WALKED = 10_000_000
const FEW = 16
const NONE = Object.freeze([])

/** Returns the bytes of a value, a Buffer that is nobody else's. The first one is for the caller to use. */
function serialize(value) {
  const errors = errorsIn(value)
  if (errors.length === 0) return { bytes: write(value), hasErrors: false }
  // In one graph, so that the errors in the list are those in the value.
  const bytes = write([value, errors])
  // V8 writes errors that it can not read again.
  if (!isReadable(bytes)) throw refusal('An error that is its own cause could not be cloned.')
  return { bytes, hasErrors: true }
}

function isReadable(bytes) {
  try {
    read(bytes)
    return true
  } catch {
    return false
  }
}

function deserialize(bytes, hasErrors) {
  const value = read(bytes)
  if (!hasErrors) return value
  for (const [error, description] of value[1]) restoreError(error, description)
  return value[0]
}

/** All errors in a value, each with what V8 does not carry of it. */
function errorsIn(value) {
  // Buffers and long strings, mostly.
  if (Array.isArray(value) && value.length < FEW && value.every(isLeaf)) return NONE
  const errors = []
  walk(value, (error) => {
    const description = describeError(error, isClonable)
    errors.push([error, description])
    return [description]
  })
  return errors
}

/**
 * Goes through all objects of a value, but for what is behind a getter: V8 calls those once, as `structuredClone` does.
 * Throws for what bytes can not carry, and V8 does not know of.
 *
 * @param {(error: Error) => unknown[]} onError what to go through in the place of an error's properties
 */
function walk(value, onError) {
  const seen = new Set()
  const open = [value]
  while (open.length > 0) {
    const object = open.pop()
    if (typeof object !== 'object' || object === null || types.isProxy(object) || seen.has(object)) continue
    seen.add(object)
    const children = isError(object) ? onError(object) : childrenOf(object)
    for (const child of children) open.push(child)
  }
}

/** Whether there is nothing to go into, or to refuse. */
function isLeaf(value) {
  return (
    typeof value !== 'object' ||
    value === null ||
    (ArrayBuffer.isView(value) && !types.isSharedArrayBuffer(value.buffer))
  )
}

/** What V8 will go into: values of maps and sets, own enumerable properties. */
function childrenOf(object) {
  if (ArrayBuffer.isView(object)) return [object.buffer]
  // Bun would copy it, and Node asks.
  if (types.isSharedArrayBuffer(object)) throw notByBytes(object)
  if (types.isMap(object)) return [...Map.prototype.entries.call(object)].flat()
  if (types.isSet(object)) return [...Set.prototype.values.call(object)]
  if (isOfNode(object)) throw notByBytes(object)
  // A sparse array may be longer than there is time to go through.
  if (Array.isArray(object) && object.length < LONGEST_WALKED) return object.filter((each) => typeof each === 'object')
  return Object.keys(object).map((key) => Object.getOwnPropertyDescriptor(object, key).value)
}

/** Prototypes of objects that are known to be cloned as their own properties. */
const ordinary = new WeakSet([Object.prototype])

/**
 * Whether Node, and not V8, clones an object, or refuses to: a Blob, a FileHandle, a URL. By what marks it knows them
 * differs from version to version, so the first object of each class is cloned, and what comes out is looked at.
 */
function isOfNode(object) {
  const tag = Object.prototype.toString.call(object)
  if (tag === '[object WebAssembly.Module]') return true
  const prototype = Object.getPrototypeOf(object)
  if (prototype === null || ordinary.has(prototype) || isOfV8(object)) return false
  const cloned = clone(object)
  if (cloned === null) return false
  if (Object.getPrototypeOf(cloned) !== Object.prototype) return true
  ordinary.add(prototype)
  return false
}

/** Null where it can not be told. */
function clone(object) {
  try {
    return structuredClone(object)
  } catch (error) {
    // It may be something in it, which has its own turn. Objects of Node have nothing in them that others see.
    if (Object.keys(object).length > 0) return null
    throw /transfer/i.test(error?.message) ? notByBytes(object) : error
  }
}

/** Whether V8 has a kind of its own for an object: it knows all of those. */
function isOfV8(object) {
  return (
    Array.isArray(object) ||
    types.isDate(object) ||
    types.isRegExp(object) ||
    types.isAnyArrayBuffer(object) ||
    types.isBoxedPrimitive(object)
  )
}

/** Of an error's property. Errors in it are not gone into: each has its own place in the list. */
function isClonable(value) {
  try {
    walk(value, () => [])
    write(value)
    return true
  } catch {
    return false
  }
}

module.exports = { serialize, deserialize }
