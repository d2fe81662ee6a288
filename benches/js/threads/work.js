'use strict'

// Work for a processor, and how much of it takes how long.

const { performance } = require('node:perf_hooks')

/** So many steps of a generator of random numbers. Touches no memory, and looks at no clock. */
function burn(steps) {
  let number = 1
  for (let step = 0; step < steps; step++) number = (Math.imul(number, 1_664_525) + 1_013_904_223) | 0
  return number
}

/** How many steps take so many milliseconds here, when nobody is in the way. */
function stepsFor(ms) {
  const sample = 2_000_000
  const times = Array.from({ length: 15 }, () => {
    const start = performance.now()
    burn(sample)
    return performance.now() - start
  })
  return Math.round((sample * ms) / Math.min(...times))
}

module.exports = { burn, stepsFor }
