'use strict'

// One-way bursts to other threads: emitted one by one, until the last thread has heard the last event.

const { payloadInWords, payloads } = require('../payloads.js')
const { withCrew } = require('../threads/crew.js')
const { inFull } = require('./curves.js')
const { US_PER_EVENT, compare } = require('./lines.js')

/** Fewer than a mailbox holds: none is refused, and no emitter has to wait for room. */
const BURST = 20_000
const PAYLOAD = 'flat object'
const smallEvent = payloads[PAYLOAD]

function row(threads, atLeast) {
  return {
    id: `burst-${threads}`,
    what: `to ${inFull(threads, 'thread')}`,
    curve: 'threads',
    x: threads,
    // How the cost grows has no goal.
    full: atLeast === null,
    measure: (settings) =>
      withCrew({ threads, hears: 'event' }, (crew) =>
        compare(
          { bus: bus(crew), BroadcastChannel: broadcast(crew), postMessage: post(crew) },
          atLeast === null ? {} : { BroadcastChannel: atLeast },
          longer(settings, threads),
          US_PER_EVENT,
        ),
      ),
  }
}

/** Code is compiled in every thread, and the threads share the cores. */
function longer(settings, threads) {
  const { quick, warmUpMs, settleMs, roundMs } = settings
  const scale = threads / (quick ? 2 : 1)
  return {
    ...settings,
    warmUpMs: Math.max(warmUpMs, 200 * scale),
    settleMs: Math.max(settleMs, 25 * scale),
    roundMs: Math.max(roundMs, 50 * scale),
  }
}

function bus(crew) {
  return contestant(crew, 'bus', (event) => crew.bus.emit('tick', event))
}

function broadcast(crew) {
  return contestant(crew, 'broadcast', (event) => crew.broadcast.postMessage(event))
}

function post(crew) {
  return contestant(crew, 'port', (event) => {
    for (const worker of crew.workers) worker.postMessage(event)
  })
}

function contestant(crew, way, send) {
  return {
    events: BURST,
    counters: crew.counters(way),
    collect: crew.collect,
    async run() {
      const heard = crew.heard(way, BURST)
      for (let id = 0; id < BURST; id++) send(smallEvent(id))
      await heard
    },
  }
}

module.exports = [
  {
    title: 'one-way bursts of 20 000 small events to other threads, beside BroadcastChannel and postMessage',
    note:
      'Time per event, until the last thread has heard the last one, however many threads there are: where there are ' +
      'more of them than cores, they share these. BroadcastChannel does not tell whether an event was heard, and has no ' +
      'bound for waiting events. The bus acknowledges each event, and counts those in flight: that is in its time.',
    get payload() {
      return `an object of ${payloadInWords(PAYLOAD)}`
    },
    rows: [row(1, 2.5), row(2, 2.5), row(4, 2.5), row(8, null)],
  },
]
