'use strict'

// The subpath `/prometheus`. It needs prom-client.

const { collect } = require('./lib/monitoring/prometheus.js')

module.exports = { collect }
