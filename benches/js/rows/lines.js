'use strict'

// What a row reports: one line for each contestant that the bus is compared with.

const { race, summary } = require('../measure.js')

/**
 * Races the bus against others. A goal is `{ atMost }`, the bus's cost in theirs, or `{ atLeast }`, how many times
 * faster it has to be.
 */
async function compare(contestants, goals, settings) {
  const { bus, ...others } = await race(contestants, settings)
  return Object.entries(others).map(([against, theirs]) => {
    const goal = goals[against]
    const faster = goal.atLeast !== undefined
    // Round by round, because two neighbours in time share the machine's mood.
    const ratio = summary(theirs.map((time, round) => (faster ? time / bus[round] : bus[round] / time)))
    const met = isMet(goal, ratio.median)
    return { against, unit: 'ns per event', ours: summary(bus), theirs: summary(theirs), ratio, goal, met }
  })
}

/** A line about the bus alone; `theirs` only says what the machine does without it. */
function absolute({ against = null, unit, ours, theirs = null, goal }) {
  return { against, unit, ours, theirs, ratio: null, goal, met: isMet(goal, ours.median) }
}

function isMet({ atMost = Infinity, atLeast = -Infinity }, value) {
  return value <= atMost && value >= atLeast
}

module.exports = { compare, absolute }
