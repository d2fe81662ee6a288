'use strict'

// Rounds, one after another, in a process that has nothing else to do: after each, nothing may be left in the engine,
// and the memory has to stay where it was. The report of each is printed as a line of JSON.

const { setFlagsFromString } = require('node:v8')
const { runInNewContext } = require('node:vm')
const native = require('../../native.js')
const { Checks } = require('./checks.js')
const { Ledger } = require('./ledger.js')
const { turn } = require('./listeners.js')
const { Random } = require('./random.js')
const { Round } = require('./round.js')

const ROUND_MS = { least: 1000, most: 3000 }
const PATIENCE_MS = 20_000

setFlagsFromString('--expose-gc')
const gc = runInNewContext('gc')

/** Returns the engine's counters, without those that only grow. */
function live() {
  const { wakes, visits, ...counters } = native.counters()
  return counters
}

async function memory() {
  for (let times = 0; times < 3; times++) {
    gc()
    await turn()
  }
  const { rss, heapUsed, external } = process.memoryUsage()
  return { rss, heapUsed, external }
}

/** Waits until the engine has no more than before, and reports the rest if it keeps it. */
async function checkCounters(checks, before) {
  const same = () => JSON.stringify(live()) === JSON.stringify(before)
  const end = performance.now() + PATIENCE_MS
  while (!same() && performance.now() < end) await turn()
  if (!same()) checks.violated('the engine has', { now: live(), before })
}

async function main([seed, seconds]) {
  const end = performance.now() + Number(seconds) * 1000
  const seeds = new Random(Number(seed))
  const ledger = new Ledger()
  const checks = new Checks(ledger, 'between rounds')
  process.on('warning', (warning) => checks.violated('a warning', warning))
  let before = null
  for (let next = Number(seed); performance.now() < end; next = seeds.seed()) {
    process.stdout.write(`${JSON.stringify({ begins: next })}\n`)
    ledger.clear()
    const round = new Round(ledger, next)
    const ms = Math.min(seeds.integer(ROUND_MS.least, ROUND_MS.most), Math.max(0, end - performance.now()))
    await round.run(ms)
    if (before === null) {
      // This thread stays attached to the engine from its first event on.
      before = { ...live(), members: 0, dispatches: 0, timers: 0, threads: 1, mailboxes: 1 }
    }
    await checkCounters(checks, before)
    const { ends } = round
    process.stdout.write(`${JSON.stringify({ seed: next, ends, counts: ledger.counts, memory: await memory() })}\n`)
    if (ledger.get('violations') > 0) process.exit(1)
  }
}

main(process.argv.slice(2))
