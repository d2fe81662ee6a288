'use strict'

// The numbers of a bus and its channel.

const { ParallelEventBus } = require('../bus.js')
const { invalidArgType } = require('../errors.js')
const { STATE } = require('../state.js')

/** Resolves to the numbers of a bus, and of all threads of its channel. */
async function metrics(bus) {
  if (!(bus instanceof ParallelEventBus)) throw invalidArgType('bus', 'an instance of ParallelEventBus', bus)
  // Few programs ask, and those do it seldom.
  return require('../metrics/report.js').report(bus[STATE])
}

module.exports = { metrics }
