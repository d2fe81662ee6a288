'use strict'

// The log of `NODE_DEBUG=parallel-event-bus`: threads and channels, and events that were not delivered. It has no line
// for an event that was.

const { debuglog } = require('node:util')

module.exports = debuglog('parallel-event-bus')
