'use strict'

// Abort signals with many things waiting on them: one listener per signal, however many emissions and
// registrations it bounds. EventTarget walks its whole list for each listener that is added.

const { addAbortListener } = require('node:events')

/** @type {WeakMap<AbortSignal, { callbacks: Set<() => void>, stop: () => void }>} */
const watched = new WeakMap()

/** Calls `callback` when the signal aborts. Returns a function that takes that back. */
function onAbort(signal, callback) {
  const entry = watched.get(signal) ?? watch(signal)
  entry.callbacks.add(callback)
  return () => {
    if (entry.callbacks.delete(callback) && entry.callbacks.size === 0) entry.stop()
  }
}

function watch(signal) {
  const callbacks = new Set()
  const stopListening = listen(signal, () => {
    watched.delete(signal)
    for (const callback of callbacks) call(callback)
  })
  const stop = () => {
    watched.delete(signal)
    stopListening()
  }
  const entry = { callbacks, stop }
  watched.set(signal, entry)
  return entry
}

/** Listens to the abort, also where another listener of the signal stops the event for all that come after it. */
function listen(signal, aborted) {
  if (addAbortListener !== undefined) {
    const listening = addAbortListener(signal, aborted)
    return () => listening[Symbol.dispose]()
  }
  // The first releases of Node 20.
  signal.addEventListener('abort', aborted, { once: true })
  return () => signal.removeEventListener('abort', aborted)
}

function call(callback) {
  try {
    callback()
  } catch (error) {
    // As EventTarget does with a listener that throws: the others are told all the same.
    process.nextTick(() => {
      throw error
    })
  }
}

module.exports = { onAbort }
