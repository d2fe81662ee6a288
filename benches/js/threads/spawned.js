'use strict'

// The module of a pool that `bus.spawn` starts.

const { tasksOf } = require('./tasks.js')

module.exports = (bus, calls) => {
  const { count, handBack, burn } = tasksOf(calls)
  bus.on('count', count)
  bus.on('handBack', handBack)
  bus.on('burn', burn)
}
