'use strict'

// All rows, in groups that share a title and a note of the differences that their numbers leave out.

module.exports = [
  ...require('./deliver.js').groups,
  ...require('./single.js'),
  ...require('./peers.js'),
  ...require('./wait.js'),
  ...require('./loop.js'),
  ...require('./burst.js'),
  ...require('./kinds.js'),
  ...require('./cold.js'),
  ...require('./answer.js'),
  ...require('./cpu.js'),
  ...require('./mixed.js'),
  ...require('./late.js'),
  ...require('./growth.js'),
  ...require('./growth-local.js'),
  ...require('./cluster.js'),
  ...require('./memory.js'),
  ...require('./load.js'),
  ...require('./observed.js'),
]
