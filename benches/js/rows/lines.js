'use strict'

// The report of a row: one line for each contestant that the bus is compared with.
//
// Every ratio points one way: how many times as fast as the other the bus is. More is better, below 1 the bus is slower.
// A goal is `{ atLeast }` for a ratio or a share, `{ atMost }` for a cost of the bus alone.

const DIFFERENCES = require('../differences.js')
const { race, summary } = require('../measure.js')
const { whySkipped } = require('../peers.js')

/** The line is only shown. */
const NO_GOAL = Object.freeze({})

/** How many nanoseconds one of a unit has. */
const NS_PER_EVENT = { unit: 'ns per event', ns: 1 }
const US_PER_EVENT = { unit: 'µs per event', ns: 1e3 }
const US_PER_TASK = { unit: 'µs per task', ns: 1e3 }
const MS_PER_BATCH = { unit: 'ms per batch', ns: 1e6 }
const MS = { unit: 'ms', ns: 1e6 }

/**
 * Races the bus against others.
 *
 * @param {Record<string, number>} goals how many times as fast as each the bus is to be, at least
 */
async function compare(contestants, goals, settings, scale = NS_PER_EVENT) {
  const { bus, ...others } = await race(contestants, settings)
  return compared(bus, others, goals, scale)
}

/** The lines of a race that is over. */
function compared(bus, others, goals, scale) {
  return Object.entries(others).map(([against, theirs]) => {
    const goal = against in goals ? { atLeast: goals[against] } : NO_GOAL
    const asFast = summary(ratios(theirs, bus))
    return { ...line(scale, bus, theirs, goal, asFast), ...named(against), ratioUnit: '×' }
  })
}

/**
 * As `compare`, with peers that may need a newer Node than this one: those are not opened, and named as skipped.
 *
 * @param {Record<string, () => object | Promise<object>>} peers opens the contestants
 */
async function compareWith(peers, contestants, goals, settings, scale = NS_PER_EVENT) {
  const opened = { ...contestants }
  for (const [name, open] of Object.entries(peers)) {
    if (whySkipped(name) === null) opened[name] = await open()
  }
  return [...(await compare(opened, goals, settings, scale)), ...skippedAmong(Object.keys(peers))]
}

/** A line for each that this Node cannot run. */
function skippedAmong(names) {
  return names.map((name) => ({ ...named(name), skipped: whySkipped(name) })).filter(({ skipped }) => skipped !== null)
}

/**
 * Races the bus against a `ceiling`, and others beside it: how many percent of its speed each reaches. The goal is the
 * bus's.
 */
async function shares({ bus, ceiling, ...others }, against, goal, settings, scale) {
  return shared(await race({ bus, ceiling, ...others }, settings), against, goal, scale)
}

/** The lines of a race that is over. */
function shared({ bus, ceiling, ...others }, against, goal, scale) {
  const share = (times) => summary(ratios(ceiling, times).map((ratio) => 100 * ratio))
  const first = { ...line(scale, bus, ceiling, goal, share(bus)), ...named(against), ratioUnit: ' %' }
  const beside = Object.entries(others).map(([name, times]) => ({
    ...line(scale, null, times, NO_GOAL, share(times)),
    ...named(against),
    what: `${name}, beside it`,
    ratioUnit: ' %',
  }))
  return [first, ...beside]
}

/** Races the bus against nobody. */
async function alone(contestant, settings, scale = NS_PER_EVENT) {
  const { bus } = await race({ bus: contestant }, settings)
  return [absolute({ unit: scale.unit, ours: shown(bus, scale), goal: NO_GOAL })]
}

/** A line about the bus alone; `theirs` only tells the machine's own value without it. */
function absolute({ against = null, unit, ours, theirs = null, goal = NO_GOAL }) {
  return { ...named(against), unit, ours, theirs, ratio: null, goal, met: isMet(goal, ours.median) }
}

/** The contestant that a line compares with, and the differences that it leaves out. */
function named(against) {
  return { against, differs: DIFFERENCES[against] ?? null }
}

function line(scale, bus, theirs, goal, ratio) {
  return {
    unit: scale.unit,
    ours: shown(bus, scale),
    theirs: shown(theirs, scale),
    ratio,
    goal,
    met: isMet(goal, ratio.median),
  }
}

/** Round by round, because two neighbours in time share the machine's mood. */
function ratios(times, others) {
  return times.map((time, round) => time / others[round])
}

function shown(times, { ns }) {
  return times === null ? null : summary(times.map((time) => time / ns))
}

/** Null where there is no goal. */
function isMet({ atMost, atLeast }, value) {
  if (atLeast !== undefined) return value >= atLeast
  return atMost === undefined ? null : value <= atMost
}

module.exports = {
  NO_GOAL,
  US_PER_EVENT,
  US_PER_TASK,
  MS_PER_BATCH,
  MS,
  compare,
  compared,
  compareWith,
  shares,
  shared,
  skippedAmong,
  alone,
  absolute,
}
