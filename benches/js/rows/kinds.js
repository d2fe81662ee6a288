'use strict'

// One-way bursts by kind of payload.

const { payloadInWords, payloads } = require('../payloads.js')
const { withCrew } = require('../threads/crew.js')
const { inFull, shorter } = require('./curves.js')
const { US_PER_EVENT, compare } = require('./lines.js')

/** How many times as fast as BroadcastChannel. */
const GOALS = {
  3: [
    'flat object',
    'application’s event',
    'uuid, number, name',
    'nested objects',
    'undefined and -0',
    'three shapes in turn',
  ],
  2: [
    ...['integer', 'short string', 'text with accents', 'Date', 'class instance', 'small typed array'],
    ...['Buffer of 64 bytes', '10 rows of objects', '100 rows of objects', '1000 doubles'],
  ],
  1.5: ['Map', 'Set', 'BigInt', 'shared references', 'string of 1 KiB', 'Buffer of 4 KiB'],
  1.2: ['Buffer of 64 KiB', 'Float64Array of 64 KiB', 'string of 64 KiB', 'wide text of 4 KiB'],
  1: ['Error'],
}
/** With a sole receiver. */
const MEGABYTE = { 1: 2, 2: 1.2 }

/** Events in a burst. No more wait than a mailbox holds. */
const BURST = 4000
const BURSTS = { '100 rows of objects': 1000, '1000 doubles': 1000, 'Buffer of 1 MiB': 32 }

function row(kind, threads) {
  const large = / of (4|64) KiB$/.test(kind)
  const events = BURSTS[kind] ?? (large ? 500 : BURST)
  return {
    id: `kind-${threads}-${kind.toLowerCase().replace(/\W+/g, '-')}`,
    get what() {
      return `${kind} (${payloadInWords(kind)}), to ${inFull(threads, 'thread')}`
    },
    full: threads > 1,
    measure: (settings) =>
      withCrew({ threads, hears: 'anything' }, (crew) => {
        const make = payloads[kind]
        const contestant = (way, send) => ({
          events,
          counters: crew.counters(way),
          collect: crew.collect,
          async run() {
            const heard = crew.heard(way, events)
            for (let id = 0; id < events; id++) send(make(id))
            await heard
          },
        })
        return compare(
          {
            bus: contestant('bus', (payload) => crew.bus.emit('tick', payload)),
            BroadcastChannel: contestant('broadcast', (payload) => crew.broadcast.postMessage(payload)),
          },
          { BroadcastChannel: goalOf(kind, threads) },
          shorter(settings),
          US_PER_EVENT,
        )
      }),
  }
}

function goalOf(kind, threads) {
  const [goal] = Object.entries(GOALS).find(([, kinds]) => kinds.includes(kind)) ?? [MEGABYTE[threads]]
  return Number(goal)
}

module.exports = [
  {
    title: 'one-way bursts by kind of payload, beside BroadcastChannel',
    note:
      'Time per event, until the last thread has heard the last one; to make the payload is in it. Events in a burst: ' +
      'up to 4000, 32 of a mebibyte.',
    payload: 'what each row says',
    rows: [1, 2].flatMap((threads) => Object.keys(payloads).map((kind) => row(kind, threads))),
  },
]
