'use strict'

// Draws when some files were worked on, in several runs, on a common time axis.

const { duration, printable } = require('./format.js')

const COLOURS = ['yellow', 'cyan', 'green']
/** By the number of a file's listeners that are under way. With none the file waits for one. */
const SHADES = ['·', '▒', '▓', '█']
const MOST_LABEL = 24
const MIN_BAR = 10

/**
 * @typedef {{ start: number, end: number }} Span in milliseconds since the run began
 * @typedef {{ name: string, span: Span, work: Span[] }} Row a file: when it was under way, and each of its listeners
 *
 * @param {{ name: string, rows: Row[] }[]} runs
 * @param {{ columns: number, paint: (colour: string, text: string) => string }} options
 * @returns {string[]} lines, at most `columns` wide unless that is too narrow to draw at all
 */
function drawTimeline(runs, { columns, paint }) {
  const rows = runs.flatMap((run) => run.rows)
  const end = Math.max(Number.EPSILON, ...rows.map(({ span }) => span.end))
  const labels = Math.min(MOST_LABEL, Math.max(...rows.map(({ name }) => name.length))) + 4
  const width = Math.max(MIN_BAR, columns - labels)
  const lines = runs.flatMap((run, index) => [
    heading(run, labels + width, paint),
    ...run.rows.map((row) => draw(row, { end, labels, width }, (text) => paint(COLOURS[index % COLOURS.length], text))),
  ])
  return [...lines, `${' '.repeat(labels)}0${duration(end).padStart(width - 1)}`]
}

/** The name of a run, and when the last of its rows ends. */
function heading({ name, rows }, width, paint) {
  const took = duration(Math.max(...rows.map(({ span }) => span.end)))
  return `${paint('bold', name)}${took.padStart(Math.max(1, width - name.length))}`
}

function draw({ name, span, work }, { end, labels, width }, colour) {
  const cell = end / width
  const before = Math.min(Math.floor(span.start / cell), width - 1)
  const length = Math.max(1, Math.min(width, Math.round(span.end / cell)) - before)
  const shade = (_, index) => SHADES[Math.min(underWay(work, (before + index + 0.5) * cell), SHADES.length - 1)]
  const bar = Array.from({ length }, shade).join('')
  return `  ${shortened(name)}`.padEnd(labels) + ' '.repeat(before) + colour(bar)
}

function underWay(spans, time) {
  return spans.filter(({ start, end }) => start <= time && time < end).length
}

/** The end of a path says more than its beginning. */
function shortened(name) {
  const text = printable(name)
  return text.length <= MOST_LABEL ? text : `…${text.slice(1 - MOST_LABEL)}`
}

module.exports = { drawTimeline }
