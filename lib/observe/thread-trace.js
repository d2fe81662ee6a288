'use strict'

// What this thread writes to the trace of the process, as Chrome's trace events: each emit, the wait of an event, the call of
// each listener, and the end of events that went to other threads. An arrow leads from each emit to the start of its
// listeners.
//
// It subscribes to the tracing channels. Beyond what they tell it hears of emits, and of the notes that come with events.
// Lines are collected, and written before each call of a listener and at the end of the turn. So the file has the call that a
// thread is stuck in, or was terminated in.

const { isMainThread, threadId } = require('node:worker_threads')
const { emissions, listeners } = require('../local/trace-channels.js')
const runQueue = require('../local/run-queue.js')
const { now } = require('../metrics/timed.js')
const native = require('../native.js')
const { NativePromise } = require('../promises.js')

/** Number of characters that are collected. */
const MOST_COLLECTED = 65_536
/** Part of the numbers of emits that is the thread's. */
const THREAD = 2 ** 32

/** Viewers take the thread 0 for an idle processor. */
const trackOf = (thread) => thread + 1

class ThreadTrace {
  #lastId = threadId * THREAD
  #lines = ''
  #count = 0
  #flushesSoon = false
  /** @type {WeakMap<object, { id: number, at: number }>} the emit of an emission, and of a message of the tracing channels */
  #emits = new WeakMap()
  /** @type {WeakMap<object, { id: number, at: number }>} calls of listeners, by their messages */
  #calls = new WeakMap()
  #ofEmissions = {
    start: (message) => message.elsewhere === undefined && this.#start(message),
    end: (message) => message.elsewhere === undefined && this.#add({ ph: 'E', ts: micros(now()) }),
    asyncEnd: (message) => this.#settled(message),
  }
  #ofListeners = {
    start: (message) => this.#call(message),
    end: (message) => this.#called(message),
    asyncEnd: (message) => this.#listenerSettled(message),
  }
  #exit = () => {
    this.flush()
    if (isMainThread) native.closeTrace(micros(now()))
    else native.leaveTrace(micros(now()))
  }

  begin() {
    runQueue.trace = this
    runQueue.hasWatchers = true
    native.joinTrace()
    for (const [channel, subscribers] of this.#channels()) {
      for (const [name, subscriber] of Object.entries(subscribers)) channel[name].subscribe(subscriber)
    }
    process.on('exit', this.#exit)
    const name = isMainThread ? 'main thread' : `thread ${threadId}`
    this.#add({ ph: 'M', name: 'process_name', args: { name: process.title } })
    this.#add({ ph: 'M', name: 'thread_name', args: { name } })
    this.#add({ ph: 'M', name: 'thread_sort_index', args: { sort_index: threadId } })
  }

  #end() {
    runQueue.trace = null
    for (const [channel, subscribers] of this.#channels()) {
      for (const [name, subscriber] of Object.entries(subscribers)) channel[name].unsubscribe(subscriber)
    }
    process.off('exit', this.#exit)
  }

  #channels() {
    return [
      [emissions, this.#ofEmissions],
      [listeners, this.#ofListeners],
    ]
  }

  /** Returns a number for an emit, another one than those of all threads. */
  nextId() {
    return ++this.#lastId
  }

  /** Notes the emit of an emission that was queued here. */
  queued(emission, { id, at }) {
    this.#emits.set(emission, { id, at })
  }

  /** Notes the emit of an emission that came from elsewhere, if it has told of it. */
  came(emission, note) {
    if (typeof note?.id === 'number' && note.id > 0) this.#emits.set(emission, { id: note.id, at: note.at })
  }

  /** Notes the emit of an event that went to other threads. */
  sent({ id, at }, message) {
    this.#emits.set(message, { id, at })
  }

  /** Notes which message is about an emission. */
  starts(emission, message) {
    const emit = this.#emits.get(emission)
    if (emit !== undefined) this.#emits.set(message, emit)
  }

  /** Writes an emit, once it is over. */
  emitted({ event, id, at, listeners: count }) {
    const args = { emit: id, listeners: count }
    this.#add({ ph: 'X', name: `emit ${String(event)}`, cat: 'emit', ts: micros(at), dur: micros(now() - at), args })
  }

  #start(message) {
    const [name, ts, emit] = [String(message.event), micros(now()), this.#emits.get(message)]
    if (emit !== undefined) {
      const id = this.nextId()
      const wait = { name: `${name} waits`, cat: 'wait', id }
      this.#add({ ph: 'b', ...wait, ts: micros(emit.at), args: { emit: emit.id } })
      this.#add({ ph: 'e', ...wait, ts })
      const arrow = { name: 'event', cat: 'event', id }
      this.#add({ ph: 's', ...arrow, ts: micros(emit.at), tid: trackOf(Math.floor(emit.id / THREAD)) })
      this.#add({ ph: 'B', name, cat: 'event', ts, args: { emit: emit.id } })
      this.#add({ ph: 'f', bp: 'e', ...arrow, ts })
    } else this.#add({ ph: 'B', name, cat: 'event', ts })
  }

  #settled(message) {
    const { event, result, error, elsewhere } = message
    const args = { emit: this.#emits.get(message)?.id, elsewhere, success: result?.success, failed: result?.failed }
    if (error !== undefined) args.error = textOf(error)
    this.#add({ ph: 'i', s: 't', name: `${String(event)} settled`, cat: 'settled', ts: micros(now()), args })
  }

  #call(message) {
    const at = now()
    this.#calls.set(message, { id: 0, at })
    this.#add({ ph: 'B', name: nameOf(message), cat: 'listener', ts: micros(at) })
    // It may hold its thread without end, and is the one that is looked for then.
    this.flush()
  }

  #called(message) {
    const args = 'error' in message ? { error: textOf(message.error) } : undefined
    this.#add({ ph: 'E', ts: micros(now()), args })
    const call = this.#calls.get(message)
    // Its promise is pending.
    if (call === undefined || 'result' in message || 'error' in message) return
    call.id = this.nextId()
    this.#add({ ph: 'b', ...asyncCall(message, call), ts: micros(call.at) })
  }

  #listenerSettled(message) {
    const call = this.#calls.get(message)
    if (call === undefined) return
    const args = 'error' in message ? { error: textOf(message.error) } : undefined
    this.#add({ ph: 'e', ...asyncCall(message, call), ts: micros(now()), args })
  }

  #add(event) {
    this.#count++
    if (!this.#flushesSoon) {
      this.#flushesSoon = true
      NativePromise.resolve().then(this.#flushOfTurn)
    }
    this.#lines += `${JSON.stringify({ pid: process.pid, tid: trackOf(threadId), ...event })},\n`
    if (this.#lines.length > MOST_COLLECTED) this.flush()
  }

  #flushOfTurn = () => {
    this.#flushesSoon = false
    this.flush()
  }

  /** Writes the lines that were collected. */
  flush() {
    if (this.#count === 0) return
    const isOpen = native.writeTrace(this.#lines, this.#count)
    this.#lines = ''
    this.#count = 0
    if (!isOpen && runQueue.trace === this) this.#end()
  }
}

function asyncCall(message, { id }) {
  return { name: `${nameOf(message)} runs`, cat: 'run', id }
}

function nameOf({ event, listener }) {
  return listener.name || `listener of ${String(event)}`
}

function textOf(error) {
  try {
    return String(error?.message ?? error)
  } catch {
    return 'an error that has no text'
  }
}

function micros(ms) {
  return Math.round(ms * 1e6) / 1e3
}

module.exports = { ThreadTrace }
