'use strict'

// The output of the demo: the introduction, the timeline of some files, the table, and the conclusion.
//
// Every function returns lines.

const { relative } = require('node:path')
const Table = require('cli-table3')
const { count, duration, megabytes, plural, printable } = require('./format.js')
const { compare, summarise } = require('./results.js')
const { drawTimeline } = require('./timeline.js')

/** Of all files, as many as are easily seen. */
const DRAWN = 6
/** The share of the cores that has to be free for a speed-up to show the machine's capacity. */
const IDLE = 0.9
/** In a shorter run, how it starts and ends decides. */
const SHORT_MS = 500

const SIDES = ['top', 'bottom', 'left', 'right', 'mid']
const CORNERS = ['top-mid', 'top-left', 'top-right', 'bottom-mid', 'bottom-left', 'bottom-right']
const CROSSINGS = ['left-mid', 'mid-mid', 'right-mid']
/** Where no terminal shows it, a table is columns, without a frame. */
const FRAMELESS = Object.fromEntries([...SIDES, ...CORNERS, ...CROSSINGS].map((part) => [part, '']))

/** The names of the runs. */
function namesOf(threads) {
  return ['one after another', 'through the bus', `spawn, ${plural(threads, 'thread')}`]
}

function introduction({ directory, files, found, limits, unreadable, names }) {
  const bytes = files.reduce((sum, { size }) => sum + size, 0)
  const { smallest, largest } = limits
  return [
    `${printable(directory)}: ${plural(files.length, 'file')}, ${megabytes(bytes)}.`,
    ...(files.length < found
      ? [`Left out: ${count(found - files.length)} that are not of ${smallest} to ${largest} kB.`]
      : []),
    ...(unreadable > 0 ? [`Could not be read, and left out: ${unreadable} of its directories.`] : []),
    `Each file is an event with ${plural(names.length, 'listener')}: ${names.join(', ')}.`,
  ]
}

/** The same files in each run: the largest ones, which it takes first, of a round that does not have to get going. */
function timeline(runs, { directory, columns, paint, threads, files, rounds }) {
  const first = files * Math.floor(rounds / 2)
  const names = namesOf(threads)
  const drawn = runs.map(({ events }, index) => ({
    name: names[index],
    rows: rowsOf(events.slice(first, first + Math.min(DRAWN, files)), directory),
  }))
  return [
    `${plural(drawn[0].rows.length, 'file')} in each run; ▒ one listener is under way, ▓ two, █ all three.`,
    ...drawTimeline(drawn, { columns, paint }),
  ]
}

function rowsOf(events, directory) {
  const start = Math.min(...events.map((event) => event.start))
  const shift = (span) => ({ start: span.start - start, end: span.end - start })
  return events.map((event) => ({
    name: relative(directory, event.file.path),
    span: shift(event),
    work: Object.values(event.spans).map(shift),
  }))
}

function table(runs, { threads, framed, paint }) {
  const summaries = runs.map(summarise)
  const [one] = summaries
  const row = (label, value) => [label, ...summaries.map(value)]
  const speedUp = (other) => (other === one ? '1.00' : paint('green', (one.time / other.time).toFixed(2)))
  const rows = [
    row('speed-up', speedUp),
    row('time', ({ time }) => duration(time)),
    row('CPU time', ({ cpu }) => duration(cpu)),
    row('cores in use', ({ cores }) => cores.toFixed(2)),
    ...(summaries.some(({ skipped }) => skipped > 0) ? [row('skipped', ({ skipped }) => count(skipped))] : []),
  ]
  const drawn = new Table({
    head: ['', ...namesOf(threads).map((name) => paint('bold', name))],
    colAligns: ['left', ...summaries.map(() => 'right')],
    style: { head: [], border: [], compact: true, ...(framed ? {} : { 'padding-left': 0 }) },
    chars: framed ? {} : { ...FRAMELESS, middle: '  ' },
  })
  drawn.push(...rows)
  return drawn
    .toString()
    .split('\n')
    .map((line) => line.trimEnd())
}

/** Explains the runs, and the worth of their speed-ups. */
function remarks(runs, { threads, inFlight, rounds, files, cores }) {
  const { compared, different } = compare(...runs)
  const times = rounds === 1 ? 'once' : `${count(rounds)} times`
  return [
    `Each run goes over the ${plural(files, 'file')} ${times}.`,
    'One after another: a listener starts when the one before it has settled.',
    `Through the bus: ${inFlight} files are under way at a time; reading and gzip overlap.`,
    `spawn: all work overlaps, in ${plural(threads, 'worker thread')}; blocking there saves CPU time.`,
    ...(different.length === 0
      ? [`All runs have the same results for the ${count(compared)} that they could read.`]
      : []),
    ...worth(runs[0], cores),
  ]
}

/** Names the file of the trace, or tells why there is none. */
function traced(file) {
  if (file instanceof Error) return [`There is no trace: ${printable(file.message)}`]
  return [`A trace of some files, in all threads: ${printable(file)}`, 'Open it in https://ui.perfetto.dev']
}

function worth({ time }, { of, free }) {
  const cores = `${free.toFixed(2)} of ${plural(of, 'core')}`
  const short = `The first run took ${duration(time)}: too short for the speed-ups to mean much.`
  const busy = [
    `This machine is busy: it had ${cores} free for the demo. The speed-ups`,
    'are not those of an idle machine. Run the demo again when it is one.',
  ]
  return [
    ...(time < SHORT_MS ? [short] : []),
    ...(free < IDLE * of ? busy : [`The machine had ${cores} free for the demo.`]),
  ]
}

function disagreement({ compared, different }, directory) {
  const first = printable(relative(directory, different[0].path))
  return `The runs differ in ${count(different.length)} of ${plural(compared, 'file')}, first in ${first}: did it change?`
}

module.exports = { namesOf, introduction, timeline, table, remarks, traced, disagreement }
