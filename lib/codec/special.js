'use strict'

// Writes objects that are neither plain nor dense arrays: by their inner kind, regardless of their prototype.

const { types } = require('node:util')
const { writeBuffer, writeView } = require('./buffers.js')
const { writeCollection } = require('./collections.js')
const { isDOMException, isError, writeDOMException, writeError } = require('./errors.js')
const { tags } = require('./format.js')
const { HANDLE, ORDINARY_CLASS, kindOf } = require('./hosts.js')
const { refuse } = require('./refusal.js')

const getTime = Date.prototype.getTime
const unboxed = {
  number: Number.prototype.valueOf,
  string: String.prototype.valueOf,
  boolean: Boolean.prototype.valueOf,
  bigint: BigInt.prototype.valueOf,
}
const { get: sourceOf } = Object.getOwnPropertyDescriptor(RegExp.prototype, 'source')
const { get: flagsOf } = Object.getOwnPropertyDescriptor(RegExp.prototype, 'flags')

/** Prototypes of classes with objects that are known to be cloned as their own properties. */
const ordinary = new WeakSet()

function writeSpecial(writer, object, prototype, position, site) {
  if (ordinary.has(prototype)) return writer.properties(object, position)
  if (prototype === Date.prototype && types.isDate(object)) return writeDate(writer, object, position)
  if (Array.isArray(object)) return writer.array(object, position, site)
  if (ArrayBuffer.isView(object)) return writeView(writer, object, position)
  if (types.isMap(object) || types.isSet(object)) return writeCollection(writer, object, position)
  if (types.isDate(object)) return writeDate(writer, object, position)
  if (types.isRegExp(object)) return writeRegExp(writer, object, position)
  if (types.isArrayBuffer(object)) return writeBuffer(writer, object, position)
  if (isDOMException(object)) return writeDOMException(writer, object, position)
  if (isError(object)) return writeError(writer, object, position)
  if (types.isBoxedPrimitive(object)) return writeBoxed(writer, object, position)
  if (writer.ports?.has(object) || isHandle(object, prototype)) return writer.handle(object, position)
  return writer.properties(object, position)
}

/** Returns true if an object that is none of the above goes by a handle, not as its own properties. Throws where it is refused. */
function isHandle(object, prototype) {
  if (types.isArgumentsObject(object)) refuse(object)
  const kind = kindOf(object)
  if (kind === ORDINARY_CLASS) ordinary.add(prototype)
  return kind === HANDLE
}

/** Returns true if an object is cloned as its own properties, if it is no array, map, set or error. Throws where it is refused. */
function isOrdinary(writer, object) {
  if (writer.ports?.has(object)) return false
  const prototype = Object.getPrototypeOf(object)
  if (ordinary.has(prototype)) return true
  if (ArrayBuffer.isView(object) || isLeaf(object) || isDOMException(object)) return false
  if (prototype !== Object.prototype || Symbol.iterator in object) return !isHandle(object, prototype)
  return true
}

function isLeaf(object) {
  return types.isDate(object) || types.isRegExp(object) || types.isArrayBuffer(object) || types.isBoxedPrimitive(object)
}

function writeDate(writer, date, position) {
  writer.bytes[position] = tags.DATE
  writer.view.setFloat64(position + 1, getTime.call(date), true)
  return position + 9
}

function writeRegExp(writer, regexp, position) {
  writer.bytes[position] = tags.REGEXP
  position = writer.string(sourceOf.call(regexp), position + 1)
  return writer.string(flagsOf.call(regexp), position)
}

function writeBoxed(writer, object, position) {
  if (types.isSymbolObject(object)) refuse(object)
  writer.bytes[position] = tags.BOXED
  return writer.value(primitiveOf(object), position + 1)
}

function primitiveOf(object) {
  if (types.isNumberObject(object)) return unboxed.number.call(object)
  if (types.isStringObject(object)) return unboxed.string.call(object)
  if (types.isBooleanObject(object)) return unboxed.boolean.call(object)
  return unboxed.bigint.call(object)
}

module.exports = { isOrdinary, writeSpecial }
