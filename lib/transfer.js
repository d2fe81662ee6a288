'use strict'

// Moving: the arguments of an event as listeners get them, where the emitter transfers some of them.
//
// They are moved out of the emitter's hands before the event is queued, all or none, as `postMessage` does. Listeners of
// this thread get the memory itself. For each other thread it is copied once, as all that crosses.

const { types } = require('node:util')
const { isDetached } = require('./codec/buffers.js')
const { refusal } = require('./codec/refusal.js')
const { isGiven } = require('./given.js')
const native = require('./native.js')

/**
 * Returns a clone of the arguments that has the transferred objects.
 *
 * @param {unknown[]} args
 * @param {object[]} transfer
 * @param {{ crosses: boolean, listeners: number }} to whether the event may go to other threads, and the number of
 * listeners in this one
 * @throws {DOMException} DataCloneError: nothing was moved
 */
function move(args, transfer, { crosses, listeners }) {
  for (const each of transfer) {
    if (!types.isArrayBuffer(each)) refuseMany(each, crosses, listeners)
    // Older runtimes let it pass.
    else if (isDetached(each)) throw refusal('An ArrayBuffer of the transfer list is detached and could not be moved.')
  }
  const moved = structuredClone(args, { transfer: transfer.filter((each) => !isGiven(each)) })
  // The runtime cannot move memory that is not its own, and has copied it.
  for (const each of transfer) if (types.isArrayBuffer(each) && !isDetached(each)) native.detach(each)
  return moved
}

/** Only an ArrayBuffer can be copied for several. */
function refuseMany(object, crosses, listeners) {
  const name = object?.constructor?.name ?? typeof object
  if (crosses) {
    throw refusal(
      `#<${name}> could not be moved: on a channel only ArrayBuffers are. Send it with worker.postMessage(), or with ` +
        'postMessageToThread() of node:worker_threads, which Node has since 22.5 and 20.19.',
    )
  }
  if (listeners > 1) throw refusal(`#<${name}> could not be moved: the event has ${listeners} listeners.`)
}

module.exports = { move }
