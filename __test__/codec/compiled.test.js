'use strict'

// The promises of the codec, for shapes that were sent so often that compiled code writes and reads them.

const { test } = require('node:test')
const { compile, once, roundTrip } = require('../fixtures/codec.js')
const { assertSame } = require('../fixtures/same.js')

compile()

const kinds = [
  5,
  127,
  128,
  -1,
  2 ** 31 - 1,
  -(2 ** 31),
  2 ** 31,
  0.5,
  -0,
  true,
  false,
  null,
  undefined,
  'text',
  [1],
  1n,
]

test('a field that had values of one kind may have one of any other', () => {
  for (const usual of kinds) {
    // A shape of its own, which is compiled for this kind.
    const key = `of kind ${String(usual)} ${typeof usual}`
    const make = (value) => ({ [key]: value, [`${key} twice`]: value, last: value })
    assertSame(roundTrip(make(usual)), structuredClone(make(usual)))
    for (const other of kinds) assertSame(once(make(other)), structuredClone(make(other)), key)
  }
})

test('a property that is undefined is there, and one that a getter has deleted is not', () => {
  const make = (deletes) => {
    const object = {
      get first() {
        if (deletes) delete object.second
        return 1
      },
      second: undefined,
    }
    return object
  }
  for (const deletes of [...new Array(10).fill(false), true, false, true]) {
    assertSame(once(make(deletes)), structuredClone(make(deletes)))
  }
})

require('./values.test.js')
require('./errors.test.js')
