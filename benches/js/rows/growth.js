'use strict'

// How costs grow: with the size of what is sent, and with how much is in flight.

const { callAll } = require('../callers.js')
const { withCrew } = require('../threads/crew.js')
const { piscina, withPools } = require('../threads/pools.js')
const { US_PER_EVENT, alone, compare } = require('./lines.js')

const KIB = 2 ** 10
const MIB = 2 ** 20
/** What is measured with `--quick`, too. */
const QUICK_SIZES = [KIB, 64 * KIB]
const QUICK_IN_FLIGHT = [10, 10_000]
/** Bytes and events of one burst: less than a mailbox holds of either. */
const MOST_BYTES = 16 * MIB
const MOST_EVENTS = 4096

/** Rows about growth are many, and have no goals: each is shorter than others. */
function shorter(settings) {
  return settings.quick ? settings : { ...settings, rowMs: settings.rowMs / 3, warmUpMs: settings.warmUpMs / 2 }
}

// Size

const PAYLOADS = {
  // Not of the pool that small ones share: all of that would be sent with each.
  Buffer: (size) => Buffer.alloc(size, 'x'),
  string: (size) => 'x'.repeat(size),
}

function sized(kind, size) {
  return {
    id: `size-${kind.toLowerCase()}-${size}`,
    what: `a ${kind} of ${inBytes(size)}`,
    full: !QUICK_SIZES.includes(size),
    measure: (settings) =>
      withCrew({ threads: 1, hears: 'bytes' }, (crew) => {
        const payload = PAYLOADS[kind](size)
        const events = Math.min(MOST_EVENTS, MOST_BYTES / size)
        const contestants = {
          bus: sending(crew, 'bus', events, () => crew.bus.emit('tick', payload)),
          BroadcastChannel: sending(crew, 'broadcast', events, () => crew.broadcast.postMessage(payload)),
        }
        return compare(contestants, { BroadcastChannel: { atLeast: null } }, shorter(settings), US_PER_EVENT)
      }),
  }
}

function sending(crew, way, events, send) {
  return {
    events,
    counters: crew.counters(way),
    collect: crew.collect,
    async run() {
      const heard = crew.heard(way, events)
      for (let sent = 0; sent < events; sent++) send()
      await heard
    },
  }
}

function inBytes(size) {
  if (size < KIB) return `${size} B`
  return size < MIB ? `${size / KIB} KiB` : `${size / MIB} MiB`
}

// In flight

/** Where it takes longer, piscina is left out. */
const MOST_OF_PISCINA = 1000
/** More than are in flight: by default 65 536 messages wait for a thread, and what comes then is refused. */
const MAILBOX = { maxMessages: 200_000 }

function inFlight(callers) {
  const how = { callers, each: Math.max(1, 1000 / callers) }
  return {
    id: `in-flight-${callers}`,
    what: `${callers.toLocaleString('en').replaceAll(',', ' ')} in flight`,
    full: !QUICK_IN_FLIGHT.includes(callers),
    measure: (settings) =>
      withCrew({ threads: 1, hears: 'number', mailbox: MAILBOX }, (crew) => {
        const bus = calling(how, crew.counters('bus'), () => crew.bus.emitAndWait('tick', 1))
        if (callers > MOST_OF_PISCINA) return alone(bus, shorter(settings), US_PER_EVENT)
        return withPools('count', 1, { piscina }, (pools) => {
          const theirs = calling(how, pools.piscina.counters, () => pools.piscina.run(1))
          return compare({ bus, piscina: theirs }, { piscina: { atLeast: null } }, shorter(settings), US_PER_EVENT)
        })
      }),
  }
}

function calling(how, counters, call) {
  return { events: how.callers * how.each, counters, run: () => callAll(how, call) }
}

const SIZES = [64, KIB, 16 * KIB, 64 * KIB, 256 * KIB, MIB]
const IN_FLIGHT = [1, 10, 100, 1000, 10_000, 100_000]

module.exports = [
  {
    title: 'growth: bursts to 1 thread, by size of the one argument',
    note:
      'Up to 16 MiB at a time, beside BroadcastChannel. Nothing is transferred or shared: both copy. The strings have ' +
      'one byte for each character. How the cost grows with the threads is above, with the bursts.',
    rows: Object.keys(PAYLOADS).flatMap((kind) => SIZES.map((size) => sized(kind, size))),
  },
  {
    title: 'growth: emitAndWait to 1 thread, by how many are in flight',
    note:
      'Beside piscina on 1 thread with its default options, as far as that does not take too long. The mailbox holds ' +
      'more than by default: what is more than 65 536 would be refused.',
    rows: IN_FLIGHT.map(inFlight),
  },
]
