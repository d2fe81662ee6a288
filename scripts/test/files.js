'use strict'

// The files of the JavaScript tests, the slow ones first: so none of them runs alone in the end.

const { readdirSync } = require('node:fs')
const path = require('node:path')
const { root } = require('./capture.js')

/** Their `*.test.js` are material of tests, not tests of this suite. */
const NOT_OURS = ['fixtures', 'node_modules']

/** The files that take longest, and why: `npm run test:quick` leaves them out. */
const SLOW = {
  '__test__/channel/alive.test.js': 'dozens of processes, one after another',
  '__test__/channel/churn.test.js': 'hundreds of threads that end in every way',
  '__test__/codec/values.test.js': 'thousands of random values',
  '__test__/codec/compiled.test.js': 'thousands of random values',
  '__test__/codec/messages.test.js': 'thousands of random messages',
  '__test__/repo/integration.test.js': 'installs packages, and measures a migration',
  '__test__/local/lifecycle.test.js': 'dozens of processes, one after another',
  'examples/cynic-core/test/migration.test.js': 'measures migrations',
  '__test__/runtime/native.test.js': 'hundreds of worker threads',
  '__test__/repo/package.test.js': 'packs packages',
}

const TESTS = path.join(root, '__test__')

/** Returns the paths of the test files, of the package and of the examples. */
function testFiles({ quick }) {
  const examples = readdirSync(path.join(root, 'examples')).map((name) => path.join(root, 'examples', name))
  const files = [TESTS, ...examples].flatMap(filesIn)
  const names = files.map(nameOf)
  const missing = Object.keys(SLOW).find((name) => !names.includes(name))
  if (missing !== undefined)
    throw new Error(`scripts/test/files.js lists ${missing} as slow, and there is no such file`)
  const isSlow = (file) => nameOf(file) in SLOW
  const fast = files.filter((file) => !isSlow(file))
  return quick ? fast : [...files.filter(isSlow), ...fast]
}

/** Returns the names of the package's own test files: their paths in `__test__`, with slashes on every platform. */
function packageTests() {
  return filesIn(TESTS).map((file) => slashed(path.relative(TESTS, file)))
}

function filesIn(folder) {
  const entries = readdirSync(folder, { withFileTypes: true }).filter(({ name }) => !NOT_OURS.includes(name))
  return entries.flatMap((entry) => {
    const file = path.join(folder, entry.name)
    if (entry.isDirectory()) return filesIn(file)
    return /\.test\.[cm]?[jt]s$/.test(entry.name) ? [file] : []
  })
}

function nameOf(file) {
  return slashed(path.relative(root, file))
}

function slashed(file) {
  return file.replaceAll(path.sep, '/')
}

module.exports = { packageTests, testFiles }
