'use strict'

// Snapshots of EventEmitter's lists of listeners, which emissions share as long as a list does not change.

const { EventEmitter } = require('node:events')

/** Where a list keeps its snapshot. */
const SNAPSHOT = Symbol('snapshot')

/**
 * Returns a copy of a list that stays as it is, the same one as long as the list is the same. EventEmitter changes its
 * lists in place, and not only through the methods of a bus: `EventEmitter.prototype.on.call(bus, …)` does, too.
 */
function snapshotOf(list) {
  const known = list[SNAPSHOT]
  return known !== undefined && isSame(known, list) ? known : takeSnapshot(list)
}

/** Compares length and first element: some instrumentations write into a list by hand. */
const isSameAtAGlance = (snapshot, list) => snapshot.length === list.length && snapshot[0] === list[0]

const isSameThroughout = (snapshot, list) =>
  snapshot.length === list.length && snapshot.every((listener, index) => listener === list[index])

function takeSnapshot(list) {
  const snapshot = Array.from(list)
  if (Object.hasOwn(list, SNAPSHOT)) list[SNAPSHOT] = snapshot
  else if (Object.isExtensible(list))
    Object.defineProperties(list, { ...watching, [SNAPSHOT]: { value: snapshot, writable: true } })
  return snapshot
}

/** The methods by which EventEmitter changes a list: each lets go of its snapshot. A printed list does not show them. */
const watching = Object.fromEntries(
  ['push', 'unshift', 'pop', 'shift', 'splice'].map((name) => {
    const change = Array.prototype[name]
    function changed(...args) {
      this[SNAPSHOT] = undefined
      return Reflect.apply(change, this, args)
    }
    return [name, { value: changed, writable: true, configurable: true }]
  }),
)

/** Whether EventEmitter changes its lists by their own methods. Deno's takes those of Array.prototype. */
function changesAreSeen() {
  const emitter = new EventEmitter()
  const last = () => {}
  for (const listener of [() => {}, () => {}, last]) emitter.on('x', listener)
  const list = emitter._events.x
  takeSnapshot(list)
  emitter.off('x', last)
  return list.length === 3 || list[SNAPSHOT] === undefined
}

/** Decides, at the first question, how to answer it. */
let isSame = (snapshot, list) => {
  isSame = changesAreSeen() ? isSameAtAGlance : isSameThroughout
  return isSame(snapshot, list)
}

module.exports = { snapshotOf }
