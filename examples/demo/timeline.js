'use strict'

// Draws when the listeners of one event ran, in several runs, on a common time axis, and what else their threads did.

const { duration } = require('./format.js')

const COLOURS = ['cyan', 'yellow', 'green']
const MIN_BAR = 10

/**
 * @typedef {{ start: number, end: number }} Span in milliseconds since the event was emitted
 *
 * @param {{ name: string, rows: { name: string, span?: Span, others?: Span[] }[] }[]} runs what is drawn in a row: a
 *   listener, and behind it what else its thread did
 * @param {{ columns: number, paint: (colour: string, text: string) => string }} options
 * @returns {string[]} lines, at most `columns` wide unless that is too narrow to draw at all
 */
function drawTimeline(runs, { columns, paint }) {
  const rows = runs.flatMap((run) => run.rows)
  const end = Math.max(...rows.map(({ span }) => span?.end ?? 0))
  const labels = Math.max(...rows.map(({ name }) => name.length)) + 4
  const times = Math.max(...rows.map(({ span }) => timeOf(span).length)) + 2
  const width = Math.max(MIN_BAR, columns - labels - times)

  const draw = ({ name, span, others = [] }, index) => {
    const { before, bar } = place(span, end, width)
    const behind = shade(others, end, width)
    const drawn = bar > 0 ? paint(COLOURS[index % COLOURS.length], '█'.repeat(bar)) : ''
    const label = `  ${name}`.padEnd(labels)
    return `${label}${behind.slice(0, before)}${drawn}${behind.slice(before + bar)}${timeOf(span).padStart(times)}`.trimEnd()
  }
  const lines = runs.flatMap((run) => [paint('bold', run.name), ...run.rows.map(draw)])
  return [...lines, axis(end, labels, width)]
}

/** Where a bar goes, in cells. However short, it can be seen. */
function place(span, axisEnd, width) {
  if (span === undefined) return { before: 0, bar: 0 }
  const scale = axisEnd > 0 ? width / axisEnd : 0
  const before = Math.min(Math.round(span.start * scale), width - 1)
  return { before, bar: Math.max(1, Math.round(span.end * scale) - before) }
}

/** Shades the cells in whose middle one of the spans is: in proportion, however many short ones there are. */
function shade(spans, axisEnd, width) {
  const shaded = (_, cell) => {
    const middle = ((cell + 0.5) * axisEnd) / width
    return spans.some(({ start, end }) => start <= middle && middle < end) ? '▒' : ' '
  }
  return Array.from({ length: width }, shaded).join('')
}

function axis(end, labels, width) {
  return `${' '.repeat(labels)}0${duration(end).padStart(width - 1)}`
}

function timeOf(span) {
  return span === undefined ? '' : duration(span.end - span.start)
}

module.exports = { drawTimeline }
