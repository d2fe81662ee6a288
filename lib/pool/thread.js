'use strict'

// The start of each thread of a pool: has the user's module register its listeners, and tells the pool that it has, or
// why it could not. The module may do as it likes with `parentPort` and the events of `process`.

const { syncBuiltinESMExports } = require('node:module')
const { inspect } = require('node:util')
const workerThreads = require('node:worker_threads')
const { ParallelEventBus } = require('../bus.js')
const { leaveExitReason } = require('../channel/exit-reason.js')
const { Encoder } = require('../codec/index.js')

const { port, href, channel, group, workerData } = workerThreads.workerData
// The module is to see its own data, as in any other worker.
workerThreads.workerData = workerData
syncBuiltinESMExports()

/** In characters. An export may be large. */
const LONGEST_TEXT = 60

async function main() {
  const register = await load()
  const bus = new ParallelEventBus({ channel, group })
  // The pool says `close`, and waits for the exit. The port does not keep the thread alive: its listeners do.
  port.once('message', () => close(bus))
  port.unref()
  bus.ref()
  port.postMessage({ is: 'loaded' })
  try {
    await register(bus, workerData)
  } catch (error) {
    // Emitters may be waiting for listeners that were registered before.
    leaveExitReason(error)
    throw { is: 'not registered', error: encoded(error) }
  }
  port.postMessage({ is: 'ready' })
}

async function load() {
  let namespace
  try {
    namespace = await import(href)
  } catch (error) {
    throw { is: 'not loaded', error: encoded(error) }
  }
  const exported = defaultOf(namespace)
  if (typeof exported === 'function') return exported
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

/** Encodes anything that can be thrown. `postMessage` would refuse some values, and drop properties of errors. */
function encoded(thrown) {
  const { buffer, start, end } = new Encoder(() => {}).encodeThrown(thrown, false)
  return buffer.slice(start, end)
}

async function close(bus) {
  await bus.close()
  // The module may have left timers and sockets behind.
  process.exit()
}

main().catch((failure) => {
  port.postMessage(failure)
  process.exit(1)
})
