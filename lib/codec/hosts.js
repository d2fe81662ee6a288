'use strict'

// Objects of the runtime: some are cloned as the objects they seem to be, some go by a handle, and some are refused.
// The kinds differ from version to version, so the runtime is asked.

const { types } = require('node:util')
const { refuse, refuseHandle } = require('./refusal.js')

/** By these Node knows its classes that go by a handle, as far as they are in JavaScript. */
const MARK = /^messaging_(clone|transfer)_symbol$/

/**
 * Throws for an object that is not cloned as its own properties. It is no object that the language has a kind for.
 *
 * @returns {boolean} true if all objects with its prototype are cloned so
 */
function refuseForeign(object) {
  const prototype = Object.getPrototypeOf(object)
  if (object === globalThis || types.isModuleNamespaceObject(object) || types.isExternal?.(object)) refuse(object)
  if (prototype === null) return false
  if (isMarked(prototype)) refuseMarked(object)
  const isPlain = Object.prototype.toString.call(object) === '[object Object]'
  // Others have getters, which are not to be called twice.
  if (Object.keys(object).length === 0 || isOfRuntime(prototype)) refuseByRuntime(object)
  return isPlain
}

function isMarked(prototype) {
  for (let each = prototype; each !== null; each = Object.getPrototypeOf(each)) {
    if (types.isProxy(each)) return false
    if (Object.getOwnPropertySymbols(each).some(({ description }) => MARK.test(description))) return true
  }
  return false
}

function refuseMarked(object) {
  const cloned = tryToClone(object)
  // Made by a program with a prototype of such a class, or of a version that lets it pass as an object.
  if (cloned !== null && Object.getPrototypeOf(cloned) === Object.prototype) return
  refuseHandle(object)
}

/** Returns true if a global class of the runtime is among the classes of an object. */
function isOfRuntime(prototype) {
  for (let each = prototype; each !== null && !types.isProxy(each); each = Object.getPrototypeOf(each)) {
    const { value } = Object.getOwnPropertyDescriptor(each, Symbol.toStringTag) ?? {}
    if (typeof value === 'string' && each !== Object.prototype && globalThis[value]?.prototype === each) return true
  }
  return false
}

function refuseByRuntime(object) {
  const cloned = tryToClone(object)
  if (cloned === null) refuseAs(object)
  if (Object.getPrototypeOf(cloned) !== Object.prototype) refuseHandle(object)
}

function refuseAs(object) {
  try {
    structuredClone(object)
  } catch (error) {
    if (/transfer/i.test(error?.message)) refuseHandle(object)
  }
  refuse(object)
}

/** Returns a clone, or null where it is refused. */
function tryToClone(object) {
  try {
    return structuredClone(object)
  } catch {
    return null
  }
}

module.exports = { refuseForeign }
