'use strict'

// Errors. More of them is carried than by `structuredClone`: name, message, stack, code and cause, and their own
// properties; and their class, where it is of the language or of this library. Properties that cannot be cloned, or
// read, are left out: no error is to keep an event from being sent.

const { types } = require('node:util')
const { define } = require('./define.js')
const { tags } = require('./format.js')
const libraryErrors = require('../errors.js')

/** The classes that an error comes back as, by their numbers in the format. New ones come at the end. */
const classes = [
  ...[Error, EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError, AggregateError],
  ...Object.values(libraryErrors).filter((each) => typeof each.prototype?.code === 'string'),
]
const OF_LANGUAGE = 8
const AGGREGATE = classes.indexOf(AggregateError)

/** Numbers of the language's classes, by their prototypes. */
const usualClasses = new Map(classes.slice(0, OF_LANGUAGE).map(({ prototype }, number) => [prototype, number]))

const HIDDEN = 0
const VISIBLE = 1
/** The keys of most errors, which a chain of causes would else have for each of them. */
const NO_KEYS = []
const CAUSE_ALONE = ['cause', HIDDEN]
/** Message of the error in the place of a thrown value that cannot be sent. */
const NOT_SENT = 'the value that the listener threw cannot be sent to another thread'

/** Returns true if an object is an error, of any realm. Those of old-style classes only inherit from Error. */
function isError(object) {
  return types.isNativeError(object) || object instanceof Error
}

function isDOMException(object) {
  if (!(object instanceof Error) || typeof DOMException === 'undefined') return false
  for (let each = object; each !== null; each = Object.getPrototypeOf(each)) {
    if (each.constructor?.name === 'DOMException') return typeof read(object, 'code') === 'number'
  }
  return false
}

function writeError(writer, error, position) {
  return writeProperties(writer, error, writeHeadOfError(writer, error, position))
}

/** Writes its class, and name, message and stack where the class does not have the same. */
function writeHeadOfError(writer, error, position) {
  const number = classOf(error)
  const { prototype } = classes[number]
  writer.bytes[position] = tags.ERROR
  writer.bytes[position + 1] = number
  position += 2
  const name = textOf(error, 'name')
  position = writeText(writer, name === prototype.name ? undefined : name, position)
  const message = textOf(error, 'message')
  position = writeText(writer, message === '' && !Object.hasOwn(error, 'message') ? undefined : message, position)
  return writeText(writer, textOf(error, 'stack'), position)
}

function writeDOMException(writer, error, position) {
  writer.bytes[position] = tags.DOM_EXCEPTION
  position = writeText(writer, textOf(error, 'name'), position + 1)
  position = writeText(writer, textOf(error, 'message'), position)
  position = writeText(writer, textOf(error, 'stack'), position)
  return writeProperties(writer, error, position)
}

function writeText(writer, text, position) {
  if (position > writer.high) writer.grow(position, 0)
  return writer.value(text, position)
}

/** Writes all properties, and the end of them. */
function writeProperties(writer, error, position) {
  const keys = keysOfError(error)
  for (let at = 0; at < keys.length; at += 2) position = tryProperty(writer, error, keys[at], keys[at + 1], position)
  if (position > writer.high) writer.grow(position, 0)
  writer.bytes[position] = tags.END
  return position + 1
}

/** Returns the properties of an error that are carried: a key, whether it is visible, and so on. */
function keysOfError(error) {
  const keys = Object.keys(error)
  const hasCause = Object.hasOwn(error, 'cause') && !keys.includes('cause')
  const hasErrors = Object.hasOwn(error, 'errors') && !keys.includes('errors')
  const needsCode = hasCode(error) && !keys.includes('code')
  if (keys.length === 0 && !hasErrors && !needsCode) return hasCause ? CAUSE_ALONE : NO_KEYS
  const all = keys.flatMap((key) => [key, VISIBLE])
  if (hasCause) all.push('cause', HIDDEN)
  if (hasErrors) all.push('errors', HIDDEN)
  if (needsCode) all.push('code', HIDDEN)
  return all
}

/** Returns true if an error has a code that its class does not give it. */
function hasCode(error) {
  // Most have none.
  return (
    read(error, 'code') !== undefined && !isDOMException(error) && classes[classOf(error)].prototype.code === undefined
  )
}

/** Writes a property, or nothing where it cannot be read or cloned. */
function tryProperty(writer, error, key, visibility, position) {
  const mark = writer.mark(position)
  try {
    const value = error[key]
    if (value === undefined && !Object.hasOwn(error, key)) return position
    position = writePropertyHead(writer, key, visibility, position)
    return writer.value(value, position)
  } catch {
    return writer.takeBack(mark)
  }
}

