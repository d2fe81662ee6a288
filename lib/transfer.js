'use strict'

// Moving: the arguments of an event as listeners get them, where the emitter transfers some of them.
//
// They are moved out of the emitter's hands before the event is queued, all or none, as `postMessage` does. Listeners of
// this thread get the memory itself. For each other thread it is copied once, as all that crosses. A port is for one
// listener: where that is in another thread, it goes there when the thread asks for it (`channel/handles.js`).

const { types } = require('node:util')
const { MessagePort } = require('node:worker_threads')
const { isDetached } = require('./codec/buffers.js')
const { refusal } = require('./codec/refusal.js')
const { isGiven } = require('./given.js')
const native = require('./native.js')

const posts = () => require('./channel/posts.js')

/**
 * Returns a clone of the arguments that has the transferred objects, and those of them that are ports; null for none.
 *
 * @param {unknown[]} args
 * @param {object[]} transfer
 * @param {{ crosses: boolean, listeners: () => number }} to whether the event may go to other threads, and the number of
 * listeners that it is for
 * @returns {{ args: unknown[], ports: Set<MessagePort> | null }}
 * @throws {DOMException} DataCloneError: nothing was moved
 */
function move(args, transfer, to) {
  for (const each of transfer) {
    if (!types.isArrayBuffer(each)) refuseMany(each, to)
    // Older runtimes let it pass.
    else if (isDetached(each)) throw refusal('An ArrayBuffer of the transfer list is detached and could not be moved.')
  }
  const ports = transfer.filter((each) => !types.isArrayBuffer(each))
  const moved = structuredClone({ args, ports }, { transfer: transfer.filter((each) => !isGiven(each)) })
  // The runtime cannot move memory that is not its own, and has copied it.
  for (const each of transfer) if (types.isArrayBuffer(each) && !isDetached(each)) native.detach(each)
  return { args: moved.args, ports: ports.length > 0 ? new Set(moved.ports) : null }
}

/** Only an ArrayBuffer can be copied for several. */
function refuseMany(object, { crosses, listeners }) {
  const name = object?.constructor?.name ?? typeof object
  if (crosses && !(object instanceof MessagePort)) {
    throw refusal(`#<${name}> could not be moved: on a channel only ArrayBuffers and MessagePorts are.`)
  }
  if (crosses && !posts().canMove()) {
    throw refusal(
      `#<${name}> could not be moved: this runtime has no way for it on a channel. Send it with worker.postMessage().`,
    )
  }
  const count = listeners()
  if (count > 1) throw refusal(`#<${name}> could not be moved: the event has ${count} listeners.`)
}

module.exports = { move }
