'use strict'

// What `NODE_DEBUG=parallel-event-bus` prints: threads and channels, and events that were not delivered. Nothing for
// an event that was.

const { debuglog } = require('node:util')

module.exports = debuglog('parallel-event-bus')
