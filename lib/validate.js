'use strict'

// Checks of arguments and options. Each `validate` returns nothing and throws Node's own kind of error, with its code.

const { EventEmitter } = require('node:events')
const { invalidArgType, invalidArgValue, outOfRange } = require('./errors.js')
const { validateKeys } = require('./option-names.js')

/** The longest a Node timer runs; a longer one would fire at once. */
const LONGEST_TIMEOUT = 2 ** 31 - 1
/** More is a mistake: the system refuses long before. */
const MOST_THREADS = 1024

const OF_BUS = [
  'captureRejections',
  'channel',
  'group',
  'mailbox',
  'maxListeners',
  'onError',
  'propagate',
  'recordTiming',
  'stallAfter',
]
const OF_LISTENER = ['concurrency', 'context', 'group', 'once', 'signal', 'timeout']
const OF_BOUNDS = ['key', 'signal', 'timeout', 'transfer']
const OF_MAILBOX = ['maxBytes', 'maxMessages']
const OF_CLOSE = ['timeout']
const OF_LISTENING = ['signal', 'threads']
/** Options of a bus that mean nothing without a channel. */
const OF_CHANNEL = ['group', 'mailbox', 'stallAfter']

function validateObject(value, name) {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw invalidArgType(name, 'of type object', value)
  }
}

function validateFunction(value, name) {
  if (typeof value !== 'function') throw invalidArgType(name, 'of type function', value)
}

/** Throws EventEmitter's own error, in its words. */
function validateListener(value) {
  if (typeof value !== 'function') new EventEmitter().on('event', value)
}

/**
 * Returns the options in the third argument of `on`, if it is a plain object. EventEmitter ignores a third argument, and
 * programs pass the arguments of other emitters there: a context, a capture flag.
 */
function optionsIn(third) {
  return isPlainObject(third) ? third : undefined
}

/** Returns true for an object without a prototype, or with one that has none: a plain object of any realm. */
function isPlainObject(value) {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false
  const prototype = Object.getPrototypeOf(value)
  return prototype === null || Object.getPrototypeOf(prototype) === null
}

function validateBoolean(value, name) {
  if (typeof value !== 'boolean') throw invalidArgType(name, 'of type boolean', value)
}

function validateMaxListeners(value, name) {
  if (typeof value !== 'number') throw invalidArgType(name, 'of type number', value)
  if (!(value >= 0)) throw outOfRange(name, 'a non-negative number', value)
}

/** Validates milliseconds, more than 0. */
function validateTimeout(value, name) {
  if (typeof value !== 'number') throw invalidArgType(name, 'of type number', value)
  if (!(value > 0 && value <= LONGEST_TIMEOUT)) throw outOfRange(name, `> 0 and <= ${LONGEST_TIMEOUT}`, value)
}

function validateSignal(value, name) {
  if (typeof value?.aborted !== 'boolean' || typeof value.addEventListener !== 'function') {
    throw invalidArgType(name, 'an instance of AbortSignal', value)
  }
}

/** Validates `{ timeout, signal }` of an emission or a listener, each optional. */
function validateTimeoutAndSignal({ timeout, signal }, name) {
  if (timeout !== undefined) validateTimeout(timeout, `${name}.timeout`)
  if (signal !== undefined) validateSignal(signal, `${name}.signal`)
}

/** Validates the bounds of an emission. */
function validateBounds(options, name) {
  validateObject(options, name)
  validateKeys(options, name, OF_BOUNDS)
  validateTimeoutAndSignal(options, name)
  const { key, transfer } = options
  if (key !== undefined) validateKey(key, `${name}.key`)
  if (transfer !== undefined && !Array.isArray(transfer)) {
    throw invalidArgType(`${name}.transfer`, 'an instance of Array', transfer)
  }
}

/** Validates a key of events. NaN is one that somebody has failed to make. */
function validateKey(value, name) {
  if (!['string', 'number', 'bigint'].includes(typeof value)) {
    throw invalidArgType(name, 'one of type string, number, or bigint', value)
  }
  if (Number.isNaN(value)) throw outOfRange(name, 'a number other than NaN', value)
}

/** Validates the name of a channel or a group. */
function validateName(value, name) {
  if (typeof value !== 'string') throw invalidArgType(name, 'of type string', value)
  if (value === '') throw invalidArgValue(name, value, 'must not be empty')
}

function validateInteger(value, name, least, most) {
  if (typeof value !== 'number') throw invalidArgType(name, 'of type number', value)
  if (!(Number.isInteger(value) && value >= least && value <= most)) {
    throw outOfRange(name, `an integer >= ${least} and <= ${most}`, value)
  }
}

