'use strict'

// The reason why a thread has ended. The thread leaves it with the engine before it ends, and so before the engine tells
// the others of its end. A thread that is ended from outside, by `terminate()` or by a limit of its memory, has no time
// to leave a reason.

const { setImmediate } = require('node:timers')
const { isMainThread } = require('node:worker_threads')
const { decodeAlone } = require('../codec/index.js')
const { exitCodeError } = require('../errors.js')
const native = require('../native.js')
const runQueue = require('../local/run-queue.js')
const { encodeShort } = require('./short-error.js')

/** Number of decoded reasons that are kept, so that all events lost with one thread have the same cause. */
const MOST_KEPT = 64

const kept = new Map()
let isLeft = false

/** Has this thread leave a reason when it ends. With the main thread the process ends, so that one needs none. */
function watchForExit() {
  if (isMainThread) return
  process.on('uncaughtExceptionMonitor', (error) => {
    // An exit code says more than no value. Deno passes none where a thread is terminated.
    if (error === undefined || error === null) return
    leaveExitReason(error)
    // A handler may keep the thread alive.
    setImmediate(takeBack).unref()
  })
  process.on('exit', (code) => {
    // The stack shows the caller of `process.exit()`.
    if (!isLeft) leaveExitReason(exitCodeError(code))
  })
}

/** Leaves the reason. Never throws: a second error would hide the first. */
function leaveExitReason(error) {
  // A thread without a channel has nothing in flight.
  if (runQueue.link === null || runQueue.link.members.size === 0) return
  isLeft = true
  try {
    const { buffer, start, end } = encodeShort(runQueue.link.encoder, error)
    native.setExitReason(runQueue.handle, buffer.subarray(start, end))
  } catch {}
}

/** Leaves the reason of another thread, which the caller is about to end. */
function leaveReasonOf(threadId, error) {
  const { buffer, start, end } = encodeShort(runQueue.link.encoder, error)
  native.leaveExitReason(threadId, buffer.subarray(start, end))
}

function takeBack() {
  isLeft = false
  native.setExitReason(runQueue.handle)
}

/** Returns the reason that an ended thread has left; undefined if it left none, or many threads have ended since. */
function exitReasonOf(threadId) {
  if (kept.has(threadId)) return kept.get(threadId)
  const bytes = native.exitReason(threadId)
  if (bytes === null) return undefined
  const reason = decodeAlone(new Uint8Array(bytes), 0, bytes.length)
  if (kept.size === MOST_KEPT) kept.clear()
  kept.set(threadId, reason)
  return reason
}

module.exports = { exitReasonOf, leaveExitReason, leaveReasonOf, watchForExit }
