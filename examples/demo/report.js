'use strict'

// What the demo says: the introduction, the table, the timeline of one event, the bus's own statistics.
//
// Every function returns lines.

const { relative } = require('node:path')
const { inspect } = require('node:util')
const Table = require('cli-table3')
const { count, duration, megabytes, plural, printable } = require('./format.js')
const { rowsOf } = require('./lanes.js')
const { largest, longest, summarise } = require('./results.js')
const { drawTimeline } = require('./timeline.js')

const RUNS = ['one after another', 'through the bus']

const SIDES = ['top', 'bottom', 'left', 'right', 'mid']
const CORNERS = ['top-mid', 'top-left', 'top-right', 'bottom-mid', 'bottom-left', 'bottom-right']
const CROSSINGS = ['left-mid', 'mid-mid', 'right-mid']
/** Where no terminal shows it, a table is columns, without a frame. */
const FRAMELESS = Object.fromEntries([...SIDES, ...CORNERS, ...CROSSINGS].map((part) => [part, '']))

/** The names of the runs; `threads` is 0 where there is none with threads. */
function namesOf(threads) {
  return threads === 0 ? RUNS : [...RUNS, `bus, ${plural(threads, 'thread')}`]
}

function introduction({ directory, files, found, unreadable, names, threads = 0, inFlight = 1 }) {
  const bytes = files.reduce((sum, { size }) => sum + size, 0)
  const lines = [
    `${printable(directory)}: ${plural(files.length, 'file')}, ${megabytes(bytes)}.`,
    `Each file is one event with ${plural(names.length, 'listener')}: ${names.join(', ')}.`,
    ...(threads === 0 ? howItRuns() : howItRunsWithThreads(threads, inFlight)),
  ]
  if (files.length < found) {
    lines.splice(1, 0, `That is a part of its ${plural(found, 'file')}: name a directory to take all of it.`)
  }
  if (unreadable > 0) lines.push(`Could not be read, and left out: ${unreadable} of its directories.`)
  return lines
}

function howItRuns() {
  return [
    'Both runs have one file in flight at a time: a speed-up comes from the listeners of each file alone.',
    'Reading and gzip leave the JavaScript thread, and can overlap; hashing and counting take turns on it.',
  ]
}

function howItRunsWithThreads(threads, inFlight) {
  return [
    `All runs have ${inFlight} files in flight at a time: enough to keep each thread busy.`,
    'The first two run in this thread, which must not block: they stream every file.',
    `The third asks with bus.request, and has sha256 and gzip in ${plural(threads, 'worker thread')},`,
    'lines in this one. Workers may block: they read a small file in one go.',
    'What that saves is in the CPU time, what the threads bring in the cores in use.',
    'Starting them and warming them up is not counted.',
  ]
}

function table(runs, { names, threads, framed, paint }) {
  const summaries = runs.map((run) => summarise(run, names))
  const [one] = summaries
  const row = (label, value) => [label, ...summaries.map(value)]
  const speedUp = (other) => (other === one ? '1.00' : paint('green', (one.time / other.time).toFixed(2)))
  const rows = [
    row('files', ({ files }) => count(files)),
    row('skipped', ({ skipped }) => count(skipped)),
    row('bytes', ({ bytes }) => count(bytes)),
    row('time', ({ time }) => duration(time)),
    row('events per second', ({ events, time }) => count((1000 * events) / time)),
    ...(threads === 0 ? listenerRows : threadRows)(row, names),
    row('speed-up', speedUp),
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

function listenerRows(row, names) {
  return names.map((name) => row(`${name}, start to settled`, ({ totals }) => duration(totals[name])))
}

/** With several files in flight a sum over them would say little. The CPU time is that of all threads, libuv's too. */
function threadRows(row, names) {
  return [
    ...names.map((name) => row(`${name} on average`, ({ means }) => duration(means[name]))),
    row('CPU time', ({ cpu }) => duration(cpu)),
    row('cores in use', ({ cpu, time }) => (cpu / time).toFixed(2)),
  ]
}

function timeline(runs, { directory, threads, columns, paint }) {
  const file = threads === 0 ? longest(...runs) : largest(...runs)
  if (file === undefined) return []
  const names = namesOf(threads)
  const drawn = runs.map((run, index) => ({ name: names[index], rows: rowsOf(run, run.events.get(file)) }))
  if (threads > 0) drawn[drawn.length - 1].name += ' (▒ is what else that thread had started)'
  // Of several in flight the one that took longest is one that waited for others.
  const title = threads === 0 ? 'The event that took longest' : 'The largest file'
  return [
    `${title}: ${printable(relative(directory, file.path))}, ${count(file.size)} bytes`,
    ...drawTimeline(drawn, { columns, paint }),
  ]
}

function statistics(stats, { colours }) {
  return `bus.getStats() ${inspect(stats, { colors: colours, compact: false })}`.split('\n')
}

function agreement(compared, runs) {
  const all = runs > 2 ? `All ${runs}` : 'Both'
  return `${all} runs have the same results for every file they could read (${count(compared)}).`
}

function disagreement({ compared, different }, directory) {
  const first = printable(relative(directory, different[0].path))
  return `The runs differ in ${count(different.length)} of ${plural(compared, 'file')}, first in ${first}: did it change?`
}

module.exports = { namesOf, introduction, table, timeline, statistics, agreement, disagreement }
