'use strict'

// Adding and removing listeners: EventEmitter's own methods, with what a bus has to do around them. Emissions share
// EventEmitter's lists, listeners have options, and on a channel the engine is told of each.

const { EventEmitter } = require('node:events')
const { invalidArgValue } = require('./errors.js')
const { Registration } = require('./registration.js')
const { validateFunction, validateListenerOptions } = require('./validate.js')
const { ALL } = require('./withdrawals.js')

const { prototype } = EventEmitter

class Registrar {
  /** On a channel: the bus's place in it, and the group of listeners that name none. */
  membership = null
  group = undefined
  #bus
  #roster
  #dispatcher
  #changed

  /** @param {() => void} changed called when there may be `once` listeners, or none any more */
  constructor(bus, { roster, dispatcher, changed }) {
    this.#bus = bus
    this.#roster = roster
    this.#dispatcher = dispatcher
    this.#changed = changed
  }

  /** @param {'on' | 'addListener' | 'prependListener'} method EventEmitter's */
  add(method, event, listener, options) {
    if (options !== undefined || (this.membership !== null && !isNew(Registration.of(listener)))) {
      return this.#addWithOptions(event, listener, options === undefined ? {} : options, (stored) =>
        this.#add(method, event, stored),
      )
    }
    return this.#add(method, event, listener)
  }

  /** @param {'on' | 'prependListener'} method the bus's: as in EventEmitter, a subclass may have overridden it */
  addOnce(method, event, listener, options) {
    validateFunction(listener, 'listener')
    if (options !== undefined) validateListenerOptions(options)
    const once = { ...options, once: true }
    return this.#addWithOptions(event, listener, once, (stored) => this.#bus[method](event, stored))
  }

  #addWithOptions(event, listener, options, add) {
    validateFunction(listener, 'listener')
    validateListenerOptions(options)
    const { signal } = options
    const group = this.#groupOf(event, options.group)
    if (signal?.aborted) return this.#bus
    const registration = new Registration(this.#bus, event, listener, { ...options, group })
    if (signal !== undefined) registration.removeOn(signal, () => this.remove(event, registration.stored))
    return add(registration.stored)
  }

  #groupOf(event, group) {
    const isCarried = this.membership?.carries(event) ?? false
    if (typeof group === 'string' && !isCarried) {
      throw invalidArgValue('options.group', group, 'needs a bus with a channel, and an event that is a string')
    }
    // null is for no group, where the bus has one.
    return isCarried ? ((group === undefined ? this.group : group) ?? undefined) : undefined
  }

  #add(method, event, stored) {
    this.#roster.adding(event, stored)
    this.#changed()
    prototype[method].call(this.#bus, event, stored)
    if (this.membership !== null) this.membership.listen(Registration.of(stored), method === 'prependListener')
    return this.#bus
  }

  remove(event, listener) {
    const registration = this.#roster.find(event, listener)
    this.#roster.unshare(event)
    prototype.removeListener.call(this.#bus, event, listener)
    if (registration !== undefined) this.#roster.removed(event, registration)
    this.#changed()
    // A claimed listener is removed because it is about to be called.
    if (!registration?.claimed) this.#dispatcher.removed(event, listener)
    return this.#bus
  }

  /** @param {(string | symbol)[]} events none for all events, else the first */
  removeAll(events) {
    const gone = events.length === 0 ? Reflect.ownKeys(this.#bus._events) : events.slice(0, 1)
    const lists = gone.map((event) => [event, this.#roster.stored(event).map(Registration.of).filter(Boolean)])
    prototype.removeAllListeners.apply(this.#bus, events)
    for (const [event, registrations] of lists) {
      for (const registration of registrations) this.#roster.removed(event, registration)
    }
    this.#changed()
    this.#dispatcher.removed(events.length === 0 ? ALL : events[0], ALL)
    return this.#bus
  }
}

/** Made for a listener that is about to be added; one that was, got from `rawListeners()`, is a listener like others. */
function isNew(registration) {
  return registration !== undefined && !registration.added
}

module.exports = { Registrar }