/** Validates the capacity of a mailbox: `{ maxMessages, maxBytes }`, each optional. */
function validateMailbox(value, name) {
  validateObject(value, name)
  validateKeys(value, name, OF_MAILBOX)
  for (const each of OF_MAILBOX) {
    if (value[each] !== undefined) validateInteger(value[each], `${name}.${each}`, 1, Number.MAX_SAFE_INTEGER)
  }
}

/** Validates milliseconds, 0 for never. */
function validateStallAfter(value, name) {
  validateInteger(value, name, 0, LONGEST_TIMEOUT)
}

function validateListenerOptions(options) {
  validateKeys(options, 'options', OF_LISTENER)
  validateTimeoutAndSignal(options, 'options')
  if (options.once !== undefined) validateBoolean(options.once, 'options.once')
  if (options.context !== undefined) validateBoolean(options.context, 'options.context')
  if (options.group !== undefined && options.group !== null) validateName(options.group, 'options.group')
  if (options.concurrency !== undefined) validateConcurrency(options.concurrency, 'options.concurrency')
}

/** Validates a number of calls at once. */
function validateConcurrency(value, name) {
  if (typeof value !== 'number') throw invalidArgType(name, 'of type number', value)
  if (!(value >= 1 && (Number.isInteger(value) || value === Number.POSITIVE_INFINITY))) {
    throw outOfRange(name, 'an integer >= 1, or Infinity', value)
  }
}

/** @param {boolean} isOfSubclass unknown options may be for that one */
function validateBusOptions(options, isOfSubclass) {
  validateObject(options, 'options')
  if (!isOfSubclass) validateKeys(options, 'options', OF_BUS)
  if (options.maxListeners !== undefined) validateMaxListeners(options.maxListeners, 'options.maxListeners')
  if (options.onError !== undefined) validateFunction(options.onError, 'options.onError')
  if (options.recordTiming !== undefined) validateBoolean(options.recordTiming, 'options.recordTiming')
  if (options.propagate !== undefined) validatePropagate(options.propagate)
  if (options.captureRejections !== undefined) {
    validateBoolean(options.captureRejections, 'options.captureRejections')
  }
  if (options.channel !== undefined) validateName(options.channel, 'options.channel')
  else for (const each of OF_CHANNEL) validateIsOfNoUse(options, each)
  if (options.group !== undefined) validateName(options.group, 'options.group')
  if (options.mailbox !== undefined) validateMailbox(options.mailbox, 'options.mailbox')
  if (options.stallAfter !== undefined) validateStallAfter(options.stallAfter, 'options.stallAfter')
}

function validatePropagate(propagate) {
  validateObject(propagate, 'options.propagate')
  for (const name of ['inject', 'extract']) validateFunction(propagate[name], `options.propagate.${name}`)
}

function validateIsOfNoUse(options, name) {
  if (options[name] === undefined) return
  throw invalidArgValue(
    `options.${name}`,
    options[name],
    "needs a channel: new ParallelEventBus({ channel: 'orders' })",
  )
}

/** Returns the property key under which EventEmitter stores an event: 5 and '5' are one event. */
function keyOf(event) {
  return typeof event === 'symbol' ? event : String(event)
}

/** Validates the options of `close`. A timeout of 0 is over at once. */
function validateCloseOptions(options) {
  validateObject(options, 'options')
  validateKeys(options, 'options', OF_CLOSE)
  const { timeout } = options
  if (timeout === undefined) return
  if (typeof timeout !== 'number') throw invalidArgType('options.timeout', 'of type number', timeout)
  if (!(timeout >= 0 && timeout <= LONGEST_TIMEOUT)) {
    throw outOfRange('options.timeout', `>= 0 and <= ${LONGEST_TIMEOUT}`, timeout)
  }
}

/** Validates the options of `listening`. */
function validateListeningOptions(options) {
  validateObject(options, 'options')
  validateKeys(options, 'options', OF_LISTENING)
  if (options.threads !== undefined) validateInteger(options.threads, 'options.threads', 1, MOST_THREADS)
  if (options.signal !== undefined) validateSignal(options.signal, 'options.signal')
}

module.exports = {
  MOST_THREADS,
  keyOf,
  validateCloseOptions,
  validateConcurrency,
  validateInteger,
  validateListeningOptions,
  validateMailbox,
  validateObject,
  validateBoolean,
  validateStallAfter,
  validateTimeout,
  optionsIn,
  validateFunction,
  validateListener,
  validateName,
  validateBounds,
  validateListenerOptions,
  validateMaxListeners,
  validateBusOptions,
}
