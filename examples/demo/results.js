'use strict'

// What the runs came to: whether they agree, what the table shows of each, and which file stands out.

const { isDeepStrictEqual } = require('node:util')

/** Over the files that every run could read: `{ compared, different }`, a count and the files that differ. */
function compare(first, ...others) {
  const read = [...first.events].filter(([file]) => readByAll(file, [first, ...others]))
  const different = read.filter(([file, { results }]) =>
    others.some((other) => !isDeepStrictEqual(results, other.events.get(file)?.results)),
  )
  return { compared: read.length, different: different.map(([file]) => file) }
}

/** What the table shows of a run. Times are in milliseconds, those of a listener by its name. */
function summarise({ time, cpu, events }, names) {
  const spans = Object.fromEntries(names.map((name) => [name, []]))
  let skipped = 0
  let bytes = 0
  for (const [file, event] of events) {
    if (event.skipped) skipped++
    else bytes += file.size
    for (const [name, span] of Object.entries(event.spans)) spans[name].push(span)
  }
  const total = ([name, list]) => [name, list.reduce((sum, { start, end }) => sum + end - start, 0)]
  const totals = Object.fromEntries(Object.entries(spans).map(total))
  const means = Object.fromEntries(names.map((name) => [name, totals[name] / Math.max(1, spans[name].length)]))
  return { time, cpu, events: events.size, files: events.size - skipped, skipped, bytes, totals, means }
}

/** The file that took the first run longest of those that all could read; undefined if there is none. */
function longest(first, ...others) {
  let file
  let time = -1
  for (const [candidate, { start, end }] of first.events) {
    if (end - start <= time || !readByAll(candidate, [first, ...others])) continue
    file = candidate
    time = end - start
  }
  return file
}

/** The largest file that every run could read; undefined if there is none. */
function largest(...runs) {
  const read = Array.from(runs[0].events.keys()).filter((file) => readByAll(file, runs))
  return read.reduce((most, file) => (file.size > (most?.size ?? -1) ? file : most), undefined)
}

function readByAll(file, runs) {
  return runs.every(({ events }) => !events.get(file)?.skipped)
}

module.exports = { compare, summarise, longest, largest }
