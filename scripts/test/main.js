'use strict'

// npm test [-- --quick] [part …]
//
// Runs the parts of the test suite one after another: `rust`, `loom`, `types` and `js`, or those that are named. Prints
// the whole report of each test that fails, and in the end one summary. `--quick` leaves out the slow files.

const { parseArgs } = require('node:util')
const { cargo } = require('./cargo.js')
const { testFiles } = require('./files.js')
const { runFiles } = require('./javascript.js')
const { StatusLine } = require('./status-line.js')
const { summary } = require('./summary.js')
const { checkTypes } = require('./types.js')

const LOOM = ['--release', '--features', 'loom', '--test', 'loom']

const PARTS = {
  rust: (options) => cargo([], options),
  loom: (options) => cargo(LOOM, options),
  types: checkTypes,
  js: (options) => runFiles(testFiles(options), options),
}
/** loom takes minutes to compile. */
const QUICK = ['rust', 'types', 'js']

const OPTIONS = { quick: { type: 'boolean', default: false } }

async function main(args) {
  const { values, positionals } = parseArgs({ args, options: OPTIONS, allowPositionals: true })
  const { quick } = values
  const names = positionals.length > 0 ? positionals : quick ? QUICK : Object.keys(PARTS)
  const unknown = names.find((name) => !(name in PARTS))
  if (unknown !== undefined) throw new Error(`no part '${unknown}'. The parts are ${Object.keys(PARTS).join(', ')}`)
  const results = []
  for (const name of names) results.push({ name, ...(await timed(name, quick)) })
  console.log(summary(results, { quick }))
  if (results.some(({ fail }) => fail > 0)) process.exitCode = 1
}

/** Runs a part. Resolves to its counts and the milliseconds that it `took`. */
async function timed(name, quick) {
  const line = new StatusLine(name)
  const start = performance.now()
  const report = (text) => line.above(`${text}\n`)
  const counts = await PARTS[name]({ quick, report, progress: (text) => line.show(text) })
  line.end()
  if (counts.tests === 0) throw new Error(`no test of the part '${name}' ran`)
  return { ...counts, took: performance.now() - start }
}

main(process.argv.slice(2)).catch((error) => {
  console.error(error.message)
  process.exitCode = 1
})
