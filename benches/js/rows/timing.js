'use strict'

// What `recordTiming` costs an event: the same bus with it and without, in turns, and the difference round by round.

const { ParallelEventBus } = require('../../../index.js')
const { race, summary } = require('../measure.js')
const { BURST, listening } = require('./deliver.js')
const { absolute } = require('./lines.js')

const GOAL = { atMost: 120 }

async function differenceOf(contestants, settings) {
  const { timed, plain } = await race(contestants, settings)
  const more = timed.map((time, round) => time - plain[round])
  const theirs = summary(plain)
  return [absolute({ against: 'itself without', unit: 'ns more per event', ours: summary(more), theirs, goal: GOAL })]
}

function local(settings) {
  const bursts = (options) => {
    const { target, counters } = listening(new ParallelEventBus({ maxListeners: 0, ...options }), 1)
    return contestant(target, counters)
  }
  return differenceOf({ timed: bursts({ recordTiming: true }), plain: bursts({}) }, settings)
}

async function remote(settings) {
  const open = async (name, options) => {
    const bus = new ParallelEventBus({ channel: `bench ${name}`, ...options })
    const pool = await bus.spawn(require.resolve('../threads/silent.js'), { threads: 1 })
    return { bus, pool }
  }
  const [timed, plain] = [await open('timed', { recordTiming: true }), await open('plain', {})]
  try {
    return await differenceOf({ timed: contestant(timed.bus), plain: contestant(plain.bus) }, settings)
  } finally {
    for (const { bus } of [timed, plain]) await bus.close()
  }
}

function contestant(target, counters = []) {
  return {
    events: BURST,
    counters,
    async run() {
      for (let event = 0; event < BURST; event++) target.emit('tick', 1)
      await target.idle()
    },
  }
}

module.exports = [
  {
    title: 'recordTiming: wait and run of each event, beside the same bus without',
    note: 'Bursts of 10 000 events to one listener. Metrics count in both.',
    rows: [
      { id: 'timing-here', what: 'listener in the same thread', measure: local },
      { id: 'timing-thread', what: 'listener in another thread', measure: remote },
    ],
  },
]
