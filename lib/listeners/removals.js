'use strict'

// The changes of listeners that are made inside a listener, and the queued emissions that they hold for.
//
// With a synchronous emitter, a listener that removes another one while event 1 is delivered also keeps it from
// event 2, because event 2 has not been emitted yet. One that it adds in its place gets event 2. Here event 2 may be
// queued already, with its list of listeners. So such changes are noted, and applied to queued emissions when they
// start. A listener that is removed and added again was never away. Another one that was added takes the place of one
// that was removed; an emission that lost none gets none in addition.
//
// This concerns only emissions that a synchronous emitter would have delivered later. An emission made *by* a listener is
// delivered within that listener there, so its place in the order is that of the emission the listener was called for:
// its rank. A change holds for emissions of the same or a later rank that were queued before the emission of the
// listener that made it was started.
//
// Notes are held by the listeners themselves, so a note goes with the last reference to its listener.

const runQueue = require('../local/run-queue.js')
const { keyOf } = require('../validate.js')
const { originalOf } = require('./registration.js')

/** A change inside a listener, for emissions of `rank` and later ones, up to the one with the number `upTo`. */
class Change {
  constructor(registration) {
    this.rank = runQueue.current.rank
    this.upTo = runQueue.emittedBefore
    this.registration = registration
  }

  holdsFor(rank, number) {
    return rank >= this.rank && number <= this.upTo
  }
}

/** The changes of one listener of one event that have not cancelled each other: all removals, or all additions. */
class Changes {
  #removals = []
  #additions = []

  /** Returns the removal that an addition makes good, if there is one. */
  add() {
    const undone = this.#removals.pop()
    if (undone === undefined) push(this.#additions, new Change())
    return undone
  }

  remove(registration) {
    if (this.#additions.pop() === undefined) push(this.#removals, new Change(registration))
  }

  /** Number of the last emission that any of them concerns. */
  get upTo() {
    return Math.max(this.#removals.at(-1)?.upTo ?? 0, this.#additions.at(-1)?.upTo ?? 0)
  }

  /** Returns true if so many removals hold for an emission. */
  hasRemovals(least, rank, number) {
    return has(least, this.#removals, rank, number)
  }

  /** Returns true if an addition holds for an emission. */
  hasAddition(rank, number) {
    return has(1, this.#additions, rank, number)
  }
}

/** Adds a change. They are in the order of their `upTo`: the first ones go when their time is past. */
function push(changes, change) {
  let past = 0
  while (past < changes.length && changes[past].upTo < runQueue.started) past++
  if (past > 0) changes.splice(0, past)
  changes.push(change)
}

function has(least, changes, rank, number) {
  let left = least
  for (const change of changes) if (change.holdsFor(rank, number) && --left === 0) return true
  return false
}

const NONE = new Changes()
const NOBODY = Object.freeze([])

class Removals {
  /** @type {WeakMap<Function, Map<string | symbol, Changes>>} by listener, then by event */
  #changes = new WeakMap()
  /** Numbers on this thread of the last emission that any change here concerns, and of the last that all concern. */
  #upTo = 0
  #allUpTo = Number.POSITIVE_INFINITY
  /** Rank from which on emissions have to heed all changes. */
  #rank = 0
  /** The last result of `remaining`. Emissions in a row often share a list of listeners, so one result serves many. */
  #last = null

  /** Notes that a listener removed another one, or itself. On a channel the removed one has a registration. */
  removed(event, listener, registration) {
    this.#note(event, listener).remove(registration)
  }

  /** Notes that a listener added another one. Returns the removal that this makes good, if there is one. */
  added(event, listener) {
    return this.#note(event, listener).add()
  }

  #note(event, listener) {
    const { emittedBefore, current } = runQueue
    if (this.isPast) {
      this.#allUpTo = Number.POSITIVE_INFINITY
      this.#rank = 0
    }
    this.#upTo = emittedBefore
    this.#allUpTo = Math.min(this.#allUpTo, emittedBefore)
    this.#rank = Math.max(this.#rank, current.rank)
    this.#last = null
    let events = this.#changes.get(listener)
    if (events === undefined) {
      events = new Map()
      this.#changes.set(listener, events)
    }
    const key = keyOf(event)
    const changes = events.get(key) ?? new Changes()
    // In the order of the last note, so that the first ones are past first.
    events.delete(key)
    for (const [past, { upTo }] of events) {
      if (upTo >= runQueue.started) break
      events.delete(past)
    }
    events.set(key, changes)
    return changes
  }

  /** True if no note concerns the emission that is being started or any later one. */
  get isPast() {
    return runQueue.started > this.#upTo
  }

  /**
   * Returns, for an emission that is being started, the listeners that are left, in the same list where all are, and the
   * `registered` ones that take the place of others.
   *
   * @param {{ event: string | symbol, listeners: Function | Function[], rank: number }} emission
   * @param {() => readonly Function[]} registered
   * @returns {{ left: Function | Function[], added: Function[] }}
   */
  remaining({ event, listeners, rank }, registered) {
    const number = runQueue.started
    // Then the result is the same for the next one.
    const heedsAll = rank >= this.#rank && number <= this.#allUpTo
    const known = this.#last
    if (known !== null && heedsAll && known.event === event && known.listeners === listeners) return known
    const changesOf = (listener) => this.#changes.get(listener)?.get(keyOf(event)) ?? NONE
    const left = without(listeners, (listener, times) => changesOf(listener).hasRemovals(times, rank, number))
    const isAdded = (stored) => changesOf(originalOf(stored)).hasAddition(rank, number)
    // No more than were removed: an event reaches at most as many listeners as it was addressed to.
    const room = lengthOf(listeners) - lengthOf(left)
    const added = room === 0 ? NOBODY : registered().filter(isAdded).slice(0, room)
    const result = { event, listeners, left, added }
    // The first emission takes a listener that was added once.
    this.#last = heedsAll && added.length === 0 ? result : null
    return result
  }
}

function lengthOf(listeners) {
  return typeof listeners === 'function' ? 1 : listeners.length
}

/** @param {(listener: Function, times: number) => boolean} isRemoved true if a listener was removed so many times */
function without(listeners, isRemoved) {
  const stay = typeof listeners === 'function' ? [listeners] : listeners.slice()
  const removed = new Map()
  // Of several equal ones the one added last goes first, as in EventEmitter.
  for (let index = stay.length - 1; index >= 0; index--) {
    const original = originalOf(stay[index])
    const times = (removed.get(original) ?? 0) + 1
    if (!isRemoved(original, times)) continue
    removed.set(original, times)
    stay[index] = undefined
  }
  return removed.size === 0 ? listeners : stay.filter((each) => each !== undefined)
}

module.exports = { Removals }
