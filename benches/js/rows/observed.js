'use strict'

// The time of an event that somebody observes, and of one on the same bus when nobody does: in turns, and the difference round
// by round.

const { mkdtempSync, rmSync } = require('node:fs')
const { tmpdir } = require('node:os')
const path = require('node:path')
const { ParallelEventBus } = require('../../../index.js')
const { race, summary } = require('../measure.js')
const { BURST, listening } = require('./deliver.js')
const { NO_GOAL, absolute } = require('./lines.js')

const TIMING_GOAL = { atMost: 120 }
/** A trace of a longer burst would be a test of the disk. */
const TRACED_BURST = 1000
const MOST_BYTES = 2 ** 30
const HEADERS = { traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01' }

/** Carries as many headers as OpenTelemetry does, and makes nothing of them. */
const carrying = { inject: () => HEADERS, extract: (_headers, run) => run() }

async function differenceOf({ on, off }, against, settings, goal = NO_GOAL) {
  const times = await race({ on, off }, settings)
  const more = times.on.map((time, round) => time - times.off[round])
  return [absolute({ against, unit: 'ns more per event', ours: summary(more), theirs: summary(times.off), goal })]
}

/** Rows of a bus with an option beside one without, with a listener in the same thread and one in another. */
function rowsOfOption(id, option, against, goal) {
  const here = (settings) => differenceOf({ on: local(option), off: local({}) }, against, settings, goal)
  const elsewhere = (settings) =>
    withThreads([option, {}], ([on, off]) => differenceOf({ on, off }, against, settings, goal))
  return rowsOf(id, here, elsewhere)
}

function rowsOf(id, here, elsewhere) {
  return [
    { id: `${id}-here`, what: 'listener in the same thread', measure: here },
    { id: `${id}-thread`, what: 'listener in another thread', measure: elsewhere },
  ]
}

function local(options, burst) {
  const { target, counters } = listening(new ParallelEventBus({ maxListeners: 0, ...options }), 1)
  return contestant(target, counters, burst)
}

async function withThreads(all, measure, burst) {
  const buses = []
  try {
    for (const [number, options] of all.entries()) {
      const bus = new ParallelEventBus({ channel: `bench ${number}`, ...options })
      buses.push(bus)
      await bus.spawn(require.resolve('../threads/silent.js'), { threads: 1 })
    }
    return await measure(buses.map((bus) => contestant(bus, [], burst)))
  } finally {
    for (const bus of buses) await bus.close()
  }
}

function contestant(target, counters, events = BURST) {
  return {
    events,
    counters,
    async run() {
      for (let event = 0; event < events; event++) target.emit('tick', 1)
      await target.idle()
    },
  }
}

/** The same contestant, with a trace for the time of each round. */
function traced({ run, ...about }, folder) {
  const file = path.join(folder, 'trace.json')
  return {
    ...about,
    async run() {
      const trace = ParallelEventBus.trace({ file, maxBytes: MOST_BYTES })
      await run()
      await trace.close()
      if (trace.dropped > 0) throw new Error(`the trace lacks ${trace.dropped} lines`)
    },
  }
}

async function inFolder(work) {
  const folder = mkdtempSync(path.join(tmpdir(), 'bench-trace-'))
  try {
    return await work(folder)
  } finally {
    rmSync(folder, { recursive: true })
  }
}

function tracedHere(settings) {
  return inFolder((folder) => {
    const [on, off] = [traced(local({}, TRACED_BURST), folder), local({}, TRACED_BURST)]
    return differenceOf({ on, off }, 'itself untraced', settings)
  })
}

function tracedElsewhere(settings) {
  const measure =
    (folder) =>
    ([on, off]) =>
      differenceOf({ on: traced(on, folder), off }, 'itself untraced', settings)
  return inFolder((folder) => withThreads([{}, {}], measure(folder), TRACED_BURST))
}

module.exports = [
  {
    title: 'recordTiming: wait and run of each event, beside the same bus without',
    note: 'Bursts of 10 000 events to one listener. Metrics count in both.',
    rows: rowsOfOption('timing', { recordTiming: true }, 'itself without', TIMING_GOAL),
  },
  {
    title: 'propagate: a header of 55 characters with each event, beside the same bus without',
    note: 'Bursts of 10 000 events to one listener.',
    rows: rowsOfOption('propagate', { propagate: carrying }, 'itself without headers'),
  },
  {
    title: 'trace: a file for Perfetto, beside the same bus without',
    note: 'Bursts of 1000 events to one listener, with the begin and the end of the file.',
    rows: rowsOf('trace', tracedHere, tracedElsewhere),
  },
]
