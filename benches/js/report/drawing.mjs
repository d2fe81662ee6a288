// Charts as SVG: bars and curves, with a title that says what is to be seen, and labels where the things are.
//
// One file for light and dark pages: nothing behind the chart, and colours of middle tones, which both bear. The scheme
// of a reader's system need not be that of the page.

import * as Plot from '@observablehq/plot'
import { parseHTML } from 'linkedom'

const WIDTH = 680
const TEXT = '#7d8590'
const RULE = '#7d859055'
const OURS = '#2f81f7'
/** Of the others, in order. */
const THEIRS = ['#c9731a', '#2da160', '#a371d0', '#d1497a']
const PLAIN = '#8b949e'
const TITLE_ROOM = 62
/** So that two labels are not in one place. */
const LABEL_HEIGHT = 15

export const US = 'ParallelEventBus'

/**
 * @param {object} chart
 * @param {string} chart.title the message
 * @param {string} chart.subtitle what is measured, in which unit
 * @param {{ name: string, value: number, text: string }[]} chart.bars
 */
export function bars({ title, subtitle, bars }) {
  const most = Math.max(...bars.map(({ value }) => value))
  const fill = ({ name }) => (name === US ? OURS : PLAIN)
  return toSvg(title, {
    height: TITLE_ROOM + 26 * bars.length + 12,
    marginLeft: 200,
    marginRight: 90,
    marginBottom: 12,
    x: { domain: [0, most], axis: null },
    y: { domain: bars.map(({ name }) => name), axis: null, padding: 0.25 },
    marks: [
      ...heading(title, subtitle, 200),
      Plot.barX(bars, { x: 'value', y: 'name', fill, rx: 2 }),
      // Names are drawn here: an axis can not have one of them bold.
      Plot.text(bars.filter(isOurs), { ...NAME, fill: OURS, fontWeight: 'bold' }),
      Plot.text(
        bars.filter((bar) => !isOurs(bar)),
        NAME,
      ),
      Plot.text(bars, { x: 'value', y: 'name', text: 'text', textAnchor: 'start', dx: 6, fill: TEXT }),
    ],
  })
}

const NAME = { x: 0, y: 'name', text: 'name', textAnchor: 'end', dx: -8, fill: TEXT }

function isOurs({ name }) {
  return name === US
}

/**
 * @param {object} chart
 * @param {string} chart.title the message
 * @param {string} chart.subtitle what is measured, in which unit
 * @param {{ name: string, points: { x: number, y: number }[] }[]} chart.series
 * @param {{ x: object, y: object }} chart.scales as Plot takes them
 */
export function curves({ title, subtitle, series, scales }) {
  const options = {
    height: 340,
    marginLeft: 72,
    marginRight: 150,
    marginBottom: 44,
    x: { tickSize: 0, labelAnchor: 'center', labelArrow: 'none', ...scales.x },
    y: { tickSize: 0, label: null, ...heights(series, scales.y.type) },
  }
  const marks = [
    ...heading(title, subtitle, 72),
    Plot.gridY({ stroke: RULE, strokeOpacity: 1, ticks: options.y.ticks }),
    ...series.flatMap(({ points, ...one }, index) => [
      Plot.line(points, { x: 'x', y: 'y', stroke: colourOf(one, index, series), strokeWidth: isOurs(one) ? 3 : 2 }),
      Plot.dot(points, { x: 'x', y: 'y', fill: colourOf(one, index, series), r: isOurs(one) ? 4 : 3 }),
    ]),
  ]
  const y = plot({ ...options, marks }).scale('y')
  const nudges = apart(series.map(({ points }) => y.apply(points.at(-1).y)))
  const labels = series.map((one, index) =>
    Plot.text([one.points.at(-1)], {
      x: 'x',
      y: 'y',
      text: () => one.name,
      dx: 9,
      dy: nudges[index],
      textAnchor: 'start',
      fontWeight: isOurs(one) ? 'bold' : 'normal',
      fill: colourOf(one, index, series),
    }),
  )
  return toSvg(title, { ...options, marks: [...marks, ...labels] })
}

/** From zero, so that what is flat looks flat; in powers of ten, where the curves are far from each other. */
function heights(series, type) {
  if (type !== 'log') return { zero: true, nice: true, ticks: 6 }
  const all = series.flatMap(({ points }) => points.map(({ y }) => Math.log10(y)))
  const [low, high] = [Math.floor(Math.min(...all)), Math.ceil(Math.max(...all))]
  const ticks = Array.from({ length: high - low + 1 }, (_, power) => 10 ** (low + power))
  return {
    type,
    domain: [ticks[0], ticks.at(-1)],
    ticks,
    tickFormat: (value) => value.toLocaleString('en-US').replaceAll(',', ' '),
  }
}

function colourOf(one, index, series) {
  if (isOurs(one)) return OURS
  return THEIRS[series.slice(0, index).filter((other) => !isOurs(other)).length]
}

/** By how much each label moves, so that none is on another. */
function apart(heights) {
  const moved = heights.map((height, index) => ({ height, index, at: height })).sort((a, b) => a.height - b.height)
  for (let next = 1; next < moved.length; next++) {
    moved[next].at = Math.max(moved[next].at, moved[next - 1].at + LABEL_HEIGHT)
  }
  return moved.sort((a, b) => a.index - b.index).map(({ at, height }) => at - height)
}

function heading(title, subtitle, marginLeft) {
  const place = { frameAnchor: 'top-left', textAnchor: 'start', dx: 8 - marginLeft, fill: TEXT }
  return [
    Plot.text([title], { ...place, dy: -TITLE_ROOM + 14, fontSize: 15, fontWeight: 'bold', text: [title] }),
    Plot.text([subtitle], { ...place, dy: -TITLE_ROOM + 33, fontSize: 12, text: [subtitle] }),
  ]
}

function plot(options) {
  const { document } = parseHTML('<html></html>')
  const style = { fontSize: '12px', fontFamily: 'system-ui, -apple-system, Segoe UI, Helvetica, Arial, sans-serif' }
  return Plot.plot({ document, width: WIDTH, marginTop: TITLE_ROOM, style, ...options })
}

function toSvg(title, options) {
  const svg = plot(options)
  svg.setAttribute('xmlns', 'http://www.w3.org/2000/svg')
  svg.setAttribute('role', 'img')
  svg.setAttribute('aria-label', title)
  // It is for charts within a page, and has the text of one.
  svg.querySelector('style').remove()
  // Engines differ in the last digits of a logarithm.
  const drawn = svg.outerHTML.replace(/\d+\.\d{3,}/g, (number) => String(Math.round(number * 100) / 100))
  return `${drawn.replaceAll('currentColor', TEXT)}\n`
}
