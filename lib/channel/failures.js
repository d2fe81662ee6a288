'use strict'

// Why an event did not get to the end of a listener in another thread, as the error that its emitter gets.

const { ListenerTimeoutError, MailboxFullError, ThreadExitedError, outOfMemoryFor } = require('../errors.js')
const log = require('../log.js')
const { exitReasonOf } = require('./exit-reason.js')

const TIMED_OUT = 1
const FULL = 2
const NO_MEMORY = 4

/**
 * @param {string | undefined} event undefined for events of several names
 * @param {number} kind as in `src/node/letters.rs`; 0, a failure, has an error of its own
 * @param {number | undefined} threadId undefined for several threads
 * @param {number} count how many losses it stands for
 */
function causeOf(event, kind, detail, threadId, count = 1) {
  const error = errorOf(event, kind, detail, threadId, count)
  log('%s: %s', error.code, error.message)
  return error
}

function errorOf(event, kind, detail, threadId, count) {
  if (kind === TIMED_OUT) return new ListenerTimeoutError(event, undefined, detail, count)
  if (kind === FULL) return new MailboxFullError(event, threadId, count)
  if (kind === NO_MEMORY) return outOfMemoryFor(event, threadId, count)
  // Several threads have no reason in common.
  const reason = threadId === undefined ? undefined : exitReasonOf(threadId)
  return new ThreadExitedError(event, threadId, reason, count)
}

/** The errors of listeners that failed, one for each of them. */
function errorsOf(event, failures) {
  return failures.flatMap(({ listeners, threadId, kind, detail, error }) =>
    Array.from({ length: listeners }, () => (kind === 0 ? error : causeOf(event, kind, detail, threadId))),
  )
}

module.exports = { causeOf, errorsOf }
