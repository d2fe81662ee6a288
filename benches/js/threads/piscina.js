'use strict'

// The module of a pool of piscina's.

const { workerData } = require('piscina')
const { tasksOf } = require('./tasks.js')

module.exports = tasksOf(workerData)
