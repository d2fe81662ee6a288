'use strict'

// `ParallelEventBus.trace({ file })`, and PARALLEL_EVENT_BUS_TRACE: a file with what all threads of the process do with events,
// for Perfetto and other viewers of Chrome's trace events.

const { resolve } = require('node:path')
const { cannotWriteTrace, invalidArgType, invalidState } = require('../errors.js')
const native = require('../native.js')
const { now } = require('../metrics/timed.js')
const { validateKeys } = require('../option-names.js')
const { validateInteger, validateObject } = require('../validate.js')
const { beginTrace } = require('./begin.js')

/** Largest size of a file in bytes. */
const MAX_BYTES = 64 * 2 ** 20

class Trace {
  #dropped

  constructor(file) {
    this.file = file
  }

  /** Number of events that the file had no room for; undefined before it is closed. */
  get dropped() {
    return this.#dropped
  }

  /** Ends the trace. */
  async close() {
    // What this turn has left to write.
    await null
    this.#dropped ??= native.closeTrace(now() * 1000) ?? undefined
  }
}

if (Symbol.asyncDispose !== undefined) {
  Object.defineProperty(Trace.prototype, Symbol.asyncDispose, {
    value() {
      return this.close()
    },
    configurable: true,
    writable: true,
  })
}

/** Begins a trace of all threads of the process. There is one at a time. */
function trace(options) {
  validateObject(options, 'options')
  validateKeys(options, 'options', ['file', 'maxBytes'])
  const { file, maxBytes } = options
  if (typeof file !== 'string' || file === '')
    throw invalidArgType('options.file', 'of type string, and not empty', file)
  if (maxBytes !== undefined) validateInteger(maxBytes, 'options.maxBytes', 1, Number.MAX_SAFE_INTEGER)
  if (!openTrace(options)) throw invalidState('this process writes a trace already: close that one first')
  return new Trace(fileOf(file))
}

/** Returns false if there is a trace already; this thread writes to it then. */
function openTrace({ file, maxBytes = MAX_BYTES }) {
  const path = fileOf(file)
  let isNew
  try {
    isNew = native.openTrace(path, maxBytes)
  } catch (error) {
    throw cannotWriteTrace(path, error)
  }
  beginTrace()
  return isNew
}

/** Begins the trace that the environment asks for. A program runs without it, too. */
function traceByEnvironment(file) {
  try {
    openTrace({ file })
  } catch (error) {
    process.emitWarning(error.message, { type: 'ParallelEventBusWarning', code: 'PARALLEL_EVENT_BUS_TRACE_FAILED' })
  }
}

/** Returns the path of a file. `{pid}` in it is the process, so that each of several has a file of its own. */
function fileOf(file) {
  return resolve(file.replaceAll('{pid}', String(process.pid)))
}

module.exports = { trace, traceByEnvironment }
