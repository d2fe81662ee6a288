'use strict'

// The time, and the time a listener takes, in milliseconds on a clock that all threads have in common.

const { performance } = require('node:perf_hooks')
const { threadId } = require('node:worker_threads')

/** What `performance.now()` counts from need not be the same in all threads. */
function now() {
  return performance.timeOrigin + performance.now()
}

/** A listener that resolves to `{ value, span }`: what `listener` returns, and when and where it ran. */
function timed(listener) {
  return async (path) => {
    const start = now()
    const value = await listener(path)
    return { value, span: { start, end: now(), thread: threadId } }
  }
}

module.exports = { now, timed }
