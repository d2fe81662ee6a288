'use strict'

// Processes: the bus over NATS beside nats.js, which does the same by hand, and over Unix sockets beside the messages of
// `fork`.

const { callAll } = require('../callers.js')
const { withEnsemble } = require('../cluster/ensemble.js')
const { US_PER_EVENT, compare } = require('./lines.js')

const ONE_BY_ONE = { callers: 1, each: 20 }
const MANY = { callers: 1000, each: 2 }
const BURST = 2_000
const BY_HAND = 'nats.js by hand'
const PAYLOAD = { id: 1, status: 'paid', total: 12.5 }
const IN_WORDS = 'an object of 3 fields'

/** Counts replies here: each is of one listener that was called. */
function contestant(how, call) {
  const counter = { calls: 0 }
  const counted = async () => {
    await call()
    counter.calls++
  }
  return { events: how.callers * how.each, counters: [counter], run: () => callAll(how, counted) }
}

function requests(how, goals) {
  return (settings) =>
    withEnsemble(1, ({ nats, unix, client, subject, children: [child] }) => {
      const request = async (value) => (await client.request(`${subject}.request`, JSON.stringify(value))).json()
      const contestants = {
        bus: contestant(how, () => nats.request('request', PAYLOAD)),
        [BY_HAND]: contestant(how, () => request(PAYLOAD)),
        'the bus over Unix sockets': contestant(how, () => unix.request('request', PAYLOAD)),
        'messages of fork': contestant(how, echo(child)),
      }
      return compare(contestants, goals, settings, US_PER_EVENT)
    })
}

/** Sends to a process, and waits for it to come back. They come in order. */
function echo(child) {
  const waiting = []
  let first = 0
  child.on('message', () => {
    waiting[first]()
    waiting[first++] = undefined
    if (first === waiting.length) first = waiting.length = 0
  })
  return () =>
    new Promise((resolve) => {
      waiting.push(resolve)
      child.send(PAYLOAD)
    })
}

function waits(processes, how, goals) {
  return (settings) =>
    withEnsemble(processes, ({ nats, unix, replies, subject }) => {
      const all = async (bus) => {
        const { success } = await bus.emitAndWait('event', PAYLOAD)
        if (success !== processes) throw new Error(`${success} of ${processes} listeners were called`)
      }
      const contestants = {
        bus: contestant(how, () => all(nats)),
        [BY_HAND]: contestant(how, () => replies(`${subject}.event`, PAYLOAD, processes)),
        'the bus over Unix sockets': contestant(how, () => all(unix)),
      }
      return compare(contestants, goals, settings, US_PER_EVENT)
    })
}

/** Events that nobody waits for: the bus has each acknowledged, which `idle` waits for; nats.js knows nothing of them. */
function bursts(settings) {
  return withEnsemble(1, ({ nats, unix, client, subject }) => {
    const emits = (bus) => {
      const counter = { calls: 0 }
      return {
        events: BURST,
        counters: [counter],
        async run() {
          for (let count = 0; count < BURST; count++) bus.emit('counted', PAYLOAD)
          await bus.idle()
          counter.calls = await bus.request('count')
        },
      }
    }
    const counter = { calls: 0 }
    const byHand = {
      events: BURST,
      counters: [counter],
      async run() {
        for (let count = 0; count < BURST; count++) client.publish(`${subject}.counted`, JSON.stringify(PAYLOAD))
        counter.calls = (await client.request(`${subject}.count`, '0')).json()
      },
    }
    const contestants = { bus: emits(nats), [BY_HAND]: byHand, 'the bus over Unix sockets': emits(unix) }
    return compare(contestants, { [BY_HAND]: 1 }, settings, US_PER_EVENT)
  })
}

const GROWTH = [1, 3, 7, 15].map((others) => ({
  id: `cluster-growth-${others + 1}`,
  what: `emitAndWait among ${others + 1} processes, 100 callers`,
  full: others > 3,
  measure: waits(others, { callers: 100, each: 2 }, {}),
}))

module.exports = [
  {
    title: 'events between processes, over a NATS server on the same host, beside nats.js',
    note:
      'By hand is JSON and a subject for each event: no acknowledgement of events that nobody waits for, no event is ' +
      'sent again, no bounds, no failures of listeners, and nobody knows how many listeners there are. Both go through the ' +
      'same server. Messages of fork, and the bus over Unix sockets, need none.',
    payload: IN_WORDS,
    rows: [
      { id: 'cluster-request', what: 'request, one at a time', measure: requests(ONE_BY_ONE, { [BY_HAND]: 1 / 1.3 }) },
      { id: 'cluster-many', what: 'request, 1000 in flight', measure: requests(MANY, { [BY_HAND]: 3 }) },
      {
        id: 'cluster-wait',
        what: 'emitAndWait to 2 processes, 1000 in flight',
        measure: waits(2, MANY, { [BY_HAND]: 2 }),
      },
      { id: 'cluster-emit', what: 'emit, each acknowledged', measure: bursts },
      ...GROWTH,
    ],
  },
]
