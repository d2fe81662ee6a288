'use strict'

// The results as a table for people.

const Table = require('cli-table3')

const COLUMNS = [
  ['row', 54],
  ['ours', 20],
  ['theirs', 20],
  ['as fast', 20],
  ['goal', 10],
  ['', 8],
]

/**
 * @param {{ title: string, note: string, payload?: string, lines: object[] }[]} groups
 * @param {{ colour: boolean }} options
 */
function render(groups, { colour }) {
  const table = new Table({
    head: COLUMNS.map(([name]) => name),
    colWidths: COLUMNS.map(([, width]) => width),
    wordWrap: true,
    style: { head: colour ? ['bold'] : [], border: colour ? ['grey'] : [] },
  })
  for (const { title, note, payload, lines } of groups) {
    const carried = payload === undefined ? [] : [`Payload: ${payload}.`]
    table.push([{ colSpan: COLUMNS.length, content: [title, note, ...carried].join('\n') }])
    for (const line of lines) table.push(row(line, colour))
  }
  return table.toString()
}

function row(line, colour) {
  const { error, skipped } = line
  if (error !== undefined) return across(line.what, paint(error, 'red', colour))
  if (skipped !== undefined) return across(`${line.what}\nagainst ${line.against}`, `skipped: ${skipped}`)
  return cells(line, colour)
}

function cells({ what, against, differs, unit, ours, theirs, ratio, ratioUnit, goal, met }, colour) {
  const compared = against === null ? [] : [`against ${against}`]
  const not = differs === null ? [] : [paint(`(${differs})`, 'grey', colour)]
  const name = [what, ...compared, ...not].join('\n')
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

function across(name, content) {
  return [name, { colSpan: COLUMNS.length - 1, content }]
}

/** Median, with the p10–p90 spread below it if it was measured more than once. */
function amount(values, unit) {
  if (values === null) return '–'
  const { median, p10, p90, rounds } = values
  const spread = rounds === 1 ? '' : `\n${digits(p10)} – ${digits(p90)}`
  return `${digits(median)}${unit}${spread}`
}

function limit({ atMost, atLeast }, unit) {
  if (atLeast !== undefined) return `≥ ${short(atLeast)}${unit}`
  return atMost === undefined ? '–' : `≤ ${short(atMost)}${unit}`
}

/** A third has as many digits as the measured value, and 3 has one. */
function short(value) {
  return String(Number(digits(value)))
}

/** Nothing where there is no goal. */
function verdict(met, colour) {
  if (met === null) return ''
  return met ? paint('met', 'green', colour) : paint('missed', 'red', colour)
}

/** Three digits that count. */
function digits(value) {
  if (Math.abs(value) < 1) return value.toPrecision(3)
  return Math.abs(value) >= 100 ? value.toFixed(0) : value.toFixed(Math.abs(value) >= 10 ? 1 : 2)
}

const COLOURS = { red: 31, green: 32, grey: 90 }

function paint(text, name, colour) {
  return colour ? `\x1b[${COLOURS[name]}m${text}\x1b[0m` : text
}

module.exports = { amount, digits, limit, paint, render, verdict }
