'use strict'

// The results as a table for people.

const Table = require('cli-table3')

const COLUMNS = [
  ['row', 40],
  ['ours', 20],
  ['theirs', 20],
  ['ratio', 20],
  ['goal', 8],
  ['', 8],
]
/**
 * @param {{ title: string, note: string, lines: object[] }[]} groups
 * @param {{ colour: boolean }} options
 */
function render(groups, { colour }) {
  const table = new Table({
    head: COLUMNS.map(([name]) => name),
    colWidths: COLUMNS.map(([, width]) => width),
    wordWrap: true,
    style: { head: colour ? ['bold'] : [], border: colour ? ['grey'] : [] },
  })
  for (const { title, note, lines } of groups) {
    table.push([{ colSpan: COLUMNS.length, content: `${title}\n${note}` }])
    for (const line of lines) table.push(line.error === undefined ? cells(line, colour) : failed(line, colour))
  }
  return table.toString()
}

function cells({ what, against, unit, ours, theirs, ratio, ratioUnit, goal, met }, colour) {
  const name = against === null ? what : `${what}\nagainst ${against}`
  const goalUnit = ratio === null ? '' : ratioUnit
  return [
    name,
    amount(ours, ` ${unit}`),
    amount(theirs, ` ${unit}`),
    amount(ratio, ratioUnit),
    limit(goal, goalUnit),
    verdict(met, colour),
  ]
}

function failed({ what, error }, colour) {
  return [what, { colSpan: COLUMNS.length - 1, content: paint(error, 'red', colour) }]
}

/** Median, with the p10–p90 spread below it if it was measured more than once. */
function amount(values, unit) {
  if (values === null) return '–'
  const { median, p10, p90, rounds } = values
  const spread = rounds === 1 ? '' : `\n${digits(p10)} – ${digits(p90)}`
  return `${digits(median)}${unit}${spread}`
}

function limit({ atMost, atLeast }, unit) {
  const value = atMost ?? atLeast ?? null
  if (value === null) return '–'
  return `${atLeast === undefined ? '≤' : '≥'} ${value}${unit}`
}

/** Nothing where there is no goal. */
function verdict(met, colour) {
  if (met === null) return ''
  return met ? paint('met', 'green', colour) : paint('missed', 'red', colour)
}

/** Three digits that count. */
function digits(value) {
  return Math.abs(value) >= 100 ? value.toFixed(0) : value.toFixed(Math.abs(value) >= 10 ? 1 : 2)
}

const COLOURS = { red: 31, green: 32 }

function paint(text, name, colour) {
  return colour ? `\x1b[${COLOURS[name]}m${text}\x1b[0m` : text
}

module.exports = { render }
