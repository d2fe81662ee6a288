'use strict'

// The module of `bus.spawn`: a thread that judges.

const { threadId } = require('node:worker_threads')
const { score } = require('./dimensions.js')

module.exports = function register(bus) {
  // Each request goes to the thread that has the least to do.
  bus.on('judge', (task) => ({ score: score(task), threadId }))
}
