'use strict'

// npm run test:cluster [-- link …]
//
// Runs the tests across processes over every link: `memory` (a simulated one, in Rust), `unix`, and NATS servers, the
// `newest` and the `oldest`. A server that cannot be had is named, and the other links are tested.

const { readdirSync } = require('node:fs')
const path = require('node:path')
const { cargo } = require('../test/cargo.js')
const { root } = require('../test/capture.js')
const { runFiles } = require('../test/javascript.js')
const { StatusLine } = require('../test/status-line.js')
const { summary } = require('../test/summary.js')
const { server } = require('./servers.js')

const TESTS = path.join(root, '__test__/cluster')
const LINKS = ['memory', 'unix', 'newest', 'oldest']

async function main(names) {
  const unknown = names.find((name) => !LINKS.includes(name))
  if (unknown !== undefined) throw new Error(`no link '${unknown}'. The links are ${LINKS.join(', ')}`)
  const results = []
  for (const name of names.length > 0 ? names : LINKS) {
    const found = await timed(name)
    if (found !== undefined) results.push({ name, ...found })
  }
  console.log(summary(results, { quick: false }))
  if (results.some(({ fail }) => fail > 0)) process.exitCode = 1
}

/** Runs the tests over a link. Resolves to undefined where its server cannot be had. */
async function timed(name) {
  const start = performance.now()
  if (name === 'newest' || name === 'oldest') {
    const { binary, version, missing } = server(name)
    if (missing !== undefined) {
      console.log(`${name}: not tested; ${missing}`)
      return
    }
    console.log(`${name}: ${version}`)
    process.env.PEB_NATS_SERVER = binary
  }
  process.env.PEB_LINK = name === 'unix' ? 'unix' : 'nats'
  const line = new StatusLine(name)
  const options = { report: (text) => line.above(`${text}\n`), progress: (text) => line.show(text) }
  const tests =
    name === 'memory' ? cargo(['--test', 'cluster', '--test', 'hosts'], options) : runFiles(files(name), options)
  const counts = await tests
  line.end()
  if (counts.tests === 0) throw new Error(`no test over the link '${name}' ran`)
  return { ...counts, took: performance.now() - start }
}

/** Returns the test files of a link: those of every link, and those of its own. */
function files(name) {
  const others = name === 'unix' ? 'nats' : 'unix'
  const all = readdirSync(TESTS, { recursive: true }).filter((file) => file.endsWith('.test.js'))
  return all.filter((file) => !file.split(path.sep).includes(others)).map((file) => path.join(TESTS, file))
}

main(process.argv.slice(2)).catch((error) => {
  console.error(error.message)
  process.exitCode = 1
})
