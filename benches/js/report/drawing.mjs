// Charts as SVG: bars and curves, with a title that tells the message, and labels where the things are.
//
// One file for light pages and one for dark ones: no colour reads well on both. Each brings its background along, because
// the scheme of a reader's system need not be that of the page.

import * as Plot from '@observablehq/plot'
import { parseHTML } from 'linkedom'

const WIDTH = 680
const TITLE_ROOM = 80
/** So that two labels are not in one place. */
const LABEL_HEIGHT = 15

export const US = 'ParallelEventBus'

/** Colours that have a contrast of at least 4.5 to the background; `theirs` are those of the others, in order. */
export const THEMES = {
  light: {
    background: '#ffffff',
    text: '#1f2328',
    rule: '#6e7781',
    ours: '#0550ae',
    theirs: ['#953800', '#116329', '#8250df', '#bf3989'],
    plain: '#6e7781',
  },
  dark: {
    background: '#0d1117',
    text: '#f0f6fc',
    rule: '#7d8590',
    ours: '#58a6ff',
    theirs: ['#f0883e', '#3fb950', '#bc8cff', '#f778ba'],
    plain: '#8b949e',
  },
}

/**
 * @param {object} chart
 * @param {string} chart.title the message
 * @param {string} chart.subtitle measured quantity and unit
 * @param {'shorter' | 'longer'} chart.better which bars are
 * @param {{ name: string, value: number, text: string }[]} chart.bars
 * @returns {(theme: object) => string} draws it in the colours of a theme
 */
export function bars({ title, subtitle, better, bars }) {
  const most = Math.max(...bars.map(({ value }) => value))
  const lines = [subtitle, `${better} is better`]
  return (theme) =>
    toSvg(title, theme, {
      height: TITLE_ROOM + 26 * bars.length + 12,
      marginLeft: 200,
      marginRight: 90,
      marginBottom: 12,
      x: { domain: [0, most], axis: null },
      y: { domain: bars.map(({ name }) => name), axis: null, padding: 0.25 },
      marks: [
        ...heading(title, lines, 200, theme),
        Plot.barX(bars, { x: 'value', y: 'name', fill: (bar) => (isOurs(bar) ? theme.ours : theme.plain), rx: 2 }),
        // Names are drawn here: an axis cannot have one of them bold.
        Plot.text(bars.filter(isOurs), { ...NAME, fill: theme.ours, fontWeight: 'bold' }),
        Plot.text(
          bars.filter((bar) => !isOurs(bar)),
          { ...NAME, fill: theme.text },
        ),
        Plot.text(bars, { x: 'value', y: 'name', text: 'text', textAnchor: 'start', dx: 6, fill: theme.text }),
      ],
    })
}

const NAME = { x: 0, y: 'name', text: 'name', textAnchor: 'end', dx: -8 }

function isOurs({ name }) {
  return name === US
}

/**
 * @param {object} chart
 * @param {string} chart.title the message
 * @param {string} chart.subtitle measured quantity and unit
 * @param {{ name: string, points: { x: number, y: number }[] }[]} chart.series
 * @param {{ x: object, y: object }} chart.scales as Plot takes them
 * @returns {(theme: object) => string} draws it in the colours of a theme
 */
export function curves({ title, subtitle, series, scales }) {
  const lines = [subtitle, `lower is better; ${axesInWords(scales)}`]
  const options = {
    height: 358,
    marginLeft: 72,
    marginRight: 150,
    marginBottom: 44,
    x: { tickSize: 0, labelAnchor: 'center', labelArrow: 'none', ...scales.x },
    y: { tickSize: 0, label: null, ...heights(series, scales.y.type) },
  }
  return (theme) => {
    const marks = [
      ...heading(title, lines, 72, theme),
      Plot.gridY({
        stroke: theme.rule,
        strokeOpacity: 1,
        strokeWidth: 0.5,
        strokeDasharray: '1 4',
        ticks: options.y.ticks,
      }),
      ...series.flatMap((one, index) => lineAndDots(one, colourOf(index, series, theme))),
    ]
    const y = plot({ ...options, marks }).scale('y')
    const nudges = apart(series.map(({ points }) => y.apply(points.at(-1).y)))
    const labels = series.map((one, index) => nameAtEnd(one, nudges[index], colourOf(index, series, theme)))
    return toSvg(title, theme, { ...options, marks: [...marks, ...labels] })
  }
}

function axesInWords({ x, y }) {
  const logarithmic = [x, y].map(({ type }) => type === 'log')
  if (logarithmic.every(Boolean)) return 'both axes are logarithmic'
  if (!logarithmic.some(Boolean)) return 'both axes are linear'
  return `the ${logarithmic[0] ? 'horizontal' : 'vertical'} axis is logarithmic`
}

function lineAndDots(one, colour) {
  return [
    Plot.line(one.points, { x: 'x', y: 'y', stroke: colour, strokeWidth: isOurs(one) ? 3 : 2 }),
    Plot.dot(one.points, { x: 'x', y: 'y', fill: colour, r: isOurs(one) ? 4 : 3 }),
  ]
}

function nameAtEnd(one, dy, fill) {
  return Plot.text([one.points.at(-1)], {
    x: 'x',
    y: 'y',
    text: () => one.name,
    dx: 9,
    dy,
    textAnchor: 'start',
    fontWeight: isOurs(one) ? 'bold' : 'normal',
    fill,
  })
}

/** From zero, so that flat curves look flat; in powers of ten, where the curves are far from each other. */
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

function colourOf(index, series, theme) {
  if (isOurs(series[index])) return theme.ours
  return theme.theirs[series.slice(0, index).filter((other) => !isOurs(other)).length]
}

/** By how much each label moves, so that none is on another. */
function apart(heights) {
  const moved = heights.map((height, index) => ({ height, index, at: height })).sort((a, b) => a.height - b.height)
  for (let next = 1; next < moved.length; next++) {
    moved[next].at = Math.max(moved[next].at, moved[next - 1].at + LABEL_HEIGHT)
  }
  return moved.sort((a, b) => a.index - b.index).map(({ at, height }) => at - height)
}

function heading(title, lines, marginLeft, theme) {
  const place = { frameAnchor: 'top-left', textAnchor: 'start', dx: 8 - marginLeft, fill: theme.text }
  const line = (text, index) =>
    Plot.text([text], { ...place, dy: -TITLE_ROOM + 33 + 18 * index, fontSize: 12, text: [text] })
  return [
    Plot.text([title], { ...place, dy: -TITLE_ROOM + 14, fontSize: 15, fontWeight: 'bold', text: [title] }),
    ...lines.map(line),
  ]
}

function plot(options) {
  const { document } = parseHTML('<html></html>')
  const style = { fontSize: '12px', fontFamily: 'system-ui, -apple-system, Segoe UI, Helvetica, Arial, sans-serif' }
  return Plot.plot({ document, width: WIDTH, marginTop: TITLE_ROOM, style, ...options })
}

function toSvg(title, theme, options) {
  const svg = plot(options)
  svg.setAttribute('xmlns', 'http://www.w3.org/2000/svg')
  svg.setAttribute('role', 'img')
  svg.setAttribute('aria-label', title)
  // It is for charts within a page, and has the text of one.
  svg.querySelector('style').remove()
  svg.insertAdjacentHTML('afterbegin', `<rect width="100%" height="100%" fill="${theme.background}"></rect>`)
  // Engines differ in the last digits of a logarithm.
  const drawn = svg.outerHTML.replace(/\d+\.\d{3,}/g, (number) => String(Math.round(number * 100) / 100))
  return `${drawn.replaceAll('currentColor', theme.text)}\n`
}
