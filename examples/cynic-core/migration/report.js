'use strict'

// The results of a check for people: tables, and the success criteria.

const Table = require('cli-table3')
const { criteriaOf } = require('./criteria.js')
const { distributionOf, failureRateOf, growthOf, latencyOf, lessBy, rateOf } = require('./summary.js')

const MIB = 2 ** 20
const WORK = { cpu: (ms) => `${ms} ms of CPU`, wait: (ms) => `${ms} ms of waiting`, nothing: () => 'nothing' }

/** @param {object} results of `check` */
function report(results) {
  const sections = [introduction(results), latency(results), throughput(results), others(results), criteria(results)]
  return sections.join('\n\n')
}

function introduction({ probed }) {
  const lines = [
    `${probed.after.name}: before on EventEmitter, after on ParallelEventBus, in two processes that take turns.`,
    'Medians. Listeners of "CPU" hold their thread, those of "waiting" are async and wait, as for a database.',
  ]
  if (!probed.before.synchronous) {
    lines.push(
      'It does not deliver at once on EventEmitter either. If it holds a bus, check a function that is given one.',
    )
  }
  return lines.join('\n')
}

function latency(results) {
  const table = tableOf(['listeners', 'each does', 'emit before', 'after', 'less by', 'all done before', 'after'])
  for (const row of results.latency) {
    const emit = latencyOf(row, 'emit')
    const done = latencyOf(row, 'done')
    const ms = [emit.before, emit.after, done.before, done.after].map((value) => `${value.toFixed(3)} ms`)
    const less = row.kind === 'cpu' ? `${lessBy(emit).toFixed(1)} %` : '–'
    table.push([row.listeners, WORK[row.kind](row.ms), ms[0], ms[1], less, ms[2], ms[3]])
  }
  return `Latency of one event. emit: what its emitter waits. all done: until the last listener has settled, which
is the same work on the same thread before and after. Async listeners overlapped before, too.\n${table}`
}

function throughput(results) {
  const table = tableOf(['listeners', 'each does', 'taken before', 'after', 'done before', 'after'])
  for (const row of results.burst) {
    const taken = rateOf(row, 'accepted')
    const done = rateOf(row, 'done')
    const rates = [taken.before, taken.after, done.before, done.after].map((rate) => Math.round(rate))
    table.push([row.listeners, WORK[row.kind](row.ms), ...rates])
  }
  return `Events per second, in bursts. taken: emitted. done: all of their listeners have settled. With listeners that
do nothing, "done" is what the bus itself costs.\n${table}`
}

function others(results) {
  const table = tableOf(['', 'before', 'after'])
  const counts = distributionOf(results)
  const rates = failureRateOf(results)
  const { memory } = results
  const row = (name, values) => table.push([name, values.before, values.after])
  for (const listeners of counts.before.keys()) {
    row(
      `events of this check with ${listeners} listeners`,
      mapSides((side) => `${round(share(counts[side], listeners))} %`),
    )
  }
  row(
    'calls that failed or were not made, one of 5 listeners failing',
    mapSides((side) => `${round(rates[side])} %`),
  )
  row(
    'emits that threw',
    mapSides((side) => `${results.failures[side].thrown} of ${results.failures[side].events}`),
  )
  for (const [name, kind] of [
    ['heap in use', 'heapUsed'],
    ['resident memory', 'rss'],
  ]) {
    const growth = growthOf(results, kind)
    row(
      `${name} after ${memory.after.events} events`,
      mapSides((side) => megabytes(memory[side].end[kind], growth[side])),
    )
  }
  return table.toString()
}

function criteria(results) {
  const lines = criteriaOf(results).map(
    ({ name, met, numbers }) => `${met ? 'met    ' : 'not met'}  ${name}: ${numbers}`,
  )
  return ['Success criteria', ...lines].join('\n')
}

function share(counts, listeners) {
  const all = [...counts.values()].reduce((sum, count) => sum + count, 0)
  return (100 * counts.get(listeners)) / all
}

function megabytes(bytes, growth) {
  return `${round(bytes / MIB)} MiB (${growth < 0 ? '' : '+'}${(growth / MIB).toFixed(2)})`
}

function round(value) {
  return value.toFixed(1)
}

function mapSides(of) {
  return { before: of('before'), after: of('after') }
}

function tableOf(head) {
  const colAligns = head.map((_, index) => (index === 0 && head[0] === '' ? 'left' : 'right'))
  return new Table({ head, colAligns, style: { head: [], border: [], compact: true } })
}

module.exports = { report }
