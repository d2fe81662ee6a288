'use strict'

// A thread of the soak, which may end in the middle of anything it does.

const { parentPort, workerData } = require('node:worker_threads')
const { Actor, PURPOSE } = require('./actor.js')
const { Ledger } = require('./ledger.js')

const WAYS = {
  exit: () => process.exit(),
  throw: () => {
    throw new Error(PURPOSE)
  },
  reject: () => {
    Promise.reject(new Error(PURPOSE))
  },
  hang: () => {
    // The parent of this thread ends it.
    parentPort.postMessage('hangs')
    for (;;);
  },
}

const { memory, part } = workerData
const ledger = new Ledger(memory)
const actor = new Actor(ledger, part, (how) => {
  process.nextTick(WAYS[how])
})

async function main() {
  // The events it waits for may come from others alone, and its buses may be unreferenced.
  const alive = setInterval(() => {}, 1000)
  process.on('warning', (warning) => actor.checks.violated('a warning', warning))
  await actor.live()
  await actor.end()
  clearInterval(alive)
  parentPort.postMessage('done')
}

main()
