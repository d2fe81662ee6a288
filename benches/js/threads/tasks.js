'use strict'

// The tasks of the threads of every pool. Each call is counted, in memory that the row reads.

const { burn } = require('./work.js')

/** @param {SharedArrayBuffer} calls one 32-bit word */
function tasksOf(calls) {
  const counted = new Int32Array(calls)
  return {
    /** Nothing but to count, and to reply. */
    count(number) {
      Atomics.add(counted, 0, number)
      return number
    },
    /** As `count`, with the same value there and back. */
    handBack(value) {
      Atomics.add(counted, 0, 1)
      return value
    },
    burn(steps) {
      Atomics.add(counted, 0, 1)
      return burn(steps)
    },
  }
}

module.exports = { tasksOf }
