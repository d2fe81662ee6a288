'use strict'

// The failure of an event in another thread, as the error that its emitter gets.

const {
  ListenerTimeoutError,
  MailboxFullError,
  PeerGoneError,
  ThreadExitedError,
  eventTooLarge,
  outOfMemoryFor,
} = require('../errors.js')
const log = require('../log.js')
const { exitReasonOf } = require('./exit-reason.js')
const { whereIs } = require('./foreign.js')
const {
  MAILBOX_FULL,
  MAILBOX_FULL_BYTES,
  NO_MEMORY,
  PEER_GONE,
  QUEUE_FULL,
  THREW,
  TIMED_OUT,
  TOO_LARGE,
} = require('./protocol.js')

/** Whether the listeners of a process that is gone had started, by the detail. */
const STARTED = [false, true, 'unknown']

/**
 * Returns the error for a failure of a kind that has none of its own.
 *
 * @param {string | undefined} event undefined for events of several names
 * @param {number} kind of failure, other than THREW; see `protocol.js`
 * @param {number} detail of the kind
 * @param {number | undefined} threadId undefined for several threads
 * @param {number} count number of losses that the error stands for
 */
function errorFor(event, kind, detail, threadId, count = 1) {
  const error = errorOf(event, kind, detail, threadId, count)
  log('%s: %s', error.code, error.message)
  return error
}

function errorOf(event, kind, detail, thread, count) {
  const { threadId, peer } = whereIs(thread)
  if (kind === TIMED_OUT) return new ListenerTimeoutError(event, undefined, detail, count)
  if (kind === MAILBOX_FULL) return new MailboxFullError(event, threadId, count, { maxMessages: detail }, peer)
  if (kind === MAILBOX_FULL_BYTES) return new MailboxFullError(event, threadId, count, { maxBytes: detail }, peer)
  if (kind === QUEUE_FULL) return new MailboxFullError(event, threadId, count, { maxQueue: detail }, peer)
  if (kind === NO_MEMORY) return outOfMemoryFor(event, threadId, count, peer)
  if (kind === PEER_GONE) return new PeerGoneError(event, peer, STARTED[detail], count)
  if (kind === TOO_LARGE) return eventTooLarge(event, detail, peer, count)
  // Several threads have no reason in common, and that of another process is not known here.
  const reason = threadId === undefined || peer !== undefined ? undefined : exitReasonOf(threadId)
  return new ThreadExitedError(event, threadId, reason, count, peer)
}

/** Returns the errors of listeners that failed, one for each of them. */
function errorsFor(event, failures) {
  return failures.flatMap(({ listeners, threadId, kind, detail, error }) =>
    Array.from({ length: listeners }, () => (kind === THREW ? error : errorFor(event, kind, detail, threadId))),
  )
}

/** Returns the reason why nobody waits any more for listeners of an event, which was emitted there. */
function overErrorFor(event, kind, detail, { threadId, peer }, reason) {
  if (kind === THREW) return reason
  if (kind === TIMED_OUT) return errorFor(event, kind, detail, threadId)
  if (kind === PEER_GONE) return new PeerGoneError(event, peer, true, 1, true)
  const cause = peer === undefined ? exitReasonOf(threadId) : undefined
  return new ThreadExitedError(event, threadId, cause, 1, peer, true)
}

module.exports = { errorFor, errorsFor, overErrorFor }
