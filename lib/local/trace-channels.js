'use strict'

// The tracing channels of `tracing.js`, and whether anybody subscribes to them.

const { tracingChannel } = require('node:diagnostics_channel')

const emissions = tracingChannel('parallel-event-bus:emission')
const listeners = tracingChannel('parallel-event-bus:listener')

/** Looks at every channel: `hasSubscribers` of a tracing channel is not in all releases of Node 20. */
function isTraced() {
  return (
    emissions.start.hasSubscribers ||
    emissions.end.hasSubscribers ||
    emissions.asyncStart.hasSubscribers ||
    emissions.asyncEnd.hasSubscribers ||
    emissions.error.hasSubscribers ||
    listeners.start.hasSubscribers ||
    listeners.end.hasSubscribers ||
    listeners.asyncStart.hasSubscribers ||
    listeners.asyncEnd.hasSubscribers ||
    listeners.error.hasSubscribers
  )
}

/** As `isTraced`, for emissions alone. */
function areEmissionsTraced() {
  return (
    emissions.start.hasSubscribers ||
    emissions.end.hasSubscribers ||
    emissions.asyncStart.hasSubscribers ||
    emissions.asyncEnd.hasSubscribers ||
    emissions.error.hasSubscribers
  )
}

module.exports = { areEmissionsTraced, emissions, isTraced, listeners }
