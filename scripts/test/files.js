'use strict'

// The files of the JavaScript tests, the slow ones first: so none of them runs alone in the end.

const { readdirSync } = require('node:fs')
const path = require('node:path')
const { root } = require('./capture.js')

/** Their `*.test.js` are what tests run, not tests of this suite. */
const NOT_OURS = ['consumers', 'fixtures', 'node_modules']

/** What takes longest, and why: `npm run test:quick` leaves it out. */
const SLOW = {
  'channel-alive.test.js': 'dozens of processes, one after another',
  'churn.test.js': 'hundreds of threads that end in every way',
  'codec.test.js': 'thousands of random values',
  'codec-compiled.test.js': 'thousands of random values',
  'codec-messages.test.js': 'thousands of random messages',
  'integration.test.js': 'installs packages, and measures a migration',
  'lifecycle.test.js': 'dozens of processes, one after another',
  'migration.test.js': 'measures migrations',
  'native.test.js': 'hundreds of worker threads',
  'package.test.js': 'packs packages',
}

/** Returns the paths of the test files. */
function testFiles({ quick }) {
  const examples = readdirSync(path.join(root, 'examples')).map((name) => path.join(root, 'examples', name))
  const files = [path.join(root, '__test__'), ...examples].flatMap(filesIn)
  const names = files.map((file) => path.basename(file))
  const missing = Object.keys(SLOW).find((name) => !names.includes(name))
  if (missing !== undefined)
    throw new Error(`scripts/test/files.js lists ${missing} as slow, and there is no such file`)
  const isSlow = (file) => path.basename(file) in SLOW
  const fast = files.filter((file) => !isSlow(file))
  return quick ? fast : [...files.filter(isSlow), ...fast]
}

function filesIn(folder) {
  const entries = readdirSync(folder, { withFileTypes: true }).filter(({ name }) => !NOT_OURS.includes(name))
  return entries.flatMap((entry) => {
    const file = path.join(folder, entry.name)
    if (entry.isDirectory()) return filesIn(file)
    return /\.test\.[cm]?[jt]s$/.test(entry.name) ? [file] : []
  })
}

module.exports = { testFiles }
