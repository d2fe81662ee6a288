'use strict'

// Work for several cores: the share of the machine's capacity that comes through.

const { Ceiling } = require('../threads/ceiling.js')
const { piscina, poolifier, spawned, tinypool, withPools, workerpool } = require('../threads/pools.js')
const { burn, stepsFor } = require('../threads/work.js')
const { MS_PER_BATCH, shares, skippedAmong } = require('./lines.js')

const THREADS = 2
const TASKS = 8
const TASK_MS = 5

async function measure(settings) {
  const steps = stepsFor(TASK_MS)
  const ceiling = new Ceiling(THREADS, Array(TASKS).fill(steps))
  const opening = { bus: spawned, piscina, tinypool, workerpool, poolifier }
  const lines = await withPools('burn', THREADS, opening, (pools) => {
    const contestants = {
      ...Object.fromEntries(Object.entries(pools).map(([name, pool]) => [name, pooled(pool, steps)])),
      ceiling: { events: 1, counters: perBatch(ceiling), run: () => ceiling.run() },
      'one thread': oneThread(steps),
    }
    return shares(contestants, 'the ceiling', { atLeast: 97 }, settings, MS_PER_BATCH)
  })
  await ceiling.close()
  return [...lines, ...skippedAmong(Object.keys(opening))]
}

function pooled({ run, counters }, steps) {
  return {
    events: 1,
    counters: perBatch(counters[0]),
    async run() {
      await Promise.all(Array.from({ length: TASKS }, () => run(steps)))
    },
  }
}

function oneThread(steps) {
  const counter = { calls: 0 }
  return {
    events: 1,
    counters: perBatch(counter),
    run() {
      for (let task = 0; task < TASKS; task++) {
        burn(steps)
        counter.calls++
      }
    },
  }
}

/** An event of `race` is a batch here. */
function perBatch(counter) {
  return [
    {
      get calls() {
        return counter.calls / TASKS
      },
    },
  ]
}

module.exports = [
  {
    title: 'CPU-bound tasks on 2 threads, share of the machine’s ceiling',
    note:
      'A task is a number of steps of a loop, the same for all, that take some 5 ms on a free core. ' +
      'The ceiling is two threads that take one task after another from a word of shared memory: no message is sent. ' +
      'Where other processes are busy too, contestants that give a thread its tasks beforehand lose most.',
    payload: 'a number there, how many steps, and a number back: up to 11 bytes each as JSON',
    rows: [{ id: 'cpu', what: `${TASKS} requests of ${TASK_MS} ms`, measure }],
  },
]
