'use strict'

// The subpath `/opentelemetry`. It needs @opentelemetry/api.

const { instrument } = require('./lib/monitoring/opentelemetry.js')

module.exports = { instrument }
