'use strict'

// When memory is called stable: by several readings, and with a bound.

const { median } = require('./median.js')

const MIB = 2 ** 20
/** A trend shows in thirds of several readings; the leftovers of one collection of garbage do not make one. */
const LEAST_READINGS = 6
/** Bytes by which the last third of the readings may exceed the first one. */
const BOUNDS = { heapUsed: MIB / 2, rss: 8 * MIB }

/**
 * Bytes by which a kind of memory grew: the median of the last third of the readings less that of the first third. NaN for
 * too few readings.
 *
 * @param {{ readings: object[] }} memory of one side
 * @param {'heapUsed' | 'rss'} kind
 */
function growthOf({ readings }, kind) {
  if (readings.length < LEAST_READINGS) return Number.NaN
  const third = Math.floor(readings.length / 3)
  const level = (some) => median(some.map((reading) => reading[kind]))
  return level(readings.slice(-third)) - level(readings.slice(0, third))
}

/** Returns whether neither kind of memory grew beyond its bound; false for too few readings. */
function isStable(memory) {
  return Object.entries(BOUNDS).every(([kind, bound]) => growthOf(memory, kind) <= bound)
}

module.exports = { BOUNDS, growthOf, isStable }
