'use strict'

// The listeners of a bus: EventEmitter's own lists and methods, with a bus's work around them. Emissions use the lists
// as snapshots, listeners have options, and on a channel the engine is told of each.
//
// Adding and removing are all or nothing, also where a `newListener` or `removeListener` handler throws: the notes here
// follow EventEmitter's lists.

const { EventEmitter } = require('node:events')
const { invalidArgValue } = require('../errors.js')
const runQueue = require('../local/run-queue.js')
const { Registration, isRemovedBy, originalOf } = require('./registration.js')
const { snapshotOf } = require('./snapshot.js')
const { keyOf, optionsIn, validateListener, validateListenerOptions } = require('../validate.js')

const { prototype } = EventEmitter

const NOBODY = Object.freeze([])

class Listeners {
  /** On a channel: the bus's place in it, and the group of listeners that name none. */
  member = null
  group = undefined
  /** The gate that listeners of that group share, unless they have one of their own; or undefined. */
  gate = undefined
  #bus
  #tracker
  #changed
  /** @type {Map<string | symbol, number>} number of replaced listeners by event; only there is looked for them */
  #special = new Map()
  /** Number of listeners that get a context. */
  #contexts = 0
  /** True if some listener of this bus has or had options. Only then is a removed one looked for. */
  #hadOptions = false

  /** @param {() => void} changed called when the first special listener may have come, or the last one gone */
  constructor(bus, tracker, changed) {
    this.#bus = bus
    this.#tracker = tracker
    this.#changed = changed
  }

  // Asking

  /** Returns EventEmitter's entry for an event: a function, or a snapshot of its list; undefined without listeners. */
  get(event) {
    const stored = this.#bus._events?.[event]
    return typeof stored === 'object' ? snapshotOf(stored) : stored
  }

  /** Returns the same as a list. */
  stored(event) {
    const stored = this.get(event) ?? NOBODY
    return typeof stored === 'function' ? [stored] : stored
  }

  /** Returns the stored listeners of an event that no earlier emission has claimed. */
  open(event) {
    return this.stored(event).filter((stored) => !Registration.of(stored)?.claimed)
  }

  /** Returns the function to call for a stored listener. A `once` listener is taken from all later emissions. */
  claim(stored) {
    const registration = Registration.of(stored)
    if (registration?.once) return registration.claim()
    return registration === undefined || registration.target === registration.within ? stored : registration.target
  }

  /** Returns the stored listeners of an event that may take the place of others in a queued emission. */
  replacements(event) {
    const open = this.open(event)
    // On a channel the engine assigns the others.
    return this.member === null ? open : open.filter((stored) => !Registration.of(stored)?.isSpecial)
  }

  /** Claims a stored listener for an event that is queued, and returns the function to call. */
  take(event, stored) {
    const called = this.claim(stored)
    if (Registration.of(stored)?.once) this.removeQuietly(event, [stored])
    return called
  }

  /** True if any event has listeners that are `once`, of a group, or have a `concurrency`. */
  get hasAnySpecial() {
    return this.#special.size > 0
  }

  hasSpecial(event) {
    return this.#special.has(keyOf(event))
  }

  /** True if a listener of an event may get a context. */
  mayHaveContext(event) {
    return this.#contexts > 0 && this.hasSpecial(event)
  }

  // Adding

  /** @param {'addListener' | 'prependListener'} method EventEmitter's */
  add(method, event, listener, third) {
    const options = optionsIn(third)
    const registration = Registration.of(listener)
    const isPlain = options === undefined && registration === undefined && this.member === null
    // A new registration was made for this call.
    if (isPlain || registration?.isNew) this.#add(method, event, listener)
    else this.#addWithOptions(event, listener, options, (stored) => this.#add(method, event, stored))
  }

  /** @param {(stored: Function) => void} add the bus's own method: as in EventEmitter, a subclass may have overridden it */
  addOnce(event, listener, third, add) {
    this.#addWithOptions(event, listener, { ...optionsIn(third), once: true }, add)
  }

