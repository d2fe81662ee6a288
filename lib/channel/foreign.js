'use strict'

// Threads of other processes. The engine has a number for each, and JavaScript looks the names up.

const { linkError } = require('../errors.js')
const native = require('../native.js')
const { FIRST_FOREIGN_THREAD, LINK_STATE_BITS } = require('./protocol.js')

/** States of a link, by their number. */
const LINK_STATES = Object.freeze(['up', 'away', 'closing', 'closed'])

/** Returns true for the number of a thread of another process. */
function isForeign(threadId) {
  return threadId >= FIRST_FOREIGN_THREAD
}

/**
 * Returns where a thread of this number is: its id within its process, and that process, or undefined for this one.
 *
 * @param {number | undefined} threadId undefined for several threads
 * @returns {{ threadId?: number, peer?: { id: string, name: string } }}
 */
function whereIs(threadId) {
  if (threadId === undefined || !isForeign(threadId)) return { threadId }
  const found = native.foreign(threadId)
  if (found === null) return { threadId: undefined }
  const { id, name, thread } = found
  return { threadId: thread, peer: { id, name } }
}

/**
 * Returns the state of a link, and its trouble, of which the number tells.
 *
 * @returns {{ state: string, error?: Error }}
 */
function linkChange(number) {
  const state = LINK_STATES[number & (2 ** LINK_STATE_BITS - 1)]
  const trouble = number >>> LINK_STATE_BITS
  const found = trouble === 0 ? null : native.linkTrouble(trouble)
  return found === null ? { state } : { state, error: linkError(found.code, found.message) }
}

module.exports = { LINK_STATES, isForeign, linkChange, whereIs }
