'use strict'

// npm run fuzz [-- --seconds n] [--seed n]
//
// Looks for values that the codec does not carry as `structuredClone` clones them, and for bytes that it does not
// survive. Each is printed with the seed to find it again.

const { parseArgs } = require('node:util')
const fc = require('fast-check')
const { check, properties } = require('../__test__/fixtures/fuzz.js')

const OPTIONS = { seconds: { type: 'string', default: '20' }, seed: { type: 'string' } }

const { seconds, seed = String(Date.now() % 2 ** 31) } = parseArgs({ options: OPTIONS }).values
console.log(`seed ${seed}`)
for (const [name, property] of Object.entries(properties)) {
  const run = check(property, { seed: Number(seed), seconds: Number(seconds) / Object.keys(properties).length })
  console.log(`${name}: ${run.numRuns} tried`)
  if (!run.failed) continue
  console.log(fc.defaultReportMessage(run))
  process.exitCode = 1
}
