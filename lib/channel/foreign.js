'use strict'

// Threads of other processes. The engine has a number for each, and JavaScript looks the names up.

const native = require('../native.js')
const { FIRST_FOREIGN_THREAD } = require('./protocol.js')

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

module.exports = { LINK_STATES, isForeign, whereIs }
