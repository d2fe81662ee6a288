'use strict'

// The goals of a run: the goal, the measured value, and for a missed one the reason.

const Table = require('cli-table3')
const REASONS = require('./reasons.js')
const { digits, limit, verdict } = require('./table.js')

const COLUMNS = [
  ['goal', 70],
  ['at', 14],
  ['is', 24],
  ['', 8],
]

/**
 * @param {{ title: string, lines: object[] }[]} results
 * @returns {{ what: string, goal: string, value: string, met: boolean, reason: string | null }[]}
 */
function budget(results) {
  const withGoals = ({ met = null }) => met !== null
  return results.flatMap(({ title, lines }) => lines.filter(withGoals).map((line) => told(title, line)))
}

function told(title, { id, what, against, unit, ours, ratio, ratioUnit, goal, met }) {
  const measured = ratio ?? ours
  const measuredUnit = ratio === null ? ` ${unit}` : ratioUnit
  const spread = measured.rounds === 1 ? '' : ` (${digits(measured.p10)} – ${digits(measured.p90)})`
  return {
    // The titles of compared rows end in the name of the other.
    what: [title.replace(/, (beside|share of) .*/, ''), what, ...(against === null ? [] : [`against ${against}`])].join(
      ': ',
    ),
    goal: limit(goal, measuredUnit),
    value: `${digits(measured.median)}${measuredUnit}${spread}`,
    met,
    reason: met ? null : (REASONS[id] ?? null),
  }
}

function renderBudget(goals, { colour }) {
  const table = new Table({
    head: COLUMNS.map(([name]) => name),
    colWidths: COLUMNS.map(([, width]) => width),
    wordWrap: true,
    style: { head: colour ? ['bold'] : [], border: colour ? ['grey'] : [] },
  })
  for (const { what, goal, value, met, reason } of goals) {
    const told = met ? what : `${what}\n→ ${reason ?? 'No reason is given yet: benches/js/reasons.js.'}`
    table.push([told, goal, value, verdict(met, colour)])
  }
  const missed = goals.filter(({ met }) => !met).length
  return `${table}\n${goals.length - missed} goals met, ${missed} missed.`
}

module.exports = { budget, renderBudget }
