'use strict'

// npm run soak [-- --seconds 60] [--seed NUMBER]
//
// Threads join channels, emit, wait, leave and die at random, for as long as they are told. The rules that have to hold
// at all times are checked: see `checks.js`, `peer.js` and `rounds.js`. Ends with 1 after a violation, and tells the seed
// of the round. A seed determines the actions of each thread, not their times.

const { spawn } = require('node:child_process')
const path = require('node:path')
const readline = require('node:readline')
const { parseArgs } = require('node:util')
const { growthOf } = require('./growth.js')

const OPTIONS = {
  seconds: { type: 'string', default: '60' },
  seed: { type: 'string', default: String(Math.floor(Math.random() * 2 ** 31)) },
}

/** A round that takes longer hangs, in a way that it cannot tell of itself. */
const LONGEST_ROUND_MS = 300_000

async function main() {
  const { seconds, seed } = parseArgs({ options: OPTIONS }).values
  for (const [name, value] of Object.entries({ seconds, seed })) {
    if (!/^\d+$/.test(value)) throw new TypeError(`--${name} must be a whole number. Received ${value}`)
  }
  console.log(`seed ${seed}, ${seconds} s`)
  const { rounds, end } = await run(seed, seconds)
  account(rounds)
  const growth = growthOf(rounds.map(({ memory }) => memory))
  if (growth !== null) console.log(`violation: ${growth}`)
  if (end === null && growth === null) return console.log('nothing was violated')
  if (end !== null) console.log(`the round with the seed ${end.seed} ${end.how}: npm run soak -- --seed ${end.seed}`)
  process.exitCode = 1
}

/** Resolves to the reports of the rounds, and to the failure that ended the last one, if any. */
function run(seed, seconds) {
  const child = spawn(process.execPath, [path.join(__dirname, 'rounds.js'), seed, seconds], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const rounds = []
  let current = seed
  let how = null
  const watch = setTimeout(() => {
    how = `did not end in ${LONGEST_ROUND_MS / 1000} s`
    child.kill('SIGKILL')
  }, LONGEST_ROUND_MS)
  readline.createInterface({ input: child.stdout }).on('line', (line) => {
    const told = JSON.parse(line)
    watch.refresh()
    if (told.begins === undefined) rounds.push(told)
    else current = told.begins
  })
  return new Promise((resolve) => {
    child.on('close', (status, signal) => {
      clearTimeout(watch)
      if (status !== 0) how ??= rounds.at(-1)?.seed === current ? 'was violated' : `ended with ${signal ?? status}`
      resolve({ rounds, end: how === null ? null : { seed: current, how } })
    })
  })
}

function account(rounds) {
  const sum = (of) => rounds.reduce((total, round) => total + of(round), 0)
  const count = (name) => sum(({ counts }) => counts[name]).toLocaleString('en')
  const ends = [...new Set(rounds.flatMap((round) => Object.keys(round.ends)))].sort()
  const endings = ends.map((end) => `${sum((round) => round.ends[end] ?? 0)} ${end}`)
  const mebibytes = ({ memory }) => `${Math.round(memory.rss / 2 ** 20)} MiB`
  console.log(
    `${rounds.length} rounds, ${count('buses')} buses, ${count('pools')} pools, ${count('teardowns')} of their threads torn down`,
  )
  console.log(`${count('threads')} threads, of which ${endings.join(', ')}`)
  console.log(`${count('events')} events, ${count('heard')} calls of listeners, ${count('promises')} promises`)
  console.log(
    `failures told: ${count('timeouts')} out of time, ${count('refused')} refused, ${count('lost')} with their threads, ${count('aborts')} taken back`,
  )
  if (rounds.length > 0)
    console.log(`memory: ${mebibytes(rounds[0])} after the first round, ${mebibytes(rounds.at(-1))} after the last`)
}

main()
