'use strict'

// `ParallelEventBus.metrics(bus)`: the numbers of a survey, for people and programs.

const { whereIs } = require('../channel/foreign.js')
const { deliveredHere } = require('./statistics.js')
const { METRICS } = require('../pool/pool.js')
const { survey } = require('./survey.js')
const { timesOf } = require('./times.js')
const { CANCELLED, COUNTS, EMITTED, FAILED, RUN, TIMED_OUT, UNHEARD, WAIT } = require('./words.js')

/** @type {WeakMap<object, Map<number, object>>} the threads of the last report of a bus, by id */
const seenBy = new WeakMap()

/** @param {{ tracker: import('../local/tracker.js').Tracker, pools: Set }} state of a bus */
function report({ tracker, pools }) {
  tracker.countByName()
  const { events, threads } = survey(tracker)
  const named = events.filter(({ name }) => name !== undefined)
  return {
    channel: tracker.member?.channel,
    total: sum(events.map(countsOf)),
    events: byName(named),
    otherEvents: events.length > named.length ? sum(events.slice(named.length).map(countsOf)) : undefined,
    threads: withBusy(tracker, threads).map(threadOf),
    groups: groupsOf(threads),
    pools: Array.from(pools, (pool) => pool[METRICS]),
  }
}

function byName(events) {
  const metrics = Object.create(null)
  for (const { name, ...numbers } of events) metrics[name] = { ...countsOf(numbers), ...timesIn(numbers.own) }
  return metrics
}

/** Returns the counts of events, and of the listeners that they were addressed to. */
function countsOf({ own, fates }) {
  const word = (at) => own[at] ?? 0
  const [delivered, failed, timedOut, refused, lost, cancelled] = fates
  return {
    emitted: word(EMITTED),
    unheard: word(UNHEARD),
    delivered: delivered + (own.length > 0 ? deliveredHere(own) : 0),
    failed: failed + word(FAILED),
    timedOut: timedOut + word(TIMED_OUT),
    refused,
    lost,
    cancelled: cancelled + word(CANCELLED),
  }
}

function timesIn(own) {
  if (own.length <= COUNTS) return {}
  return { wait: timesOf(own, WAIT), run: timesOf(own, RUN) }
}

function threadOf({ threadId, received, inFlight, running, runningByEvent, queuedBytes, maxQueued, stalledFor, busy }) {
  const queued = Math.max(0, inFlight - running)
  return {
    ...whereIs(threadId),
    received,
    running,
    runningByEvent: counts(runningByEvent),
    queued,
    queuedBytes,
    maxQueued,
    busy,
    stalledFor,
  }
}

/** Returns an object for counts by name, which may be any. */
function counts(byName) {
  return Object.assign(Object.create(null), Object.fromEntries(byName))
}

/** Adds the share of time that each thread was busy since the last report of this bus, or since its first event. */
function withBusy(tracker, threads) {
  const before = seenBy.get(tracker)
  seenBy.set(tracker, new Map(threads.map((thread) => [thread.threadId, thread])))
  return threads.map((thread) => ({ ...thread, busy: busySince(thread, before?.get(thread.threadId)) }))
}

function busySince({ age, idle }, before = { age: 0, idle: 0 }) {
  if (idle === undefined) return undefined
  return Math.min(1, Math.max(0, 1 - (idle - before.idle) / Math.max(age - before.age, Number.MIN_VALUE)))
}

function groupsOf(threads) {
  const groups = Object.create(null)
  for (const { groups: names, inFlight, running, received } of threads) {
    for (const name of new Set(names)) {
      const before = groups[name] ?? { threads: 0, received: 0, running: 0, queued: 0 }
      const queued = Math.max(0, inFlight - running)
      groups[name] = sum([before, { threads: 1, received, running, queued }])
    }
  }
  return groups
}

function sum(all) {
  const [first, ...others] = all
  const total = { ...(first ?? countsOf({ own: [], fates: [0, 0, 0, 0, 0, 0] })) }
  for (const numbers of others) for (const key of Object.keys(total)) total[key] += numbers[key]
  return total
}

module.exports = { countsOf, report }
