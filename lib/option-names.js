'use strict'

// Checks of the names of options. An unknown one is refused, with the name that was probably meant: a misspelt `chanel`
// would make a bus without a channel, in silence.

const { unknownOption } = require('./errors.js')

/**
 * Throws for an option that does not exist.
 *
 * @param {object} options
 * @param {string} name of the argument or property that they are in, such as `options`
 * @param {string[]} known
 * @throws TypeError `ERR_INVALID_ARG_VALUE`
 */
function validateKeys(options, name, known) {
  for (const key of Object.keys(options)) {
    if (known.includes(key)) continue
    const meant = nearest(key, known)
    const way = meant === undefined ? `Known are ${known.join(', ')}` : `Did you mean '${meant}'?`
    throw unknownOption(`${name}.${key}`, way)
  }
}

/** Returns the known name nearest to a key; undefined where more than a third of its characters would change. */
function nearest(key, known) {
  const most = Math.max(1, Math.floor(key.length / 3))
  const byDistance = known.map((each) => ({ each, distance: distanceBetween(key.toLowerCase(), each.toLowerCase()) }))
  byDistance.sort((one, other) => one.distance - other.distance)
  return byDistance[0].distance <= most ? byDistance[0].each : undefined
}

/** Returns the number of characters to add, remove or replace (Levenshtein, 1965), row by row. */
function distanceBetween(from, to) {
  let row = Array.from({ length: to.length + 1 }, (_, index) => index)
  for (let at = 0; at < from.length; at++) {
    const next = [at + 1]
    for (let index = 0; index < to.length; index++) {
      const replaced = row[index] + (from[at] === to[index] ? 0 : 1)
      next.push(Math.min(replaced, row[index + 1] + 1, next[index] + 1))
    }
    row = next
  }
  return row[to.length]
}

module.exports = { validateKeys }
