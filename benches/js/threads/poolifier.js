'use strict'

// The module of a pool of poolifier's.

const { workerData } = require('node:worker_threads')
const { ThreadWorker } = require('poolifier')
const { tasksOf } = require('./tasks.js')

const { count, burn } = tasksOf(workerData)

module.exports = new ThreadWorker({ count, burn })
