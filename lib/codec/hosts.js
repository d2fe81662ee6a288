'use strict'

// Objects of the runtime: some are cloned as the objects they seem to be, some go by a handle, and some are refused.
// The kinds differ from version to version, so the runtime is asked.

const { types } = require('node:util')
const { refuse, refuseHandle } = require('./refusal.js')

/** Cloned as its own properties, as all objects with its prototype are. */
const ORDINARY_CLASS = 1
/** Cloned as its own properties. */
const ORDINARY = 2
/** Cloned by the runtime alone: it refers to something that several threads can have. */
const HANDLE = 3

/** By these Node knows its classes that go by a handle, as far as they are in JavaScript. */
const MARK = /^messaging_(clone|transfer)_symbol$/

/**
 * Returns how an object is cloned that the language has no kind for. Throws for one that is not.
 *
 * @returns {typeof ORDINARY_CLASS | typeof ORDINARY | typeof HANDLE}
 */
function kindOf(object) {
  if (types.isSharedArrayBuffer(object)) return HANDLE
  const prototype = Object.getPrototypeOf(object)
  if (object === globalThis || types.isModuleNamespaceObject(object) || types.isExternal?.(object)) refuse(object)
  if (prototype === null) return ORDINARY
  if (isMarked(prototype) && isMarkedHandle(object)) return HANDLE
  const isPlain = Object.prototype.toString.call(object) === '[object Object]'
  // Others have getters, which are not to be called twice.
  const isToBeAsked = Object.keys(object).length === 0 || isOfRuntime(prototype)
  if (isToBeAsked && isHandleByRuntime(object)) return HANDLE
  return isPlain ? ORDINARY_CLASS : ORDINARY
}

function isMarked(prototype) {
  for (let each = prototype; each !== null; each = Object.getPrototypeOf(each)) {
    if (types.isProxy(each)) return false
    if (Object.getOwnPropertySymbols(each).some(({ description }) => MARK.test(description))) return true
  }
  return false
}

function isMarkedHandle(object) {
  const cloned = tryToClone(object)
  // It is for transfers alone.
  if (cloned === null) refuseHandle(object)
  // Made by a program with a prototype of such a class, or of a version that lets it pass as an object.
  return Object.getPrototypeOf(cloned) !== Object.prototype
}

/** Returns true if a global class of the runtime is among the classes of an object. */
function isOfRuntime(prototype) {
  for (let each = prototype; each !== null && !types.isProxy(each); each = Object.getPrototypeOf(each)) {
    const { value } = Object.getOwnPropertyDescriptor(each, Symbol.toStringTag) ?? {}
    if (typeof value === 'string' && each !== Object.prototype && globalThis[value]?.prototype === each) return true
  }
  return false
}

function isHandleByRuntime(object) {
  const cloned = tryToClone(object)
  if (cloned === null) refuseAs(object)
  return Object.getPrototypeOf(cloned) !== Object.prototype
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

module.exports = { HANDLE, ORDINARY_CLASS, kindOf }
