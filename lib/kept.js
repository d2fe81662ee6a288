'use strict'

// One object of each kind that comes and goes with events.
//
// V8 throws optimised code away with the last object of a kind that it was optimised for. Between two bursts there may be
// none, and then the burst after a garbage collection starts slow again, and takes several times as long.

const native = require('./native.js')

const kept = []
/** Functions that make objects, until there is a bus; then null. */
let makers = []

/**
 * Keeps objects for as long as the thread lives, from the first bus on.
 *
 * @param {() => object[]} make
 */
function keep(make) {
  if (makers === null) keepNow(make)
  else makers.push(make)
}

/** Notes that there is a bus. */
function keepFromNowOn() {
  const waiting = makers ?? []
  makers = null
  waiting.forEach(keepNow)
}

/** Objects are made outside the async context of the caller: its stores would be kept with them. */
function keepNow(make) {
  native.callOutside(() => {
    kept.push(...make())
  })
}

module.exports = { keep, keepFromNowOn }
