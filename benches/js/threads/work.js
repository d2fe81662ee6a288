'use strict'

// Work for a processor, and how much of it takes how long.

const { pbkdf2Sync } = require('node:crypto')
const { performance } = require('node:perf_hooks')

/**
 * So many rounds of a hash: code of OpenSSL, that is as fast in each thread and from the first call on. A loop of JavaScript
 * takes 1 to 6 times as long, by the compiler that V8 has come to in that thread, where it is a part of its caller.
 */
function burn(steps) {
  return pbkdf2Sync('', '', Math.max(1, steps), 32, 'sha256')[0]
}

/** How many steps take so many milliseconds here, when nobody is in the way. */
function stepsFor(ms) {
  const sample = 5000
  const times = Array.from({ length: 15 }, () => {
    const start = performance.now()
    burn(sample)
    return performance.now() - start
  })
  return Math.round((sample * ms) / Math.min(...times))
}

module.exports = { burn, stepsFor }
