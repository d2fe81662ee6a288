// The timeline of a trace as an SVG, as a viewer shows it: a track for each thread, bars for listeners, and an arrow from each
// emit to the start of its listener.

import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** Number of runs, of which the quickest is drawn. */
const RUNS = 7

const WIDTH = 720
const LEFT = 110
const RIGHT = 20
const BAR = 20
const GAP = 5
const HEAD = 26
/** Pixels of a character, for texts that have to fit into bars. */
const CHARACTER = 7

const THEMES = {
  light: {
    text: '#1f2328',
    faint: '#59636e',
    line: '#d1d9e0',
    on: '#ffffff',
    bars: { score: '#0969da', store: '#1a7f37', mail: '#8250df' },
  },
  dark: {
    text: '#f0f6fc',
    faint: '#9198a1',
    line: '#3d444d',
    on: '#0d1117',
    bars: { score: '#4493f8', store: '#3fb950', mail: '#ab7df8' },
  },
}

/** Runs the program with a trace, and returns what is drawn of it: times are in milliseconds from its first order. */
export function traced() {
  // Other processes may be busy.
  const runs = Array.from({ length: RUNS }, run)
  return runs.reduce((best, run) => (run.end < best.end ? run : best))
}

function run() {
  const folder = mkdtempSync(join(tmpdir(), 'picture-'))
  try {
    const file = join(folder, 'trace.json')
    const program = fileURLToPath(new URL('traced.cjs', import.meta.url))
    const env = { ...process.env, PARALLEL_EVENT_BUS_TRACE: file }
    const { status, stderr } = spawnSync(process.execPath, [program], { env, encoding: 'utf8' })
    if (status !== 0) throw new Error(stderr)
    return partsOf(JSON.parse(readFileSync(file, 'utf8')))
  } finally {
    rmSync(folder, { recursive: true })
  }
}

function partsOf(events) {
  const first = events.find(({ name }) => name === 'emit order').ts
  const at = (ts) => (ts - first) / 1e3
  const names = new Map(events.filter(({ name }) => name === 'thread_name').map(({ tid, args }) => [tid, args.name]))
  const bars = [...calls(events, at), ...runs(events, at)].filter(({ from }) => from >= 0)
  const tails = new Map(events.filter(({ ph }) => ph === 's').map((event) => [event.id, event]))
  const arrows = events
    .filter(({ ph, ts }) => ph === 'f' && at(ts) >= 0)
    .map(({ id, tid, ts }) => ({ from: at(tails.get(id).ts), fromTrack: tails.get(id).tid, to: at(ts), track: tid }))
    .filter(({ track, fromTrack }) => track !== fromTrack)
  return { names, bars, arrows, end: Math.max(...bars.map(({ to }) => to)) }
}

/** The calls of listeners in threads. */
function calls(events, at) {
  const open = new Map()
  const bars = []
  for (const { ph, tid, ts, name, cat } of events) {
    if (ph === 'B') open.set(tid, [...(open.get(tid) ?? []), { track: tid, name, cat, from: at(ts) }])
    if (ph === 'E') bars.push({ ...open.get(tid).pop(), to: at(ts) })
  }
  return bars.filter(({ cat, name }) => cat === 'listener' && name === 'score')
}

/** The listeners that went on after their call. */
function runs(events, at) {
  const begins = new Map(events.filter(({ ph, cat }) => ph === 'b' && cat === 'run').map((event) => [event.id, event]))
  return events
    .filter(({ ph, cat }) => ph === 'e' && cat === 'run')
    .map(({ id, tid, ts }) => {
      const { name, ts: from } = begins.get(id)
      return { track: tid, name: name.replace(' runs', ''), from: at(from), to: at(ts) }
    })
}

export function timeline(theme, { names, bars, arrows, end }) {
  const colours = THEMES[theme]
  const x = (ms) => LEFT + (ms / end) * (WIDTH - LEFT - RIGHT)
  const tracks = tracksOf(bars, names)
  const height = tracks.at(-1).top + tracks.at(-1).rows * (BAR + GAP) + HEAD
  const topOf = new Map(tracks.map(({ track, top }) => [track, top]))
  const shapes = [
    ...tracks.map(({ name, top, rows }) => trackShape(name, top, rows, colours)),
    ...arrows.map((arrow) => arrowShape(arrow, topOf, x, colours)),
    ...tracks.flatMap(({ placed, top }) => placed.map((bar) => barShape(bar, top, x, colours))),
    axis(end, height, x, colours),
  ]
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img" font-family="system-ui, sans-serif" font-size="13">
<title>A trace: the listeners of three threads at the same time, with arrows from the emits</title>
<defs><marker id="head" viewBox="0 0 6 6" refX="5" refY="3" markerWidth="6" markerHeight="6" orient="auto"><path d="M0 0 6 3 0 6z" fill="${colours.faint}"/></marker></defs>
${shapes.join('\n')}
</svg>
`
}

/** Gives each bar of a track a row in which no other is at its time. */
function tracksOf(bars, names) {
  let top = 12
  return [...names.keys()]
    .sort((a, b) => a - b)
    .map((track) => {
      const ends = []
      const placed = bars
        .filter((bar) => bar.track === track)
        .sort((a, b) => a.from - b.from)
        .map((bar) => {
          const free = ends.findIndex((end) => end <= bar.from)
          const row = free < 0 ? ends.length : free
          ends[row] = bar.to
          return { ...bar, row }
        })
      const rows = Math.max(1, ends.length)
      const made = { track, name: names.get(track), top, rows, placed }
      top += rows * (BAR + GAP) + 14
      return made
    })
}

function trackShape(name, top, rows, { text, line }) {
  const bottom = top + rows * (BAR + GAP)
  return `<text x="${LEFT - 10}" y="${top + 15}" text-anchor="end" fill="${text}">${name}</text>
<line x1="${LEFT}" y1="${top - 4}" x2="${LEFT}" y2="${bottom}" stroke="${line}"/>`
}

function barShape({ name, from, to, row }, top, x, { bars, on }) {
  const y = top + row * (BAR + GAP)
  const width = Math.max(2, x(to) - x(from))
  const label =
    width > name.length * CHARACTER + 8
      ? `<text x="${(x(from) + 6).toFixed(1)}" y="${y + 15}" fill="${on}">${name}</text>`
      : ''
  return `<rect x="${x(from).toFixed(1)}" y="${y}" width="${width.toFixed(1)}" height="${BAR}" rx="3" fill="${bars[name]}"/>${label}`
}

function arrowShape({ from, fromTrack, to, track }, topOf, x, { faint }) {
  const [y1, y2] = [topOf.get(fromTrack) - 4, topOf.get(track) - 1]
  return `<path d="M${x(from).toFixed(1)} ${y1} C${x(from).toFixed(1)} ${y1 + 30} ${x(to).toFixed(1)} ${y2 - 30} ${x(to).toFixed(1)} ${y2}" fill="none" stroke="${faint}" marker-end="url(#head)"/>`
}

function axis(end, height, x, { faint }) {
  const step = 10 * Math.ceil(end / 80)
  const ticks = Array.from({ length: Math.floor(end / step) + 1 }, (_, index) => index * step)
  return ticks
    .map(
      (ms) =>
        `<text x="${x(ms).toFixed(1)}" y="${height - 6}" text-anchor="middle" fill="${faint}" font-size="11">${ms} ms</text>`,
    )
    .join('\n')
}