function writePropertyHead(writer, key, visibility, position) {
  if (position > writer.high) writer.grow(position, 0)
  position = writer.string(key, position)
  if (position > writer.high) writer.grow(position, 0)
  writer.bytes[position] = visibility
  return position + 1
}

function read(error, key) {
  try {
    return error[key]
  } catch {
    return undefined
  }
}

/** Returns a text of an error; undefined where there is none. */
function textOf(error, key) {
  const value = read(error, key)
  if (typeof value === 'string' || value === undefined) return value
  try {
    return `${value}`
  } catch {
    return ''
  }
}

/** Returns the number of the class that an error comes back as. */
function classOf(error) {
  const usual = usualClasses.get(Object.getPrototypeOf(error))
  return usual !== undefined && read(error, 'name') === classes[usual].name ? usual : unusualClassOf(error)
}

function unusualClassOf(error) {
  const code = read(error, 'code')
  if (typeof code === 'string') {
    const ofLibrary = classes.findIndex((Class) => Class.prototype.code === code && error instanceof Class)
    if (ofLibrary >= 0) return ofLibrary
  }
  const name = read(error, 'name')
  const named = classes.findIndex((Class, index) => index < OF_LANGUAGE && Class.name === name)
  if (named > 0 && (error instanceof classes[named] || types.isNativeError(error))) return named
  for (let number = 1; number < OF_LANGUAGE; number++) if (error instanceof classes[number]) return number
  return 0
}

function readError(reader) {
  return readProperties(reader, readHeadOfError(reader))
}

function readHeadOfError(reader) {
  const number = reader.byte()
  if (number >= classes.length) reader.fail()
  const place = reader.reserve()
  const [name, message, stack] = [reader.value(), reader.value(), reader.value()]
  const error = reader.fill(place, make(number, message))
  setText(error, 'name', name)
  if (stack === undefined) delete error.stack
  else setStack(error, stack)
  return error
}

/** Makes an error without a stack of its own, which would take long to make. */
function make(number, message) {
  const { stackTraceLimit } = Error
  Reflect.set(Error, 'stackTraceLimit', 0)
  try {
    const Class = number < AGGREGATE ? classes[number] : Error
    const error = typeof message === 'string' ? new Class(message) : new Class()
    return Class === classes[number] ? error : Object.setPrototypeOf(error, classes[number].prototype)
  } finally {
    Reflect.set(Error, 'stackTraceLimit', stackTraceLimit)
  }
}

function readDOMException(reader) {
  const place = reader.reserve()
  const [name, message, stack] = [reader.value(), reader.value(), reader.value()]
  const error = reader.fill(place, new DOMException(`${message}`, `${name}`))
  setText(error, 'stack', stack)
  return readProperties(reader, error)
}

function setText(error, key, text) {
  if (typeof text !== 'string') return
  // To read the stack would have V8 format it.
  if (key !== 'name' || error.name !== text) define(error, key, text, false)
}

/** Assigns the stack, which is faster than to define it, if the error has one of its own. */
function setStack(error, text) {
  if (typeof text === 'string' && Object.hasOwn(error, 'stack')) error.stack = text
  else setText(error, 'stack', text)
}

function readProperties(reader, error) {
  while (!reader.isAt(tags.END)) {
    const key = reader.key()
    const isVisible = reader.byte() === VISIBLE
    define(error, key, reader.value(), isVisible)
  }
  reader.byte()
  return error
}

/** Returns an error that can be sent, in the place of a thrown value that cannot. */
function errorFor(thrown, refused) {
  try {
    // A proxy.
    if (thrown instanceof Error) return copyOf(thrown)
    const { message, code } = thrown
    if (typeof message === 'string') return Object.assign(new Error(message), { code })
  } catch {}
  return new Error(`${NOT_SENT}: ${textOf(refused, 'message')}`)
}

function copyOf(error) {
  const copy = make(classOf(error), undefined)
  for (const key of ['name', 'message', 'stack']) setText(copy, key, textOf(error, key))
  for (const key of Object.keys(error)) define(copy, key, read(error, key), true)
  const code = read(error, 'code')
  if (!Object.hasOwn(copy, 'code') && code !== undefined) define(copy, 'code', code, false)
  return copy
}

module.exports = {
  errorFor,
  isDOMException,
  isError,
  keysOfError,
  readDOMException,
  readError,
  readHeadOfError,
  writeDOMException,
  writeError,
  writeHeadOfError,
  writePropertyHead,
}
