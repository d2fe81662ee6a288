'use strict'

// Errors, of which more is carried than `structuredClone` does: name, message, stack, code and cause, and their own
// properties; and their class, where it is of the language or of this library.

const { types } = require('node:util')
const libraryErrors = require('../errors.js')

/** The classes that an error comes back as, by name, or by code if they are this library's. V8 knows most of these. */
const classes = new Map()
for (const Class of [Error, EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError, AggregateError]) {
  classes.set(Class.name, Class)
}
for (const Class of Object.values(libraryErrors)) {
  if (typeof Class.prototype?.code === 'string') classes.set(Class.prototype.code, Class)
}

/** Whether an object is an error, of any realm. Those of old-style classes, and DOMExceptions, only inherit from Error. */
function isError(object) {
  return types.isNativeError(object) || object instanceof Error
}

/**
 * What an error is made of again. Of its properties those that can not be cloned, or read, are left out: no error is to
 * keep an event from being sent.
 *
 * @returns {{ of: string, name: string, message: string, stack: string, hidden: object, visible: object }} `hidden` and
 * `visible` are its properties that are not and that are enumerable
 */
function describeError(error, isClonable) {
  const of = classOf(error)
  const visible = {}
  for (const key of Object.keys(error)) keep(visible, error, key, isClonable)
  const hidden = {}
  for (const key of ['cause', 'errors', 'code']) {
    const isInherited = key === 'code' ? classes.get(of).prototype.code === undefined : Object.hasOwn(error, key)
    if (isInherited && !Object.hasOwn(visible, key)) keep(hidden, error, key, isClonable)
  }
  const [name, message, stack] = ['name', 'message', 'stack'].map((key) => textOf(read(error, key)))
  return { of, name, message, stack, hidden, visible }
}

/** As `describeError`, of anything that was thrown and then `refused`: what is left is strings, numbers and booleans. */
function describePlainly(thrown, refused) {
  try {
    return describeError(errorFor(thrown, refused), isText)
  } catch {
    return describeError(new Error(UNSENT), isText)
  }
}

const UNSENT = 'what the listener threw can not be sent to another thread'

function errorFor(thrown, refused) {
  if (isError(thrown)) return thrown
  const { message, code } = thrown
  if (typeof message !== 'string') return new Error(`${UNSENT}: ${refused.message}`)
  return Object.assign(new Error(message), { code })
}

function isText(value) {
  return ['string', 'number', 'boolean'].includes(typeof value)
}

function keep(properties, error, key, isClonable) {
  const value = read(error, key)
  // `__proto__` may be one of them.
  if (value !== undefined && isClonable(value)) define(properties, key, value, true)
}

function read(error, key) {
  try {
    return error[key]
  } catch {
    return undefined
  }
}

function textOf(value) {
  try {
    return `${value}`
  } catch {
    return ''
  }
}

function classOf(error) {
  const code = read(error, 'code')
  if (classes.has(code) && error instanceof classes.get(code)) return code
  const name = read(error, 'name')
  for (const [own, Class] of classes) if (own === name && error instanceof Class) return own
  for (const Class of classes.values())
    if (Class !== Error && Class.prototype.code === undefined && error instanceof Class) return Class.name
  return types.isNativeError(error) && classes.has(name) ? name : 'Error'
}

/** Makes of what came of an error what the error was. */
function restoreError(error, { of, name, message, stack, hidden, visible }) {
  Object.setPrototypeOf(error, classes.get(of).prototype)
  for (const [key, value] of Object.entries({ name, message, stack })) {
    if (error[key] !== value) define(error, key, value, false)
  }
  for (const key of Object.keys(hidden)) define(error, key, hidden[key], false)
  for (const key of Object.keys(visible)) define(error, key, visible[key], true)
  return error
}

function define(object, key, value, enumerable) {
  Object.defineProperty(object, key, { value, enumerable, configurable: true, writable: true })
}

module.exports = { isError, describeError, describePlainly, restoreError }
