'use strict'

// The module of a pool of workerpool's.

const { workerData } = require('node:worker_threads')
const { worker } = require('workerpool')
const { tasksOf } = require('./tasks.js')

worker(tasksOf(workerData))
