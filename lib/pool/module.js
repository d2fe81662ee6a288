'use strict'

// The module that the threads of a pool run: its URL, its name in messages, its workers, and the errors for a module that
// does not load. Each of these errors has the caller of `spawn` in its stack, because the mistake is there or in the module.

const { existsSync } = require('node:fs')
const path = require('node:path')
const { URL, fileURLToPath, pathToFileURL } = require('node:url')
const { Worker } = require('node:worker_threads')
const { invalidArgType } = require('../errors.js')
const { workerOptionsOf } = require('./options.js')

const ENTRY = require.resolve('./thread.js')
const WANTED = 'Wanted: export default (bus, workerData) => …'
/** Node's codes for a missing file: the module's own, or one that it imports. */
const NOT_FOUND = new Set(['ERR_MODULE_NOT_FOUND', 'MODULE_NOT_FOUND', 'ENOENT'])
/** Node's other codes for a module that did not start. */
const UNLOADABLE =
  /^ERR_(UNSUPPORTED_|UNKNOWN_(FILE_EXTENSION|MODULE_FORMAT|BUILTIN_MODULE)|PACKAGE_|IMPORT_|INVALID_(PACKAGE|MODULE|TYPESCRIPT)|REQUIRE_|DLOPEN_)/
/** In characters. A URL with data may be very long. */
const LONGEST_NAME = 60

class PoolModule {
  /** @type {string} its URL */
  href
  /** @type {string} its short name, for messages */
  name
  #given
  #caller
  #options

  /**
   * @param {string | URL} given a URL, of any realm, or a path relative to the working directory
   * @param {object} options of `spawn`, validated
   * @param {Function} below the function of which the caller goes into the stacks of errors
   */
  constructor(given, options, below) {
    this.#given = given
    this.#options = workerOptionsOf(options)
    this.#caller = stackBelow(below)
    this.href = hrefOf(given)
    this.name = nameOf(this.href)
  }

  /** Its name for `util.inspect`. */
  get shown() {
    return this.href
  }

  /** Starts a worker for it, and passes it the port to its pool. The data, which may be large, is not kept. */
  start(about, port) {
    const workerData = { ...about, href: this.href, port }
    return new Worker(ENTRY, { ...this.#options, workerData, transferList: [port] })
  }

  /** Returns the error for a failed import. An error that the module itself has thrown is returned as it is. */
  loadError(error) {
    if (this.#isMissing(error)) return this.#error(Error, this.#whereItIsNot(), error)
    if (error?.code === 'ERR_UNKNOWN_FILE_EXTENSION' && /\.[cm]?ts$/.test(this.href)) {
      const advice = 'Node 22.18 or newer runs TypeScript modules; or spawn the compiled file'
      return this.#error(Error, `${this.name}: ${advice}`, error)
    }
    if (!isOfLoader(error)) return error
    const Class = error.name === 'SyntaxError' ? SyntaxError : Error
    const place = this.href.startsWith('file:') ? this.href : this.name
    return this.#error(Class, `${place} does not load: ${error.message}`, error)
  }

  /** Returns the error for a default export that is missing, or no function. */
  exportError({ exported, others }) {
    const has = others.length === 0 ? 'it exports nothing' : `it exports: ${others.join(', ')}`
    const what =
      exported === undefined
        ? `${this.name} has no default export (${has})`
        : `the default export of ${this.name} is ${exported}`
    return this.#error(TypeError, `${what}. ${WANTED}`, undefined, 'ERR_INVALID_ARG_TYPE')
  }

  #isMissing(error) {
    return this.href.startsWith('file:') && NOT_FOUND.has(error?.code) && !existsSync(fileURLToPath(this.href))
  }

  #whereItIsNot() {
    const given = this.#given
    if (typeof given !== 'string' || isUrl(given)) return `no module ${this.href}`
    if (path.isAbsolute(given)) return `no module '${given}'`
    const relative = /^\.\.?[\\/]/.test(given) ? given : `./${given}`
    return `no module '${given}' in ${process.cwd()}. Relative to this file: new URL('${relative}', import.meta.url)`
  }

  #error(Class, message, cause, code = cause.code ?? 'ERR_MODULE_DOES_NOT_LOAD') {
    const error = new Class(message, cause && { cause })
    error.stack = `${Class.name}: ${message}${this.#caller}`
    error.code = code
    return error
  }
}

/** Returns the lines of the stack below a function, each with a line break before it. */
function stackBelow(below) {
  const caller = {}
  Error.captureStackTrace(caller, below)
  const { stack } = caller
  const end = typeof stack === 'string' ? stack.indexOf('\n') : -1
  return end < 0 ? '' : stack.slice(end)
}

/** Returns the module's URL as text. A URL of another realm or class is no instance of this `URL`, but has an `href`. */
function hrefOf(given) {
  if (typeof given === 'string') return isUrl(given) ? given : pathToFileURL(given).href
  if (typeof given?.href === 'string' && URL.canParse(given.href)) return given.href
  throw invalidArgType('module', 'a URL or a path', given)
}

function isUrl(text) {
  return /^(file|data|node):/.test(text)
}

function nameOf(href) {
  if (href.startsWith('file:')) return path.basename(fileURLToPath(href))
  return href.length > LONGEST_NAME ? `${href.slice(0, LONGEST_NAME)}…` : href
}

/** Returns true if an error looks like one of Node's module loader. A module may also throw such an error itself. */
function isOfLoader(error) {
  return error?.name === 'SyntaxError' || NOT_FOUND.has(error?.code) || UNLOADABLE.test(error?.code)
}

module.exports = { PoolModule }
