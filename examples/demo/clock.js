'use strict'

// The time, in milliseconds on a clock that all threads have in common.

const { performance } = require('node:perf_hooks')

/** The moment that `performance.now()` counts from need not be the same in all threads. */
function now() {
  return performance.timeOrigin + performance.now()
}

module.exports = { now }
