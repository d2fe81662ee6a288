'use strict'

// Random values and random bytes go through the codec, as `npm run fuzz` does it for longer.

const fc = require('fast-check')
const { test } = require('node:test')
const { properties } = require('../fixtures/fuzz.js')

test('any value comes back as structuredClone gives it, or is refused', () => {
  fc.assert(properties.values, { numRuns: 1000 })
})

test('any bytes are read or refused, with no look at the bytes around them', () => {
  fc.assert(properties.bytes, { numRuns: 1000 })
})
