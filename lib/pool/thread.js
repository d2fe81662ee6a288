'use strict'

// The start of each thread that a pool makes for a module: has the module register its listeners. The module may do as it
// likes with `parentPort` and the events of `process`.

const { syncBuiltinESMExports } = require('node:module')
const { inspect } = require('node:util')
const workerThreads = require('node:worker_threads')
const { encoded, serve } = require('./serve.js')

const { port, href, workerData, ...about } = workerThreads.workerData
// The module is to see its own data, as in any other worker.
workerThreads.workerData = workerData
syncBuiltinESMExports()

/** In characters. An export may be large. */
const LONGEST_TEXT = 60

async function load() {
  let namespace
  try {
    namespace = await import(href)
  } catch (error) {
    throw { is: 'not loaded', error: encoded(error) }
  }
  const exported = defaultOf(namespace)
  if (typeof exported === 'function') return (bus) => exported(bus, workerData)
  throw { is: 'without function', exported: textOf(exported), others: namesIn(namespace) }
}

/** A CommonJS module that was compiled from an ES module has its default export inside. */
function defaultOf({ default: exported }) {
  return typeof exported?.default === 'function' ? exported.default : exported
}

function namesIn(namespace) {
  // Newer releases of Node export a CommonJS module as `module.exports`, too.
  return Object.keys(namespace).filter((name) => !['default', '__esModule', 'module.exports'].includes(name))
}

function textOf(exported) {
  return exported === undefined
    ? undefined
    : inspect(exported, { depth: 0, breakLength: Infinity }).slice(0, LONGEST_TEXT)
}

serve(port, about, load)
