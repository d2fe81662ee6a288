'use strict'

// The results of the rounds of a check, before and after.

const { median } = require('./median.js')

const SIDES = ['before', 'after']

/**
 * Percentiles, by nearest rank, of a time in ms over all events of all rounds. An event that was lost took for ever; without
 * any event each is NaN.
 */
function timesOf({ rounds }, time) {
  return bySide((side) => percentilesOf(rounds.flatMap((round) => round[side][time])))
}

function percentilesOf(samples) {
  const sorted = samples.map((ms) => ms ?? Number.POSITIVE_INFINITY).sort((a, b) => a - b)
  const at = (percent) => sorted[Math.max(1, Math.ceil((percent / 100) * sorted.length)) - 1] ?? Number.NaN
  return { p50: at(50), p90: at(90), p99: at(99), max: at(100) }
}

/** Medians of a rate over all rounds, per second. NaN without rounds. */
function rateOf({ rounds }, rate) {
  return bySide((side) => (rounds.length === 0 ? Number.NaN : median(rounds.map((round) => round[side][rate]))))
}

/** By how much the second is less than the first, in percent. */
function lessBy(before, after) {
  return (100 * (before - after)) / before
}

/** Numbers of calls of the healthy listeners, and of those among them that were wrong. */
function tallyOf(results) {
  return bySide((side) => sum(healthy(results).map((each) => each[side].tally)))
}

/** As `tallyOf`, with the calls beside listeners that fail, which an EventEmitter leaves out. */
function wholeTallyOf(results) {
  return bySide((side) => sum([...healthy(results), results.failures].map((each) => each[side].tally)))
}

function healthy({ probed, latency, burst, memory }) {
  return [probed, ...[...latency, ...burst].flatMap(({ rounds }) => rounds), memory]
}

function sum(tallies) {
  const total = (name) => tallies.reduce((all, tally) => all + tally[name], 0)
  return {
    expected: total('expected'),
    missing: total('missing'),
    repeated: total('repeated'),
    disordered: total('disordered'),
  }
}

/** Shares in percent of the calls that failed, and of those that were not made, where one listener fails at times. */
function failuresOf({ failures }) {
  return bySide((side) => {
    const { expected, failed, missing } = failures[side].tally
    return { failed: (100 * failed) / expected, missing: (100 * missing) / expected }
  })
}

/**
 * How many listeners the events reached, of how many they had: rows with the number of events of each side, without those
 * that no event of either side is in.
 */
function distributionOf({ latency, burst, failures, memory }) {
  const all = [...[...latency, ...burst].flatMap(({ rounds }) => rounds), failures, memory]
  const rows = new Map()
  for (const [side, { tally }] of all.flatMap((each) => Object.entries(each))) {
    const had = tally.reached.length - 1
    for (const [reached, events] of tally.reached.entries()) {
      const row = rows.get(`${had} ${reached}`) ?? { had, reached, before: 0, after: 0 }
      row[side] += events
      rows.set(`${had} ${reached}`, row)
    }
  }
  const counted = [...rows.values()].filter(({ before, after }) => before + after > 0)
  return counted.sort((a, b) => a.had - b.had || a.reached - b.reached)
}

function bySide(of) {
  return Object.fromEntries(SIDES.map((side) => [side, of(side)]))
}

module.exports = { timesOf, rateOf, lessBy, tallyOf, wholeTallyOf, failuresOf, distributionOf, bySide }
