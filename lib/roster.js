'use strict'

// The lists of listeners that EventEmitter keeps for a bus (`_events`), as emissions use them: shared instead of
// copied, and with `once` listeners claimed by the first emission that addresses them.

const outbox = require('./outbox.js')
const { Registration } = require('./registration.js')

class Roster {
  #bus
  #dispatcher
  /** Events that may have `once` listeners: only there is a list looked through at `emit`. */
  #onceEvents = new Set()
  /** The list that was copied last, and how many emissions there had been on this thread. */
  #copied = { list: undefined, emitted: 0 }

  constructor(bus, dispatcher) {
    this.#bus = bus
    this.#dispatcher = dispatcher
  }

  /** What EventEmitter has stored for an event, as a list. */
  stored(event) {
    return [this.#bus._events[event] ?? []].flat()
  }

  /** The stored listeners of an event that no earlier emission has claimed. */
  open(event) {
    return this.stored(event).filter((stored) => !Registration.of(stored)?.claimed)
  }

  /** What to call for a stored listener. A `once` listener is taken from all later emissions. */
  claim(stored) {
    const registration = Registration.of(stored)
    if (!registration?.once) return stored
    registration.claimed = true
    return registration.target
  }

  /** Which stored function EventEmitter removes for `listener`, if any: the one added last. */
  find(event, listener) {
    return this.stored(event).findLast((stored) => stored === listener || stored.listener === listener)
  }

  /** Whether any event has `once` listeners. */
  get hasOnce() {
    return this.#onceEvents.size > 0
  }

  hasOnceFor(event) {
    return this.#onceEvents.has(event)
  }

  /** A listener is about to be added. */
  adding(event, stored) {
    this.unshare(event)
    if (Registration.of(stored)?.once) this.#onceEvents.add(event)
  }

  /** A listener was removed. */
  removed(event, stored) {
    Registration.of(stored)?.removed()
    if (!this.#onceEvents.has(event)) return
    const left = this.stored(event).some((each) => Registration.of(each)?.once)
    if (!left) this.#onceEvents.delete(event)
  }

  /**
   * Queued emissions share the list that EventEmitter keeps for an event, and EventEmitter is about to change
   * it: gives it a copy. That one may be changed in place until the next emission, which may share it again.
   */
  unshare(event) {
    const list = this.#bus._events[event]
    if (typeof list !== 'object' || this.#dispatcher.pending === 0) return
    if (list === this.#copied.list && outbox.emitted === this.#copied.emitted) return
    const copy = list.slice()
    // EventEmitter's own marks: `warned`, and in newer Nodes a counter.
    if (list.warned) copy.warned = true
    for (const mark of Object.getOwnPropertySymbols(list)) copy[mark] = list[mark]
    this.#bus._events[event] = copy
    this.#copied = { list: copy, emitted: outbox.emitted }
  }
}

module.exports = { Roster }
