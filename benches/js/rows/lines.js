'use strict'

// What a row reports: one line for each contestant that the bus is compared with.
//
// A goal is `{ atMost }` or `{ atLeast }`; null instead of a number means that there is none, and the line is only shown.

const { race, summary } = require('../measure.js')

/** How many nanoseconds one of a unit has. */
const NS_PER_EVENT = { unit: 'ns per event', ns: 1 }
const US_PER_EVENT = { unit: 'µs per event', ns: 1e3 }
const US_PER_TASK = { unit: 'µs per task', ns: 1e3 }
const MS_PER_BATCH = { unit: 'ms per batch', ns: 1e6 }

/**
 * Races the bus against others. A goal is `{ atMost }`, the bus's cost in theirs, or `{ atLeast }`, how many times
 * faster it has to be.
 */
async function compare(contestants, goals, settings, scale = NS_PER_EVENT) {
  const { bus, ...others } = await race(contestants, settings)
  return Object.entries(others).map(([against, theirs]) => {
    const goal = goals[against]
    const ratio = summary(goal.atLeast === undefined ? ratios(bus, theirs) : ratios(theirs, bus))
    return { ...line(scale, bus, theirs, goal, ratio), against, ratioUnit: '×' }
  })
}

/**
 * Races the bus against a `ceiling`, and others beside it: how many percent of its speed each reaches. The goal is the
 * bus's.
 */
async function shares({ bus, ceiling, ...others }, against, goal, settings, scale) {
  const raced = await race({ bus, ceiling, ...others }, settings)
  const share = (times) => summary(ratios(raced.ceiling, times).map((ratio) => 100 * ratio))
  const first = { ...line(scale, raced.bus, raced.ceiling, goal, share(raced.bus)), against, ratioUnit: ' %' }
  const beside = Object.keys(others).map((name) => {
    const times = raced[name]
    return {
      ...line(scale, null, times, { atLeast: null }, share(times)),
      what: `${name}, beside it`,
      against,
      ratioUnit: ' %',
    }
  })
  return [first, ...beside]
}

/** Races the bus against nobody. */
async function alone(contestant, settings, scale = NS_PER_EVENT) {
  const { bus } = await race({ bus: contestant }, settings)
  return [absolute({ unit: scale.unit, ours: shown(bus, scale), goal: { atMost: null } })]
}

/** A line about the bus alone; `theirs` only says what the machine does without it. */
function absolute({ against = null, unit, ours, theirs = null, goal }) {
  return { against, unit, ours, theirs, ratio: null, goal, met: isMet(goal, ours.median) }
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
  if (atMost === null || atLeast === null) return null
  return atLeast === undefined ? value <= atMost : value >= atLeast
}

module.exports = { US_PER_EVENT, US_PER_TASK, MS_PER_BATCH, compare, shares, alone, absolute }
