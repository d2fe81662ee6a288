'use strict'

// Percentiles of recorded times.

const { BUCKETS, startOf } = require('./words.js')

const PERCENTILES = { p50: 0.5, p90: 0.9, p99: 0.99, p999: 0.999 }

/**
 * Returns the percentiles of a histogram, in milliseconds; undefined for one without times. A percentile is the middle of
 * its bucket, so that it is right to 3 %.
 *
 * @param {ArrayLike<number>} words with the histogram from a place on
 */
function timesOf(words, at) {
  const total = countOf(words, at)
  if (total === 0) return undefined
  const times = { count: total, mean: words[at] / total }
  const names = Object.keys(PERCENTILES)
  let seen = 0
  for (let bucket = 0; bucket < BUCKETS; bucket++) {
    if (words[at + 1 + bucket] === 0) continue
    seen += words[at + 1 + bucket]
    while (names.length > 0 && seen >= PERCENTILES[names[0]] * total) times[names.shift()] = middleOf(bucket)
    times.max = middleOf(bucket)
  }
  return times
}

/** Returns the number of times in a histogram. */
function countOf(words, at) {
  let count = 0
  for (let bucket = 0; bucket < BUCKETS; bucket++) count += words[at + 1 + bucket]
  return count
}

/** Returns, for each of these bounds in milliseconds, the number of times in a histogram that are not longer. */
function countsUpTo(bounds, words, at) {
  const counts = []
  let [bucket, count] = [0, 0]
  for (const bound of bounds) {
    for (; bucket < BUCKETS && middleOf(bucket) <= bound; bucket++) count += words[at + 1 + bucket]
    counts.push(count)
  }
  return counts
}

function middleOf(bucket) {
  return (startOf(bucket) + startOf(bucket + 1)) / 2
}

module.exports = { countOf, countsUpTo, timesOf }
