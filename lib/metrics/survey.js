'use strict'

// The numbers of a bus's whole channel, or of the bus alone if it has none, from all threads. No thread is asked for its
// own: the engine has them, and the memory in which each thread counts.

const { fromEngine } = require('../channel/names.js')
const { nameOf } = require('./tally.js')
const { FINISHED, STARTED } = require('./words.js')

/** The name of events that are not told apart. It is no name of one: those that are misspelt are not in parentheses. */
const OTHERS = '(others)'
const NO_FATES = Object.freeze([0, 0, 0, 0, 0, 0])

/**
 * @typedef {{ name: string | undefined, fates: number[], own: ArrayLike<number> }} EventSurvey `fates` as in `fates.rs`,
 * `own` as in `words.js`; `name` is undefined for all other events together
 * @typedef {object} ThreadSurvey
 * @property {number} threadId
 * @property {number} received events
 * @property {number} inFlight those of them that have not settled
 * @property {number} running those of them that have begun
 * @property {Map<string, number>} runningByEvent the same, by name
 * @property {number} queuedBytes
 * @property {number} maxQueued
 * @property {number} stalledFor milliseconds
 * @property {number} age of the thread in milliseconds, since its first event
 * @property {number | undefined} idle milliseconds of them; undefined where that is not known
 * @property {string[]} groups
 */

/**
 * @param {import('../local/tracker.js').Tracker} tracker
 * @returns {{ events: EventSurvey[], threads: ThreadSurvey[] }}
 */
function survey(tracker) {
  const channel = tracker.member?.survey() ?? null
  if (channel === null) return { events: ofBus(tracker), threads: [] }
  const events = channel.events.map((event) => ({ ...event, name: event.name && fromEngine(event.name) }))
  return { events, threads: byThread(channel.members) }
}

function ofBus({ tallies }) {
  const all = Array.from(tallies, ({ event, words }) => ({ name: nameOf(event), fates: NO_FATES, own: words }))
  return all.filter(({ name, own }) => name !== undefined || own.some((number) => number > 0))
}

/** Sums the numbers of the buses of each thread. */
function byThread(members) {
  const threads = new Map()
  for (const { thread, received, inFlight, bytes, most, own, running, groups, ...about } of members) {
    const of = threads.get(thread) ?? first(thread, about)
    threads.set(thread, of)
    of.received += received
    of.inFlight += inFlight
    // Either may have grown while the other one was read.
    of.running += Math.max(0, (own[STARTED] ?? 0) - (own[FINISHED] ?? 0))
    for (const { name, count } of running)
      addTo(of.runningByEvent, name === undefined ? OTHERS : fromEngine(name), count)
    of.queuedBytes += bytes
    of.maxQueued += most
    of.groups.push(...groups.map(fromEngine))
  }
  return [...threads.values()].sort((one, other) => one.threadId - other.threadId)
}

function addTo(counts, name, count) {
  counts.set(name, (counts.get(name) ?? 0) + count)
}

function first(thread, { age, idle, stalledFor }) {
  const sums = {
    received: 0,
    inFlight: 0,
    running: 0,
    runningByEvent: new Map(),
    queuedBytes: 0,
    maxQueued: 0,
    groups: [],
  }
  return { threadId: thread, ...sums, age, idle, stalledFor }
}

module.exports = { OTHERS, survey }
