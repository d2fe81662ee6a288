'use strict'

// Memory of the engine's that was given to JavaScript, as the buffer of an event's argument. Newer runtimes mark such
// buffers as ones that cannot be transferred, as they mark those of a program's that wants it so. These are told apart here.

const { isMarkedAsUntransferable } = require('node:worker_threads')

/** @type {WeakSet<ArrayBuffer>} */
const given = new WeakSet()

/** Notes a buffer that comes from the engine. */
function note(buffer) {
  if (isMarkedAsUntransferable?.(buffer)) given.add(buffer)
}

/** Returns true for a buffer that the runtime refuses to transfer only because its memory is the engine's. */
function isGiven(buffer) {
  return given.has(buffer)
}

module.exports = { isGiven, note }
