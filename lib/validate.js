'use strict'

// Checks of what users pass in. Each `validate` returns nothing and throws Node's own kind of error, with its code.

const { invalidArgType, outOfRange } = require('./errors.js')

/** The longest a Node timer runs; a longer one would fire at once. */
const LONGEST_TIMEOUT = 2 ** 31 - 1

function validateObject(value, name) {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw invalidArgType(name, 'an object', value)
  }
}

function validateFunction(value, name) {
  if (typeof value !== 'function') throw invalidArgType(name, 'a function', value)
}

function validateBoolean(value, name) {
  if (typeof value !== 'boolean') throw invalidArgType(name, 'a boolean', value)
}

function validateMaxListeners(value, name) {
  if (typeof value !== 'number') throw invalidArgType(name, 'a number', value)
  if (!(value >= 0)) throw outOfRange(name, 'a non-negative number', value)
}

/** Milliseconds, more than 0. */
function validateTimeout(value, name) {
  if (typeof value !== 'number') throw invalidArgType(name, 'a number', value)
  if (!(value > 0 && value <= LONGEST_TIMEOUT)) throw outOfRange(name, `> 0 and <= ${LONGEST_TIMEOUT}`, value)
}

function validateSignal(value, name) {
  if (typeof value?.aborted !== 'boolean' || typeof value.addEventListener !== 'function') {
    throw invalidArgType(name, 'an AbortSignal', value)
  }
}

/** What bounds an emission or a listener: `{ timeout, signal }`, each optional. */
function validateLimits(options, name) {
  validateObject(options, name)
  if (options.timeout !== undefined) validateTimeout(options.timeout, `${name}.timeout`)
  if (options.signal !== undefined) validateSignal(options.signal, `${name}.signal`)
}

function validateListenerOptions(options) {
  validateLimits(options, 'options')
  if (options.once !== undefined) validateBoolean(options.once, 'options.once')
}

function validateBusOptions(options) {
  validateObject(options, 'options')
  if (options.maxListeners !== undefined) validateMaxListeners(options.maxListeners, 'options.maxListeners')
  if (options.onError !== undefined) validateFunction(options.onError, 'options.onError')
  if (options.captureRejections !== undefined) {
    validateBoolean(options.captureRejections, 'options.captureRejections')
  }
}

/** The property key that EventEmitter stores an event under: 5 and '5' are one event. */
function keyOf(event) {
  return typeof event === 'symbol' ? event : String(event)
}

module.exports = {
  keyOf,
  validateFunction,
  validateLimits,
  validateListenerOptions,
  validateBusOptions,
}
