'use strict'

// `once` and `on` of node:events for a bus: a promise of an event, and an iterator over events.
//
// Node's own settle in the moment in which a signal aborts, or `return()` or `throw()` is called. With a synchronous
// emitter every earlier event has arrived by then; here some may still be queued. So the listeners are removed at
// once, and Node's helper is told of the end only after all earlier events.

const events = require('node:events')
const { ParallelEventBus } = require('../bus.js')
const { afterQueued } = require('./marks.js')
const { lazily } = require('../lazily.js')

const aborting = lazily(() => require('../listeners/abort.js'))

/**
 * Resolves to the arguments of the next `event` of an emitter, as an array. Rejects with its next `error`, or with an
 * AbortError when `options.signal` aborts.
 */
async function once(emitter, event, options) {
  const signal = options?.signal
  // Without a signal, and with one that is refused or has aborted, there is nothing to hold back.
  if (!(emitter instanceof ParallelEventBus) || !isOpen(signal)) return events.once(emitter, event, options)
  const source = new Source(emitter)
  const end = new AbortController()
  const forget = aborting().onAbort(signal, () => source.end(() => end.abort(signal.reason)))
  try {
    return await events.once(source, event, withSignal(options, end.signal))
  } finally {
    forget()
    source.clear()
  }
}

/** Iterates over the arguments of each `event` of an emitter. The options are those of node:events. */
function on(emitter, event, options) {
  const signal = options?.signal
  if (!(emitter instanceof ParallelEventBus) || (signal !== undefined && !isOpen(signal))) {
    return events.on(emitter, event, options)
  }
  const source = new Source(emitter)
  const end = new AbortController()
  const iterator = source.whole(() =>
    events.on(source, event, signal === undefined ? options : withSignal(options, end.signal)),
  )
  if (signal !== undefined) {
    source.whenClear = aborting().onAbort(signal, () => source.end(() => end.abort(signal.reason)))
  }
  return patient(source, iterator)
}

/** Returns Node's iterator, which `return()` and `throw()` end only after all earlier events. */
function patient(source, iterator) {
  return Object.create(iterator, {
    return: method(() => new Promise((resolve) => source.end(() => resolve(iterator.return())))),
    throw: method((error) => {
      // Node's iterator throws for anything else.
      if (error instanceof Error) source.end(() => iterator.throw(error))
      else iterator.throw(error)
    }),
  })
}

/** The emitter that Node's helper sees: the listeners it adds to the bus can be removed without its help. */
class Source {
  /** Called when the helper has no listener any more. */
  whenClear = () => {}
  #bus
  #added = []

  constructor(bus) {
    this.#bus = bus
  }

  on(event, listener) {
    this.#bus.on(event, listener)
    this.#added.push({ event, listener })
  }

  once(event, listener) {
    this.#bus.once(event, listener)
    this.#added.push({ event, listener })
  }

  removeListener(event, listener) {
    this.#bus.removeListener(event, listener)
    this.#added = this.#added.filter((each) => each.event !== event || each.listener !== listener)
    if (this.#added.length === 0) this.whenClear()
  }

  // For the water marks. A bus has these only if a subclass gives it some.

  pause() {
    this.#bus.pause()
  }

  resume() {
    this.#bus.resume()
  }

  /** Calls `add`, which adds listeners: all or none. */
  whole(add) {
    try {
      return add()
    } catch (error) {
      this.clear()
      throw error
    }
  }

  /** Removes all listeners. */
  clear() {
    for (const { event, listener } of this.#added) this.removeListener(event, listener)
  }

  /** Removes all listeners, and calls `ended` when all earlier events have arrived. */
  end(ended) {
    this.clear()
    afterQueued(ended)
  }
}

/** Returns true for a signal that may abort later. */
function isOpen(signal) {
  return signal?.aborted === false && typeof signal.addEventListener === 'function'
}

function withSignal(options, signal) {
  return Object.create(options, { signal: { value: signal } })
}

function method(value) {
  return { value, configurable: true, writable: true }
}

module.exports = { once, on }
