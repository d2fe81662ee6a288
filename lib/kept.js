'use strict'

// One object of each kind that comes and goes with events.
//
// V8 throws optimised code away with the last object of a kind that it was optimised for. Between two bursts there may be
// none, and then the burst after a garbage collection starts slow again, and takes several times as long.

const native = require('./native.js')

const kept = []

/**
 * Keeps objects for as long as the thread lives. They are made outside the async context in which this library is loaded:
 * its stores would be kept with them.
 *
 * @param {() => object[]} make
 */
function keep(make) {
  native.callOutside(() => {
    kept.push(...make())
  })
}

module.exports = { keep }
