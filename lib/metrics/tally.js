'use strict'

// The numbers of a bus's events, by name. A bus counts as many names apart as the engine does; events of further names are
// one number. So a program with ever new names of events does not grow by them.

const { ADDRESSED, ALL, COUNTS, COUNTS_HERE, EMITTED } = require('./words.js')

/** Number of names that a bus counts apart. */
const MOST_NAMES = 256
/** Number of names of events that nobody hears, as long as there are no more names than this. */
const MOST_UNHEARD = 64

/** Stands for all other names. */
const REST = Symbol('all other events')

/** The numbers of the events of one name. An emission holds on to those of the time when it was emitted. */
class Tally {
  /** Listeners that failed, and those of them that timed out, of events since the last reset. */
  failed = 0
  timedOut = 0

  /** @param {Float64Array} words see `words.js`: since the bus was made */
  constructor(tracker, event, words) {
    this.tracker = tracker
    this.event = event
    this.words = words
    this.emittedBefore = words[EMITTED]
    this.addressedBefore = words[ADDRESSED]
  }
}

/** The tallies of a bus. */
class Tallies {
  #tracker
  #recordsTiming
  #all = new Map()
  /** The tally of all events that are not told apart; null before the first. */
  #others = null

  constructor(tracker, recordsTiming) {
    this.#tracker = tracker
    this.#recordsTiming = recordsTiming
  }

  /** Returns the tally of an event. */
  of(event) {
    return this.#all.get(event) ?? this.#find(event, MOST_NAMES)
  }

  /** Returns the tally of an event that nobody hears. A name that is misspelt is told apart, thousands of names are not. */
  ofUnheard(event) {
    return this.#find(event, MOST_UNHEARD)
  }

  #find(event, most) {
    return this.#all.get(event) ?? (this.#all.size < most ? this.#add(event) : this.ofOthers())
  }

  /** Returns the tally of all events that are not told apart. */
  ofOthers() {
    this.#others ??= this.#make(REST)
    return this.#others
  }

  #add(event) {
    const tally = this.#make(event)
    this.#all.set(event, tally)
    return tally
  }

  #make(event) {
    return new Tally(this.#tracker, event, this.#allocate(nameOf(event)))
  }

  #allocate(name) {
    const { member } = this.#tracker
    if (member === null) return new Float64Array(this.#recordsTiming ? ALL : COUNTS_HERE)
    const length = this.#recordsTiming ? ALL : COUNTS
    const words = new Float64Array(new SharedArrayBuffer(8 * length))
    member.keepNumbers(name, words)
    return words
  }

  *[Symbol.iterator]() {
    yield* this.#all.values()
    if (this.#others !== null) yield this.#others
  }

  /** Begins new tallies for events from now on. Their words go on. */
  reset() {
    for (const [event, { words }] of this.#all) this.#all.set(event, new Tally(this.#tracker, event, words))
    if (this.#others !== null) this.#others = new Tally(this.#tracker, REST, this.#others.words)
  }
}

/** Returns the name of an event for people; undefined for that of all others. */
function nameOf(event) {
  return event === REST ? undefined : String(event)
}

module.exports = { Tallies, nameOf }
