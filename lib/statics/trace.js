'use strict'

/** Begins a trace of all threads of the process. Few programs do, so what writes it is loaded then. */
function trace(options) {
  return require('../observe/trace.js').trace(options)
}

module.exports = { trace }
