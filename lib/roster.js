'use strict'

// The lists of listeners that EventEmitter keeps for a bus (`_events`), as emissions use them: shared instead of
// copied, and with `once` listeners claimed by the first emission that addresses them.

const outbox = require('./outbox.js')
const { Registration, originalOf } = require('./registration.js')
const { keyOf } = require('./validate.js')

const NOBODY = Object.freeze([])

class Roster {
  #bus
  #dispatcher
  /** @type {Map<string | symbol, number>} how many special listeners an event has; only there is looked for them */
  #special = new Map()
  /** Some listener of this bus has or had options: only then is one looked for that is removed. */
  #hadOptions = false
  /** The list that was copied last, and how many emissions there had been on this thread. */
  #copied = { list: undefined, emitted: 0 }

  constructor(bus, dispatcher) {
    this.#bus = bus
    this.#dispatcher = dispatcher
  }

  /** What EventEmitter has stored for an event, as a list. Not to be changed. */
  stored(event) {
    const stored = this.#bus._events[event] ?? NOBODY
    return typeof stored === 'function' ? [stored] : stored
  }

  /** The stored listeners of an event that no earlier emission has claimed. */
  open(event) {
    return this.stored(event).filter((stored) => !Registration.of(stored)?.claimed)
  }

  /** What to call for a stored listener. A `once` listener is taken from all later emissions. */
  claim(stored) {
    const registration = Registration.of(stored)
    if (!registration?.once) return stored
    return registration.claim()
  }

  /** The registration that EventEmitter removes for `listener`, the one added last; undefined if it has no options. */
  find(event, listener) {
    if (!this.#hadOptions) return undefined
    const list = this.stored(event)
    const own = Registration.of(listener)
    if (own !== undefined && list.includes(listener)) return own
    return Registration.of(list.findLast((stored) => stored === listener || originalOf(stored) === listener))
  }

  /** Whether any event has listeners that are `once`, or of a group. */
  get hasAnySpecial() {
    return this.#special.size > 0
  }

  hasSpecial(event) {
    return this.#special.has(keyOf(event))
  }

  /** A listener is about to be added. */
  adding(event, stored) {
    this.unshare(event)
    const registration = Registration.of(stored)
    if (registration === undefined) return
    this.#hadOptions = true
    registration.added = true
    if (registration.isSpecial) this.#special.set(keyOf(event), (this.#special.get(keyOf(event)) ?? 0) + 1)
  }

  /** A listener with options was removed. */
  removed(event, registration) {
    if (!registration.remove()) return
    registration.membership?.unlisten(registration)
    if (!registration.isSpecial) return
    const key = keyOf(event)
    const left = this.#special.get(key) - 1
    if (left > 0) this.#special.set(key, left)
    else this.#special.delete(key)
  }

  /** Removes claimed listeners. `removeListener` listeners are told, and may throw: to the emitter, when all is done. */
  removeAll(event, listeners) {
    const thrown = []
    for (const listener of listeners) {
      try {
        this.#bus.removeListener(event, listener)
      } catch (error) {
        thrown.push(error)
      }
    }
    if (thrown.length > 0) throw thrown[0]
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
