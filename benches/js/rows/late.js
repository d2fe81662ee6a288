'use strict'

// An emit right before the emitter gets busy: when the other thread hears of it, and how often it is woken.

const { setTimeout: sleep } = require('node:timers/promises')
const { counters } = require('../../../native.js')
const { summary } = require('../measure.js')
const { block, now } = require('../threads/clock.js')
const { withCrew } = require('../threads/crew.js')
const { absolute } = require('./lines.js')

const BUSY_MS = 50
const BURST = 1000

function one(settings) {
  return withCrew({ threads: 1, hears: 'stamp' }, async (crew) => {
    const onBus = () => crew.bus.emit('tick', now())
    const onBroadcast = () => crew.broadcast.postMessage(now())
    const [ours, theirs] = [[], []]
    await rounds(settings, async () => {
      ours.push(await lateness(crew, 'bus', 1, onBus))
      theirs.push(await lateness(crew, 'broadcast', 1, onBroadcast))
    })
    return [
      absolute({
        against: 'BroadcastChannel',
        unit: 'ms late',
        ours: summary(ours),
        theirs: summary(theirs),
        goal: { atMost: 2 },
      }),
    ]
  })
}

function burst(settings) {
  return withCrew({ threads: 1, hears: 'stamp' }, async (crew) => {
    const [late, wakes] = [[], []]
    await rounds(settings, async () => {
      const before = counters().wakes
      late.push(await lateness(crew, 'bus', BURST, () => crew.bus.emit('tick', now())))
      await crew.bus.idle()
      wakes.push(counters().wakes - before)
    })
    const last = absolute({ unit: 'ms late', ours: summary(late) })
    return [
      absolute({ unit: 'wakes', ours: summary(wakes), goal: { atMost: 5 } }),
      { ...last, what: `the last of ${BURST} events` },
    ]
  })
}

async function rounds({ quick }, round) {
  for (let left = quick ? 5 : 31; left > 0; left--) await round()
}

/** By how much the last of so many comes late, in milliseconds. */
async function lateness(crew, way, count, send) {
  // Everything before is over, and the other thread sleeps.
  await sleep(10)
  const heard = crew.heard(way, count)
  for (let sent = 0; sent < count; sent++) send()
  block(BUSY_MS)
  await heard
  return crew.lateness
}

module.exports = [
  {
    title: `emit to another thread, then ${BUSY_MS} ms of work that blocks the emitter`,
    note:
      'From the emit to the call of the listener, in a thread that sleeps and has to be woken. Beside it is how late ' +
      'the same message comes by BroadcastChannel. Wakes are those of the whole process: the emitter is woken, too, ' +
      'when everything is acknowledged.',
    payload: 'a number, the time in milliseconds: less than 20 bytes as JSON',
    rows: [
      { id: 'late', what: '1 event', measure: one },
      { id: 'late-burst', what: `${BURST} events`, measure: burst },
    ],
  },
]
