'use strict'

// A thread that works as fast as the machine lets it: started by `ceiling.js`, and nothing comes between its tasks but
// the taking of the next.

const { workerData } = require('node:worker_threads')
const { CALLS, DONE, NEXT, ROUND, STEPS, STOP, TASKS } = require('./words.js')
const { burn } = require('./work.js')

const words = new Int32Array(workerData.memory)

for (let round = 0; ; round++) {
  Atomics.wait(words, ROUND, round)
  if (Atomics.load(words, STOP) === 1) break
  for (let task = take(); task < words[TASKS]; task = take()) {
    burn(words[STEPS + task])
    Atomics.add(words, CALLS, 1)
  }
  if (Atomics.add(words, DONE, 1) + 1 === workerData.threads) Atomics.notify(words, DONE)
}

function take() {
  return Atomics.add(words, NEXT, 1)
}
