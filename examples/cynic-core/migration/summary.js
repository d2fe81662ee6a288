'use strict'

// What the rounds of a check come to: medians of before and after, and how many listeners the events had.

const { median } = require('./median.js')

const SIDES = ['before', 'after']

/** Medians of a time over all events of all rounds, in ms. */
function latencyOf({ rounds }, time) {
  return bySide((side) => median(rounds.flatMap((round) => round[side][time])))
}

/** Medians of a rate over all rounds, per second. */
function rateOf({ rounds }, rate) {
  return bySide((side) => median(rounds.map((round) => round[side][rate])))
}

/** By how much the second is less than the first, in percent. */
function lessBy({ before, after }) {
  return (100 * (before - after)) / before
}

/** Of the healthy listeners: calls that had to come, and what was wrong with those that came. */
function tallyOf({ latency, burst, memory }) {
  const rounds = [...latency, ...burst].flatMap((row) => row.rounds)
  return bySide((side) => {
    const tallies = [...rounds, memory].map((each) => each[side].tally)
    const sum = (name) => tallies.reduce((total, tally) => total + tally[name], 0)
    return {
      expected: sum('expected'),
      missing: sum('missing'),
      repeated: sum('repeated'),
      disordered: sum('disordered'),
    }
  })
}

/** Of the listeners of which one fails: which share of the calls failed, or was not made, in percent. */
function failureRateOf({ failures }) {
  return bySide((side) => {
    const { expected, failed, missing } = failures[side].tally
    return (100 * (failed + missing)) / expected
  })
}

/** Bytes that were still there after the last of many events, and not after the first ones. */
function growthOf({ memory }, kind) {
  return bySide((side) => memory[side].end[kind] - memory[side].start[kind])
}

/** How many calls of listeners each event had, from the calls there were, by how many it should have had. */
function distributionOf({ latency, burst }) {
  const rows = [...latency, ...burst]
  return bySide((side) => {
    const events = new Map()
    for (const { listeners, rounds } of rows) {
      const calls = rounds.reduce((sum, round) => sum + heard(round[side].tally), 0)
      events.set(listeners, (events.get(listeners) ?? 0) + calls / listeners)
    }
    return events
  })
}

function heard({ expected, missing, repeated }) {
  return expected - missing + repeated
}

function bySide(of) {
  return Object.fromEntries(SIDES.map((side) => [side, of(side)]))
}

module.exports = { latencyOf, rateOf, lessBy, tallyOf, failureRateOf, growthOf, distributionOf }
