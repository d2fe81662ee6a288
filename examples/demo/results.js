'use strict'

// The results of the runs: whether they agree, and the rows of the table.

const { isDeepStrictEqual } = require('node:util')

/** Over the files that every run could read: `{ compared, different }`, a count and the files that differ. */
function compare(first, ...others) {
  const read = first.events.flatMap(({ skipped }, index) => {
    const there = !skipped && others.every(({ events }) => !events[index].skipped)
    return there ? [index] : []
  })
  const differs = (index) =>
    others.some(({ events }) => !isDeepStrictEqual(first.events[index].results, events[index].results))
  return { compared: read.length, different: read.filter(differs).map((index) => first.events[index].file) }
}

/** The row of a run in the table. */
function summarise({ time, cpu, events }) {
  return { time, cpu, cores: cpu / time, skipped: events.filter(({ skipped }) => skipped).length }
}

module.exports = { compare, summarise }
