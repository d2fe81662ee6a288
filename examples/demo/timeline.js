'use strict'

// Draws when the listeners of one event ran, in several runs, on a common time axis.

const { duration } = require('./format.js')

const COLOURS = ['cyan', 'yellow', 'green']
const MIN_BAR = 10

/**
 * @param {{ name: string, spans: Record<string, { start: number, end: number }> }[]} runs in milliseconds since the
 *   event was emitted
 * @param {{ columns: number, paint: (colour: string, text: string) => string }} options
 * @returns {string[]} lines, at most `columns` wide unless that is too narrow to draw at all
 */
function drawTimeline(runs, { columns, paint }) {
  const rows = runs.flatMap(({ spans }) => Object.entries(spans))
  const end = Math.max(...rows.map(([, span]) => span.end))
  const labels = Math.max(...rows.map(([name]) => name.length)) + 4
  const times = Math.max(...rows.map(([, span]) => timeOf(span).length)) + 2
  const width = Math.max(MIN_BAR, columns - labels - times)

  const row = ([name, span], index) => {
    const { before, bar, after } = place(span, end, width)
    const drawn = paint(COLOURS[index % COLOURS.length], '█'.repeat(bar))
    return `${`  ${name}`.padEnd(labels + before)}${drawn}${timeOf(span).padStart(after + times)}`
  }
  const lines = runs.flatMap(({ name, spans }) => [paint('bold', name), ...Object.entries(spans).map(row)])
  return [...lines, axis(end, labels, width)]
}

/** Where a bar goes, in cells. However short, it can be seen. */
function place({ start, end }, axisEnd, width) {
  const scale = axisEnd > 0 ? width / axisEnd : 0
  const before = Math.min(Math.round(start * scale), width - 1)
  const bar = Math.max(1, Math.round(end * scale) - before)
  return { before, bar, after: width - before - bar }
}

function axis(end, labels, width) {
  return `${' '.repeat(labels)}0${duration(end).padStart(width - 1)}`
}

function timeOf({ start, end }) {
  return duration(end - start)
}

module.exports = { drawTimeline }