  #addWithOptions(event, listener, options, add) {
    validateListener(listener)
    if (options !== undefined) validateListenerOptions(options)
    const registration = this.#registrationFor(event, listener, options)
    const { signal, stored } = registration
    if (signal?.aborted) return
    registration.hold(() => this.remove(event, stored))
    try {
      add(stored)
    } finally {
      if (!registration.added) registration.letGo()
    }
    // A handler of `newListener` may have aborted the signal before there was a listener to remove.
    if (signal?.aborted) this.remove(event, stored)
  }

  /** Returns a new registration. A function that `rawListeners()` has shown keeps its first options. */
  #registrationFor(event, listener, options) {
    const before = Registration.of(listener)
    if (before === undefined) return new Registration(this.#bus, event, listener, this.#withGroup(event, options))
    if (options === undefined && before.isFreeFor(this.#bus, event)) return before.renewed()
    const { once, timeout, signal, group, concurrency, context } = before
    const known = {
      once,
      timeout,
      signal,
      concurrency,
      context,
      group: this.member?.carries(event) ? group : undefined,
    }
    const all = this.#withGroup(event, { ...known, ...options })
    return new Registration(this.#bus, event, before.listener, all, listener)
  }

  #withGroup(event, options = {}) {
    const isCarried = this.member?.carries(event) ?? false
    const { group } = options
    if (typeof group === 'string' && !isCarried) {
      throw invalidArgValue('options.group', group, 'needs a bus with a channel, and an event that is a string')
    }
    // null is for no group, where the bus has one.
    const of = isCarried ? ((group === undefined ? this.group : group) ?? undefined) : undefined
    return { ...options, group: of, shared: of === undefined || of !== this.group ? undefined : this.gate }
  }

  #add(method, event, stored) {
    const isFirst = method === 'prependListener'
    try {
      prototype[method].call(this.#bus, event, stored)
    } finally {
      // EventEmitter has it also when its warning of too many listeners failed.
      if (edgeOf(this.#bus._events?.[event], isFirst) === stored) this.#added(event, stored, isFirst)
    }
  }

  #added(event, stored, isFirst) {
    if (this.#tracker.closed) this.#tracker.reporter.addedToClosed(event)
    const registration = Registration.of(stored)
    if (registration !== undefined) {
      this.#hadOptions = true
      this.member?.listen(registration, isFirst)
      registration.wasAdded()
      if (registration.context) this.#contexts++
      if (registration.isReplaced) this.#countSpecial(event, 1)
    }
    const undone = this.#tracker.changes()?.added(event, originalOf(stored))
    undone?.registration?.isBack()
  }

  /** Adds a `once` listener again that an event has claimed and did not reach. */
  restore(registration) {
    if (!registration?.claimed || registration.added || this.#tracker.closed) return
    const { event, stored } = registration
    this.#tracker.reporter.guardHandler('newListener', event, stored, () => this.add('addListener', event, stored))
  }

  // Removing

  remove(event, listener) {
    const stored = this.#hadOptions || runQueue.current !== null ? this.#find(event, listener) : undefined
    const isAlias = stored !== undefined && Registration.of(stored)?.alias === listener
    try {
      prototype.removeListener.call(this.#bus, event, isAlias ? stored : listener)
    } finally {
      if (stored !== undefined) this.#removed(event, stored)
      // It may be a `once` listener that a queued event has claimed.
      else if (typeof listener === 'function') this.#tracker.changes()?.removed(event, originalOf(listener))
    }
  }

  /** Returns the function that EventEmitter removes for `listener`: of several, the one added last. */
  #find(event, listener) {
    const stored = this.#bus._events?.[event] ?? NOBODY
    const list = typeof stored === 'function' ? [stored] : stored
    return (
      list.findLast((stored) => isRemovedBy(stored, listener)) ??
      list.findLast((stored) => Registration.of(stored)?.alias === listener)
    )
  }

  #removed(event, stored) {
    const registration = Registration.of(stored)
    if (registration !== undefined && !this.#letGo(event, registration)) return
    registration?.wasRemoved()
    // A claimed listener is removed because it is about to be called.
    if (!registration?.claimed) this.#tracker.changes()?.removed(event, originalOf(stored), registration)
  }

  /** Lets go of a registration. Returns false where that was done before. */
  #letGo(event, registration) {
    if (!registration.added) return false
    registration.added = false
    registration.letGo()
    if (registration.member !== null) registration.member.unlisten(registration)
    if (registration.context) this.#contexts--
    if (registration.isReplaced) this.#countSpecial(event, -1)
    return true
  }

  /**
   * Removes claimed listeners, by the bus's own method as EventEmitter does. Handlers of `removeListener` are told, and may
   * throw: to the emitter, when all is done.
   */
  removeClaimed(event, listeners) {
    const thrown = []
    for (const listener of this.#inOrderOfRemoval(listeners)) {
      try {
        this.#removeClaimedOne(event, listener)
      } catch (error) {
        thrown.push(error)
      }
    }
    if (thrown.length > 0) throw thrown[0]
  }

  /** Removes claimed listeners where there is no emitter to throw to. */
  removeQuietly(event, listeners) {
    for (const stored of this.#inOrderOfRemoval(listeners)) {
      this.#tracker.reporter.guardHandler('removeListener', event, stored, () => this.#removeClaimedOne(event, stored))
    }
  }

  /** EventEmitter looks for a listener from the end of its list: backwards, it finds each of thousands at once. */
  #inOrderOfRemoval(listeners) {
    const isHeard = this.#bus._events?.removeListener !== undefined
    return isHeard || listeners.length === 1 ? listeners : listeners.toReversed()
  }

  #removeClaimedOne(event, listener) {
    try {
      this.#bus.removeListener(event, listener)
    } finally {
      // An overriding method may have gone another way.
      this.#letGo(event, Registration.of(listener))
    }
  }

  /** @param {(string | symbol)[]} events empty for all events, else the first one counts */
  removeAll(events) {
    const gone = events.length === 0 ? this.#names() : events.slice(0, 1)
    const lists = gone.map((event) => [event, this.stored(event)])
    // Then EventEmitter removes one after the other, by the bus's own method.
    const isOneByOne = this.#bus._events?.removeListener !== undefined
    try {
      prototype.removeAllListeners.apply(this.#bus, events)
    } finally {
      for (const [event, list] of lists) {
        const left = isOneByOne ? new Set(this.stored(event)) : undefined
        for (const stored of list) {
          if (!isOneByOne || (Registration.of(stored) !== undefined && !left.has(stored))) this.#removed(event, stored)
        }
      }
    }
  }

  /** Removes every listener. Errors of `removeListener` handlers are reported. */
  clear() {
    if (this.#bus._events?.removeListener === undefined) {
      this.removeAll([])
      return
    }
    // These hear of all others.
    const names = this.#names().filter((event) => event !== 'removeListener')
    for (const event of [...names, 'removeListener']) {
      for (const stored of this.stored(event).toReversed()) {
        this.#tracker.reporter.guardHandler('removeListener', event, stored, () => this.remove(event, stored))
      }
    }
  }

  #names() {
    return Reflect.ownKeys(this.#bus._events ?? {})
  }

  #countSpecial(event, change) {
    const key = keyOf(event)
    const count = (this.#special.get(key) ?? 0) + change
    if (count > 0) this.#special.set(key, count)
    else this.#special.delete(key)
    this.#changed()
  }
}

/** Returns the first or the last function of EventEmitter's entry for an event. */
function edgeOf(stored, isFirst) {
  return typeof stored === 'object' ? stored.at(isFirst ? 0 : -1) : stored
}

module.exports = { Listeners }
