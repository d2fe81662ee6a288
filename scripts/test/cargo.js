'use strict'

// The tests in Rust.

const { missingRust } = require('../rust.js')
const { capture } = require('./capture.js')
const { countsOf } = require('./summary.js')

const PROGRAM = /^(?=running \d+ tests?$)/m
const RESULT = /^test result: \w+\. (\d+) passed; (\d+) failed; (\d+) ignored/gm

/** Runs `cargo test`. If a test fails, reports the output of its program. */
async function cargo(args, { report }) {
  const missing = missingRust()
  if (missing !== null) throw new Error(missing)
  const { status, output } = await capture('cargo', ['test', '--quiet', '--no-fail-fast', ...args])
  const counts = countsIn(output)
  if (status === 0) return counts
  report(failuresIn(output))
  // A program that does not compile has no result of its own.
  return counts.fail > 0 ? counts : countsOf({ ...counts, fail: 1 })
}

/** The sum of the results that `cargo test` prints, one for each program. */
function countsIn(output) {
  const results = Array.from(output.matchAll(RESULT), ([, ...numbers]) => numbers.map(Number))
  const sum = (column) => results.reduce((total, numbers) => total + numbers[column], 0)
  return countsOf({ pass: sum(0), fail: sum(1), skipped: sum(2) })
}

/** Returns the output without that of test programs in which all tests passed. */
function failuresIn(output) {
  const parts = output.split(PROGRAM)
  return parts.filter((part) => !/^test result: ok\./m.test(part)).join('')
}

module.exports = { cargo, countsIn, failuresIn }
