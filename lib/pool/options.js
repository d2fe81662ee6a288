'use strict'

// The options of `spawn`: their checks, and the parts of the pool that they are for.

const { availableParallelism } = require('node:os')
const { invalidArgType, invalidArgValue, outOfRange } = require('../errors.js')
const { validateKeys } = require('../option-names.js')
const {
  MOST_THREADS,
  validateBoolean,
  validateConcurrency,
  validateFunction,
  validateInteger,
  validateMailbox,
  validateObject,
  validateStallAfter,
  validateTimeout,
} = require('../validate.js')

/** Options that are passed to `new Worker`. */
const OF_WORKER = ['argv', 'env', 'execArgv', 'name', 'resourceLimits', 'stderr', 'stdout']
/** Options that the buses of the threads are made with. */
const OF_BUS = ['mailbox', 'recordTiming', 'stallAfter']
const OF_SIZE = ['idleTimeout', 'maxThreads', 'minThreads', 'threads']
const OF_POOL = ['concurrency', 'maxQueue', 'onError', 'terminateAfter', 'workerData']
const KNOWN = [...OF_WORKER, ...OF_BUS, ...OF_SIZE, ...OF_POOL].sort()

/** Milliseconds. A thread starts in some 50, so that one which is needed again soon is better kept. */
const IDLE_TIMEOUT = 10_000
/** Number of events that a thread takes without `concurrency`: a listener that burns CPU leaves no time for a second one. */
const TAKES = 1

/** Of `maxQueue`. */
const MOST_WAITING = 2 ** 32 - 1

/** @param {boolean} isFactory true if a function of the program makes the workers */
function validateSpawnOptions(options, isFactory) {
  validateObject(options, 'options')
  validateKeys(options, 'options', KNOWN)
  const { concurrency, maxQueue, mailbox, recordTiming, stallAfter, onError, terminateAfter, idleTimeout } = options
  validateSize(options)
  if (concurrency !== undefined) validateConcurrency(concurrency, 'options.concurrency')
  if (maxQueue !== undefined && maxQueue !== Infinity) validateInteger(maxQueue, 'options.maxQueue', 0, MOST_WAITING)
  if (mailbox !== undefined) validateMailbox(mailbox, 'options.mailbox')
  if (stallAfter !== undefined) validateStallAfter(stallAfter, 'options.stallAfter')
  if (recordTiming !== undefined) validateBoolean(recordTiming, 'options.recordTiming')
  if (onError !== undefined) validateFunction(onError, 'options.onError')
  if (terminateAfter !== undefined) validateTimeout(terminateAfter, 'options.terminateAfter')
  if (idleTimeout !== undefined && idleTimeout !== Infinity) validateTimeout(idleTimeout, 'options.idleTimeout')
  for (const each of ['stdout', 'stderr']) validateOutput(options[each], `options.${each}`)
  if (isFactory) for (const each of OF_WORKER) validateIsForWorker(options, each)
}

function validateSize({ threads, minThreads, maxThreads }) {
  for (const [name, value] of Object.entries({ threads, minThreads, maxThreads })) {
    if (value !== undefined) validateInteger(value, `options.${name}`, 1, MOST_THREADS)
  }
  if (threads !== undefined && (minThreads ?? maxThreads) !== undefined) {
    throw invalidArgValue('options.threads', threads, 'is minThreads and maxThreads in one, so it stands alone')
  }
  if (minThreads > maxThreads)
    throw outOfRange('options.minThreads', `<= options.maxThreads, ${maxThreads}`, minThreads)
}

function validateOutput(value, name) {
  if (value === undefined || typeof value === 'boolean' || typeof value?.write === 'function') return
  throw invalidArgType(name, 'a stream to write to, or of type boolean', value)
}

function validateIsForWorker(options, name) {
  if (options[name] === undefined) return
  throw invalidArgValue(
    `options.${name}`,
    options[name],
    'belongs to `new Worker`, in the function that makes the workers',
  )
}

/** Returns the bounds of `Size`. */
function sizeOf({ threads, minThreads, maxThreads, idleTimeout = IDLE_TIMEOUT, concurrency = Infinity }) {
  const cores = availableParallelism()
  const max = threads ?? maxThreads ?? Math.max(minThreads ?? 1, cores)
  const isOpenBelow = maxThreads !== undefined && minThreads === undefined
  const takes = Number.isFinite(concurrency) ? concurrency : TAKES
  return { min: threads ?? minThreads ?? (isOpenBelow ? 1 : max), max, idleTimeout, takes }
}

/** Returns the options of each thread's `new Worker`. */
function workerOptionsOf(options) {
  const passed = Object.fromEntries(OF_WORKER.map((name) => [name, options[name]]))
  for (const name of ['stdout', 'stderr']) passed[name] = Boolean(passed[name])
  return passed
}

/** Returns the options of each thread's bus: those given, else those of the bus that spawns. */
function busOptionsOf(options, inherited) {
  return Object.fromEntries(OF_BUS.map((name) => [name, options[name] ?? inherited[name]]))
}

module.exports = { busOptionsOf, sizeOf, validateSpawnOptions, workerOptionsOf }
