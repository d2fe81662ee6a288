'use strict'

// The effects of a flood of emissions on the rest of the process: timers that come late, memory that stays.

const { performance } = require('node:perf_hooks')
const { setTimeout: sleep } = require('node:timers/promises')
const { ParallelEventBus } = require('../../../index.js')
const { countingListeners } = require('../listeners.js')
const { summary } = require('../measure.js')
const { absolute } = require('./lines.js')

const QUEUED = 1_000_000
const TIMER_MS = 20

const EMISSIONS = 10_000_000
const WARM_UP_STEPS = 5
const BURST = 10_000
const MIB = 2 ** 20

async function timer({ quick }) {
  const { functions } = countingListeners(3)
  const bus = new ParallelEventBus()
  for (const listener of functions) bus.on('tick', listener)
  const idle = []
  const flooded = []
  for (let round = -1; round < (quick ? 2 : 9); round++) {
    globalThis.gc?.()
    const without = await lateness()
    for (let event = 0; event < QUEUED; event++) bus.emit('tick', 1)
    const under = await lateness()
    if (bus.getStats().pending === 0) throw new Error('the queue was empty before the timer fired')
    await bus.idle()
    if (round < 0) continue
    idle.push(without)
    flooded.push(under)
  }
  const [ours, theirs] = [summary(flooded), summary(idle)]
  return [absolute({ against: 'nothing queued', unit: 'ms late', ours, theirs, goal: { atMost: 10 } })]
}

/** By how much a timer is late. */
async function lateness() {
  // A timer counts from when the loop last looked at the clock. After a long synchronous stretch that is long ago,
  // so the timer is set from within another one, before which the loop has just looked.
  await sleep(1)
  const due = performance.now() + TIMER_MS
  await sleep(TIMER_MS)
  return performance.now() - due
}

async function memory() {
  const { functions, counters } = countingListeners(1)
  const bus = new ParallelEventBus()
  bus.on('tick', functions[0])
  const deliver = async (emissions) => {
    for (let event = 0; event < emissions; event++) {
      bus.emit('tick', 1)
      if (event % BURST === BURST - 1) await bus.idle()
    }
    globalThis.gc?.()
    return process.memoryUsage.rss() / MIB
  }
  const step = EMISSIONS / 10
  // The first collections leave the young generation of the heap at one size or another.
  const warm = []
  for (let time = 0; time < WARM_UP_STEPS; time++) warm.push(await deliver(step))
  const before = Math.max(...warm.slice(-3))
  const growth = []
  for (let emitted = 0; emitted < EMISSIONS; emitted += step) growth.push((await deliver(step)) - before)
  if (counters[0].calls !== EMISSIONS + WARM_UP_STEPS * step)
    throw new Error(`the listener was called ${counters[0].calls} times`)
  // The last value, not a median: a leak would show there.
  const ours = { ...summary(growth), median: growth.at(-1) }
  return [absolute({ unit: 'MiB', ours, goal: { atMost: 10 } })]
}

module.exports = [
  {
    title: 'the rest of the process',
    note: 'The bus alone: beside the timer is how late the same one is with nothing queued.',
    rows: [
      { id: 'timer', what: 'a 20 ms timer under 1 000 000 queued emissions, 3 listeners', measure: timer },
      { id: 'memory', what: 'RSS growth over 10 000 000 emissions in bursts of 10 000', measure: memory, full: true },
    ],
  },
]
