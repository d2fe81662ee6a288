'use strict'

// What the demo says: the introduction, the table, the timeline of the longest event, the bus's own statistics.
//
// Every function returns lines.

const { relative } = require('node:path')
const { inspect } = require('node:util')
const Table = require('cli-table3')
const { count, duration, megabytes, plural, printable } = require('./format.js')
const { longest, summarise } = require('./runs.js')
const { drawTimeline } = require('./timeline.js')

const RUNS = ['one after another', 'through the bus']

const SIDES = ['top', 'bottom', 'left', 'right', 'mid']
const CORNERS = ['top-mid', 'top-left', 'top-right', 'bottom-mid', 'bottom-left', 'bottom-right']
const CROSSINGS = ['left-mid', 'mid-mid', 'right-mid']
/** Where no terminal shows it, a table is columns, without a frame. */
const FRAMELESS = Object.fromEntries([...SIDES, ...CORNERS, ...CROSSINGS].map((part) => [part, '']))

function introduction({ directory, files, found, unreadable, names }) {
  const bytes = files.reduce((sum, { size }) => sum + size, 0)
  const lines = [
    `${printable(directory)}: ${plural(files.length, 'file')}, ${megabytes(bytes)}.`,
    `Each file is one event with ${plural(names.length, 'listener')}: ${names.join(', ')}.`,
    'Both runs have one file in flight at a time: a speed-up comes from the listeners of each file alone.',
    'Reading and gzip leave the JavaScript thread, and can overlap; hashing and counting take turns on it.',
  ]
  if (files.length < found) {
    lines.splice(1, 0, `That is a part of its ${plural(found, 'file')}: name a directory to take all of it.`)
  }
  if (unreadable > 0) lines.push(`Could not be read, and left out: ${unreadable} of its directories.`)
  return lines
}

function table(runs, { names, framed, paint }) {
  const [one, other] = runs.map((run) => summarise(run, names))
  const row = (label, value) => [label, value(one), value(other)]
  const rows = [
    row('files', ({ files }) => count(files)),
    row('skipped', ({ skipped }) => count(skipped)),
    row('bytes', ({ bytes }) => count(bytes)),
    row('time', ({ time }) => duration(time)),
    row('events per second', ({ events, time }) => count((1000 * events) / time)),
    ...names.map((name) => row(`${name}, start to settled`, ({ listeners }) => duration(listeners[name]))),
    ['speed-up', '1.00', paint('green', (one.time / other.time).toFixed(2))],
  ]
  const drawn = new Table({
    head: ['', ...RUNS.map((name) => paint('bold', name))],
    colAligns: ['left', 'right', 'right'],
    style: { head: [], border: [], compact: true, ...(framed ? {} : { 'padding-left': 0 }) },
    chars: framed ? {} : { ...FRAMELESS, middle: '  ' },
  })
  drawn.push(...rows)
  return drawn
    .toString()
    .split('\n')
    .map((line) => line.trimEnd())
}

function timeline(runs, { directory, columns, paint }) {
  const file = longest(...runs)
  if (file === undefined) return []
  const drawn = runs.map(({ events }, index) => ({ name: RUNS[index], spans: sinceEmitted(events.get(file)) }))
  return [
    `The event that took longest: ${printable(relative(directory, file.path))}, ${count(file.size)} bytes`,
    ...drawTimeline(drawn, { columns, paint }),
  ]
}

function sinceEmitted({ start: emitted, spans }) {
  const shifted = ([name, { start, end }]) => [name, { start: start - emitted, end: end - emitted }]
  return Object.fromEntries(Object.entries(spans).map(shifted))
}

function statistics(stats, { colours }) {
  return `bus.getStats() ${inspect(stats, { colors: colours, compact: false })}`.split('\n')
}

function agreement(compared) {
  return `Both runs have the same results for every file they could read (${count(compared)}).`
}

function disagreement({ compared, different }, directory) {
  const first = printable(relative(directory, different[0].path))
  return `The runs differ in ${count(different.length)} of ${plural(compared, 'file')}, first in ${first}: did it change?`
}

module.exports = { RUNS, introduction, table, timeline, statistics, agreement, disagreement }
