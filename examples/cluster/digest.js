'use strict'

const { createHash } = require('node:crypto')
const { readFileSync } = require('node:fs')

function digestOf(file) {
  return createHash('sha256').update(readFileSync(file)).digest('hex')
}

module.exports = { digestOf }
