'use strict'

// The time, and the time a listener takes, in milliseconds on a clock that all threads have in common.

const { performance } = require('node:perf_hooks')

/** The moment that `performance.now()` counts from need not be the same in all threads. */
function now() {
  return performance.timeOrigin + performance.now()
}

/** A listener that resolves to `{ value, span }`: what `listener` returns, and when it ran. */
function timed(listener) {
  return async (path) => {
    const start = now()
    const value = await listener(path)
    return { value, span: { start, end: now() } }
  }
}

module.exports = { now, timed }
