'use strict'

// Abort signals with many things waiting on them: one listener per signal, however many emissions and
// registrations it bounds. EventTarget walks its whole list for each listener that is added.

/** @type {WeakMap<AbortSignal, Set<() => void>>} */
const waiting = new WeakMap()

/** Calls `callback` when the signal aborts. Returns what takes that back. */
function onAbort(signal, callback) {
  let callbacks = waiting.get(signal)
  if (callbacks === undefined) {
    callbacks = new Set()
    waiting.set(signal, callbacks)
  }
  // Added again it is still one.
  signal.addEventListener('abort', aborted, { once: true })
  callbacks.add(callback)
  return () => {
    if (callbacks.delete(callback) && callbacks.size === 0) signal.removeEventListener('abort', aborted)
  }
}

function aborted() {
  for (const callback of waiting.get(this)) {
    try {
      callback()
    } catch (error) {
      // As EventTarget does with a listener that throws: the others are told all the same.
      process.nextTick(() => {
        throw error
      })
    }
  }
}

module.exports = { onAbort }
