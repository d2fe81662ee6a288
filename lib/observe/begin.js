'use strict'

// The begin of a trace in this thread. What writes it is loaded then.

const runQueue = require('../local/run-queue.js')
const native = require('../native.js')

/** Has this thread write to the trace of the process, if there is one. */
function beginTrace() {
  if (runQueue.trace !== null || !native.isTracing()) return
  const { ThreadTrace } = require('./thread-trace.js')
  new ThreadTrace().begin()
}

module.exports = { beginTrace }
