'use strict'

// The results of a check for people: the values that fall, those that do not, and the success criteria.

const Table = require('cli-table3')
const { criteriaOf } = require('./criteria.js')
const { growthOf } = require('./memory.js')
const { bySide, distributionOf, failuresOf, lessBy, rateOf, tallyOf, timesOf } = require('./summary.js')

const MIB = 2 ** 20
const POINTS = ['p50', 'p90', 'p99', 'max']
const WORK = { cpu: (ms) => `${ms} ms of CPU`, wait: (ms) => `${ms} ms of waiting`, nothing: () => 'nothing' }

/** @param {object} results of `check` */
function report(results) {
  return [
    introduction(results),
    emitterWait(results),
    lastStart(results),
    allDone(results),
    throughput(results),
    distribution(results),
    others(results),
    criteria(results),
  ].join('\n\n')
}

function introduction({ probed, latency: [{ rounds }] }) {
  const samples = rounds.reduce((sum, round) => sum + round.after.emit.length, 0)
  const lines = [
    `${probed.after.name}: before on EventEmitter, after on ParallelEventBus, in two processes that take turns.`,
    'Listeners of "CPU" hold their thread, those of "waiting" are async and wait, as for a database.',
    `Times in ms from the call of emit, percentiles of ${samples} events a row, emitted one after another.`,
    'On one thread only the first of the three times falls, the wait of the emitter. The listeners have the same work',
    'as before, so the last one is called, and done, when it was before or a little later.',
  ]
  if (!probed.before.synchronous) {
    lines.push(
      'It does not deliver at once on EventEmitter either. If it holds a bus, check a function that is given one.',
    )
  }
  return lines.join('\n')
}

function emitterWait(results) {
  return `emit: until it returns: so long its emitter waits. It falls with listeners that compute.
${timesTable(results, 'emit')}`
}

function lastStart(results) {
  return `last start: until the last listener is called. It does not fall: those before it compute first, then as now.
${timesTable(results, 'lastStart')}`
}

function allDone(results) {
  return `all done: delivery, until the last listener has settled. It does not fall: the work is the same, on the same
thread. Async listeners overlapped before, too.
${timesTable(results, 'allDone')}`
}

function timesTable(results, time) {
  const points = (side) => POINTS.map((point, at) => (at === 0 ? `${side} ${point}` : point))
  const falls = time === 'emit'
  const last = falls ? ['p50 less by'] : []
  const table = tableOf(['listeners', 'each does', ...points('before'), ...points('after'), ...last])
  for (const row of results.latency) {
    const { before, after } = timesOf(row, time)
    const ms = [before, after].flatMap((side) => POINTS.map((point) => inMs(side[point])))
    const less = row.kind === 'cpu' ? percent(lessBy(before.p50, after.p50)) : '–'
    table.push([row.listeners, WORK[row.kind](row.ms), ...ms, ...(falls ? [less] : [])])
  }
  return table
}

function throughput(results) {
  const table = tableOf(['listeners', 'each does', 'taken before', 'after', 'done before', 'after'])
  for (const row of results.burst) {
    const taken = rateOf(row, 'taken')
    const done = rateOf(row, 'done')
    const rates = [taken.before, taken.after, done.before, done.after].map((rate) => finite(rate, Math.round(rate)))
    table.push([row.listeners, WORK[row.kind](row.ms), ...rates])
  }
  return `Events per second, in bursts, medians. taken: emit returned. done: all of their listeners have settled, which
does not rise on one thread. With listeners that do nothing, "done" is the cost of the bus itself.
${table}`
}

function distribution(results) {
  const table = tableOf(['listeners', 'of them called', 'events before', 'after'])
  for (const { had, reached, before, after } of distributionOf(results)) table.push([had, reached, before, after])
  return `Listeners that the events of this check had, and how many of them were called. With 5, one fails at each tenth
event of some: on EventEmitter that keeps the event from the other four.
${table}`
}

function others(results) {
  const table = tableOf(['', 'before', 'after'])
  const rates = failuresOf(results)
  const tallies = tallyOf(results)
  const { failures, memory } = results
  const row = (name, of) => {
    const { before, after } = bySide(of)
    table.push([name, before, after])
  }
  row('failure rate: calls that failed, one of 5 listeners failing', (side) => percent(rates[side].failed))
  row('calls that were not made because of it', (side) => percent(rates[side].missing))
  row('emits that threw', (side) => `${failures[side].thrown} of ${failures[side].events}`)
  row('loss: other calls that were not made', (side) => `${tallies[side].missing} of ${tallies[side].expected}`)
  row('heap in use, last reading (growth)', (side) => megabytes(memory[side], 'heapUsed'))
  row('resident memory, last reading (growth)', (side) => megabytes(memory[side], 'rss'))
  row('resident memory, highest of the process', (side) => `${(memory[side].peak / MIB).toFixed(1)} MiB`)
  return table.toString()
}

function criteria(results) {
  const lines = criteriaOf(results).map(
    ({ name, met, numbers }) => `${met ? 'met    ' : 'not met'}  ${name}: ${numbers}`,
  )
  return ['Success criteria', ...lines].join('\n')
}

/** An event that was lost took for ever. */
function inMs(value) {
  return value === Number.POSITIVE_INFINITY ? 'never' : finite(value, value.toFixed(3))
}

function percent(value) {
  return finite(value, `${value.toFixed(1)} %`)
}

function megabytes(memory, kind) {
  const growth = growthOf(memory, kind)
  if (Number.isNaN(growth)) return '–'
  return `${(memory.readings.at(-1)[kind] / MIB).toFixed(1)} MiB (${growth < 0 ? '' : '+'}${(growth / MIB).toFixed(2)})`
}

/** A missing measurement has a dash. */
function finite(value, text) {
  return Number.isFinite(value) ? text : '–'
}

function tableOf(head) {
  const colAligns = head.map((_, index) => (index === 0 && head[0] === '' ? 'left' : 'right'))
  return new Table({ head, colAligns, style: { head: [], border: [], compact: true } })
}

module.exports = { report }
