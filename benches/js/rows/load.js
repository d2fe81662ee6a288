'use strict'

// What it costs to have the library at all.

const { execFileSync } = require('node:child_process')
const { readdirSync, statSync } = require('node:fs')
const path = require('node:path')
const { summary } = require('../measure.js')
const { absolute } = require('./lines.js')

const ROOT = path.join(__dirname, '../../..')
const MIB = 2 ** 20

/** The clock is read in the child, so its own start does not count. */
const TIME_REQUIRE = `
  const { performance } = require('node:perf_hooks')
  const start = performance.now()
  require(${JSON.stringify(ROOT)})
  console.log(performance.now() - start)
`

function requireTime({ quick }) {
  const times = Array.from({ length: quick ? 5 : 25 }, () =>
    Number(execFileSync(process.execPath, ['-e', TIME_REQUIRE])),
  )
  return [absolute({ unit: 'ms', ours: summary(times), goal: { atMost: 10 } })]
}

function binarySize() {
  const binaries = readdirSync(ROOT).filter((file) => file.endsWith('.node'))
  const sizes = binaries.map((file) => statSync(path.join(ROOT, file)).size / MIB)
  return [absolute({ unit: 'MiB', ours: summary([Math.max(...sizes)]), goal: { atMost: 1.5 } })]
}

module.exports = [
  {
    title: 'having it',
    note: 'Each `require` in a process of its own, files in the cache of the system. What Node needs to start is not in it.',
    rows: [
      { id: 'require', what: 'require', measure: requireTime },
      { id: 'binary', what: 'size of the binary', measure: binarySize },
    ],
  },
]
