'use strict'

// npm run test:cluster [-- link …]
//
// Runs the tests across processes over every link: `memory` (a simulated one, in Rust), `unix`, and NATS servers, the
// `newest` and the `oldest`. A server that cannot be had is named, and the other links are tested. Over `unix` and `newest`
// the tests of channels and groups run as well, with a process in the place of each thread. Tests that mean something else
// then are named, with the reason.

const { readdirSync } = require('node:fs')
const path = require('node:path')
const { cargo } = require('../test/cargo.js')
const { root } = require('../test/capture.js')
const { runFiles } = require('../test/javascript.js')
const { StatusLine } = require('../test/status-line.js')
const { summary } = require('../test/summary.js')
const { server } = require('./servers.js')

const TESTS = path.join(root, '__test__')
const LINKS = ['memory', 'unix', 'newest', 'oldest']
/** Links over which the tests that were written for threads run. */
const OF_THREADS = ['unix', 'newest']

async function main(names) {
  const unknown = names.find((name) => !LINKS.includes(name))
  if (unknown !== undefined) throw new Error(`no link '${unknown}'. The links are ${LINKS.join(', ')}`)
  const results = []
  for (const name of names.length > 0 ? names : LINKS) {
    if (!prepare(name)) continue
    results.push(await timed(name, (options) => testsOf(name, options)))
    if (OF_THREADS.includes(name)) results.push(await timed(`${name}, for threads`, testsForThreads))
  }
  console.log(summary(results, { quick: false }))
  if (results.some(({ fail }) => fail > 0)) process.exitCode = 1
}

/** Says to the tests which link it is. Returns false where its server cannot be had. */
function prepare(name) {
  if (name === 'newest' || name === 'oldest') {
    const { binary, version, missing } = server(name)
    if (missing !== undefined) {
      console.log(`${name}: not tested; ${missing}`)
      return false
    }
    console.log(`${name}: ${version}`)
    process.env.PEB_NATS_SERVER = binary
  }
  process.env.PEB_LINK = name === 'unix' ? 'unix' : 'nats'
  return true
}

/** Runs tests. Resolves to their counts, and the milliseconds that they `took`. */
async function timed(name, run) {
  const start = performance.now()
  const line = new StatusLine(name)
  const counts = await run({ report: (text) => line.above(`${text}\n`), progress: (text) => line.show(text) })
  line.end()
  if (counts.tests === 0) throw new Error(`no test over the link '${name}' ran`)
  return { name, ...counts, took: performance.now() - start }
}

/** Runs the tests of a link: those of every link, and those of its own. */
function testsOf(name, options) {
  if (name === 'memory') return cargo(['--test', 'cluster', '--test', 'hosts'], options)
  const others = name === 'unix' ? 'nats' : 'unix'
  const files = filesIn('cluster').filter((file) => !file.split(path.sep).includes(others))
  return runFiles(files, options)
}

/** Runs the tests of channels and groups across processes. */
async function testsForThreads(options) {
  const skipped = new Map()
  process.env.PEB_STAGE = 'processes'
  const counts = await runFiles([...filesIn('channel'), ...filesIn('group')], {
    ...options,
    skipped: (name, reason) => skipped.set(reason, [...(skipped.get(reason) ?? []), name]),
  })
  delete process.env.PEB_STAGE
  for (const [reason, names] of skipped) options.report(`for threads only: ${reason}\n  ${names.join('\n  ')}`)
  return counts
}

function filesIn(folder) {
  const all = readdirSync(path.join(TESTS, folder), { recursive: true })
  return all.filter((file) => file.endsWith('.test.js')).map((file) => path.join(TESTS, folder, file))
}

main(process.argv.slice(2)).catch((error) => {
  console.error(error.message)
  process.exitCode = 1
})
