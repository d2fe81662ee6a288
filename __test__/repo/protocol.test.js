'use strict'

// The numbers that JavaScript and the engine's binding exchange stand on two pages, one in each language.

const assert = require('node:assert/strict')
const { readFileSync } = require('node:fs')
const path = require('node:path')
const { test } = require('node:test')
const protocol = require('../../lib/channel/protocol.js')

const PAGE = path.join(__dirname, '../../src/node/protocol.rs')

/** The numbers of the Rust page: an integer, or `1 << n`. */
function numbersIn(source) {
  const constants = source.matchAll(/^pub const ([A-Z_]+): \w+ = (-?\d+)(?: << (\d+))?;$/gm)
  return Object.fromEntries(
    Array.from(constants, ([, name, value, shift = '0']) => [name, Number(value) * 2 ** Number(shift)]),
  )
}

test('both pages of the protocol have the same names and numbers', () => {
  const source = readFileSync(PAGE, 'utf8')
  assert.deepEqual({ ...protocol }, numbersIn(source))
  assert.equal(source.match(/\bconst\b/g).length, Object.keys(protocol).length, 'each constant was read')
})
