'use strict'

// The shared notes of all threads of a round, in memory that outlives each of them: how often things happened, and the
// things that may be started but once.

/** Events and buses of a round, which is over when it has had that many. */
const MOST_EVENTS = 2 ** 21
const MOST_BUSES = 2 ** 12
/** Number of steps that a thread may begin before it looks again whether the round is over. */
const MARGIN = { events: 2 ** 16, buses: 64 }

const COUNTS = [
  'over',
  'violations',
  'events',
  'buses',
  'threads',
  'exits',
  'promises',
  'heard',
  'timeouts',
  'aborts',
  'refused',
  'lost',
  'pools',
  'teardowns',
]

class Ledger {
  #counts
  #callsOf
  #starts

  /** @param {SharedArrayBuffer} memory that of another thread's ledger */
  constructor(memory = new SharedArrayBuffer(4 * (COUNTS.length + MOST_BUSES) + MOST_EVENTS)) {
    this.memory = memory
    this.#counts = new Int32Array(memory, 0, COUNTS.length)
    this.#callsOf = new Int32Array(memory, 4 * COUNTS.length, MOST_BUSES)
    this.#starts = new Uint8Array(memory, 4 * (COUNTS.length + MOST_BUSES), MOST_EVENTS)
  }

  get(name) {
    return Atomics.load(this.#counts, COUNTS.indexOf(name))
  }

  /** Adds to a number. Returns its value from before: the next number, where things are numbered. */
  add(name, count = 1) {
    return Atomics.add(this.#counts, COUNTS.indexOf(name), count)
  }

  /** Whether no thread is to begin anything new. */
  get isOver() {
    const isFull = this.get('events') > MOST_EVENTS - MARGIN.events || this.get('buses') > MOST_BUSES - MARGIN.buses
    return isFull || this.get('over') > 0
  }

  /** Returns false if this event, which is for one listener, was started before. */
  startOnce(event) {
    return Atomics.add(this.#starts, event, 1) === 0
  }

  /** A listener was called with an event of this bus. */
  called(bus) {
    Atomics.add(this.#callsOf, bus, 1)
  }

  callsOf(bus) {
    return Atomics.load(this.#callsOf, bus)
  }

  /** All counts by name. */
  get counts() {
    return Object.fromEntries(COUNTS.map((name) => [name, this.get(name)]))
  }

  /** For the next round. */
  clear() {
    new Uint8Array(this.memory).fill(0)
  }
}

module.exports = { Ledger }
