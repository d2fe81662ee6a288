'use strict'

// The 36 dimensions of a judgment. The scoring function stands for a real judge: it takes some 5 ms of a processor, always
// the same work for the same dimension and item, and gives a number from 0 to 99.

const { performance } = require('node:perf_hooks')

const DIMENSIONS = Array.from({ length: 36 }, (_, number) => `dimension-${number + 1}`)

/** Runs so many steps of a generator of random numbers, seeded by the item. Touches no memory, looks at no clock. */
function score({ dimension, item, steps }) {
  let number = [...`${dimension} ${item}`].reduce((seed, character) => Math.imul(seed, 31) + character.charCodeAt(0), 7)
  for (let step = 0; step < steps; step++) number = (Math.imul(number, 1_664_525) + 1_013_904_223) | 0
  return (number >>> 16) % 100
}

/** How many steps take so many milliseconds here, when nobody is in the way. */
function stepsFor(ms) {
  const steps = 2_000_000
  const times = Array.from({ length: 15 }, () => {
    const start = performance.now()
    score({ dimension: 'any', item: 'any', steps })
    return performance.now() - start
  })
  return Math.round((steps * ms) / Math.min(...times))
}

module.exports = { DIMENSIONS, score, stepsFor }
