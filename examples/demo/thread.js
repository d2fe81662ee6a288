'use strict'

// What each worker thread of the demo runs: `bus.spawn` calls it with a bus of that thread, to register its listeners.

const blocking = require('./blocking.js')
const { timed } = require('./clock.js')

module.exports = function register(bus) {
  // Who asked gets the error; without a handler the bus of this thread would warn of it as well.
  bus.setErrorHandler(() => {})
  for (const [name, listener] of Object.entries(blocking)) bus.on(name, timed(listener))
}
