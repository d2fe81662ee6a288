'use strict'

// The module of the worker threads: `bus.spawn` calls it with a bus of its thread, to register its listeners.

const { now } = require('./clock.js')
const { blocking } = require('./listeners.js')

/** Returns a listener that returns `{ value, span }`: the value of a blocking listener, and its start and end. */
function timed(listener) {
  return (path) => {
    const start = now()
    const value = listener(path)
    return { value, span: { start, end: now() } }
  }
}

/** Keeps a core busy until a time. */
function spin(end) {
  while (now() < end);
}

module.exports = function register(bus) {
  // The caller of request gets the error; without a handler the bus of this thread would warn of it as well.
  bus.setErrorHandler(() => {})
  for (const [name, listener] of Object.entries(blocking)) bus.on(name, timed(listener))
  bus.on('spin', spin)
}
