'use strict'

// The start of each thread of a pool: has the user's module register its listeners, and says when it has.

const { parentPort, workerData } = require('node:worker_threads')
const { ParallelEventBus } = require('../bus.js')
const { invalidArgType } = require('../errors.js')

async function main({ module, channel, group, workerData: data }) {
  const register = registerOf(await import(module))
  if (typeof register !== 'function') throw invalidArgType(`the default export of ${module}`, 'a function', register)
  const bus = new ParallelEventBus({ channel, group })
  // Told to close by the parent, which waits for the exit. Does not keep the thread alive: its listeners do.
  parentPort.once('message', () => close(bus))
  parentPort.unref()
  bus.ref()
  await register(bus, data)
  parentPort.postMessage('ready')
}

/** A CommonJS module that was compiled from an ES module has its default export inside. */
function registerOf({ default: exported }) {
  return typeof exported?.default === 'function' ? exported.default : exported
}

async function close(bus) {
  await bus.close()
  // The module may have left timers and sockets behind.
  process.exit()
}

// Thrown, not rejected, so that the parent gets the error itself.
main(workerData).catch((error) => {
  process.nextTick(() => {
    throw error
  })
})
