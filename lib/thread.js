'use strict'

// This thread's outbox and its drain: one FIFO of emissions for all buses of the thread.
//
// The first emission in an empty outbox asks the engine for one wake; the engine's threadsafe function then
// calls the drain from the event loop. That is one crossing into Rust for a burst of any length. A drain is
// bounded, in emissions and in time, and goes on in the next turn, so that timers and I/O get theirs.

const { performance } = require('node:perf_hooks')
const { setImmediate } = require('node:timers')
const native = require('../native.js')

/** Emissions started in one turn of the event loop, at most. */
const TURN_EMISSIONS = 1024
/** How long a turn may take before it gives way, and after how many emissions the clock is read. */
const TURN_MS = 4
const CLOCK_EVERY = 16
/** Emissions that listeners may add while the process exits; more is taken for an endless exchange. */
const EXIT_EXTRA = 10_000

// The outbox is a list linked through `emission.next`.
let head = null
let tail = null
let emitted = 0
let started = 0

/** A drain is on its way or running: nobody needs to ask for one. */
let scheduled = false
/** The emission whose listeners are being started, or null. */
let current = null
/** How many emissions there had been when `current` was started. */
let emittedBeforeCurrent = 0
/** The process is in its `exit` event: no event loop will call a drain any more. */
let exiting = false
/** Names this thread to the engine, from its first emission on. */
let handle = 0

/** Queues an emission. It starts in a later turn, after all that were queued before. */
function push(emission) {
  emitted++
  // What a listener emits has the rank of the emission it was called for. See `withdrawals.js`.
  emission.rank = current === null ? emitted : current.rank
  if (tail === null) head = emission
  else tail.next = emission
  tail = emission
  if (!scheduled) schedule()
}

function schedule() {
  scheduled = true
  if (exiting) return flush()
  if (handle === 0) {
    handle = native.attach(drain)
    process.on('exit', onExit)
  }
  native.wake(handle)
}

function startNext() {
  const emission = head
  head = emission.next
  if (head === null) tail = null
  // A listener may hold on to its emission for long; it must not hold all later ones with it.
  emission.next = null
  const outer = current
  current = emission
  emittedBeforeCurrent = emitted
  started++
  emission.runInAsyncScope(emission.start, emission)
  current = outer
}

/** Called by the engine after a wake, and by itself for what is left. Never throws: listeners are isolated. */
function drain() {
  const end = performance.now() + TURN_MS
  for (let turn = 1; head !== null; turn++) {
    startNext()
    if (turn === TURN_EMISSIONS || (turn % CLOCK_EVERY === 0 && performance.now() > end)) break
  }
  if (head === null) scheduled = false
  else setImmediate(drain)
}

/**
 * `process.exit()` right after an emit would lose the event, where EventEmitter would have delivered it. So
 * what is queued is started in the `exit` event, and what exit handlers emit is started at once.
 */
function onExit() {
  exiting = true
  flush()
}

function flush() {
  scheduled = true
  for (let left = emitted - started + EXIT_EXTRA; head !== null && left > 0; left--) startNext()
  scheduled = false
}

/** The emission whose listeners are being started right now, or null. */
function currentEmission() {
  return current
}

/** How many emissions were queued, on this thread, before the current one was started. */
function emittedBefore() {
  return emittedBeforeCurrent
}

/** How many emissions have been started on this thread; the current one is the latest. */
function startedCount() {
  return started
}

/** Whether any emission waits. */
function isEmpty() {
  return head === null
}

module.exports = { push, currentEmission, emittedBefore, startedCount, isEmpty }
