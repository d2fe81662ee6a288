'use strict'

// The growth of costs between threads: with the size of payloads, the number in flight, and the names of events. Their
// growth with the threads is in `burst.js`.

const { ParallelEventBus } = require('../../../index.js')
const { callAll } = require('../callers.js')
const { countingListeners } = require('../listeners.js')
const { sizeInWords } = require('../payloads.js')
const { withCrew } = require('../threads/crew.js')
const { piscina, withPools } = require('../threads/pools.js')
const { inFull, point, shorter } = require('./curves.js')
const { US_PER_EVENT, alone, compare } = require('./lines.js')

const KIB = 2 ** 10
const MIB = 2 ** 20
/** Points that are measured with `--quick`, too. */
const QUICK_SIZES = [KIB]
const QUICK_IN_FLIGHT = [10_000]
/** Bytes and events of one burst: less than a mailbox holds of either. */
const MOST_BYTES = 16 * MIB
const MOST_EVENTS = 4096

// Size

const PAYLOADS = {
  // Not of the pool that small ones share: all of that would be sent with each.
  Buffer: (size) => Buffer.alloc(size, 'x'),
  string: (size) => 'x'.repeat(size),
}

function sized(kind, size) {
  return {
    ...point(`size-${kind.toLowerCase()}`, size, `a ${kind} of ${inBytes(size)}`),
    full: !QUICK_SIZES.includes(size),
    measure: (settings) =>
      withCrew({ threads: 1, hears: 'bytes' }, (crew) => {
        const payload = PAYLOADS[kind](size)
        const events = Math.min(MOST_EVENTS, MOST_BYTES / size)
        const contestants = {
          bus: sending(crew, 'bus', events, () => crew.bus.emit('tick', payload)),
          BroadcastChannel: sending(crew, 'broadcast', events, () => crew.broadcast.postMessage(payload)),
        }
        return compare(contestants, {}, shorter(settings), US_PER_EVENT)
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
/** More than are in flight: by default 65 536 events wait for a thread, and later ones are refused. */
const MAILBOX = { maxMessages: 200_000 }

function inFlight(callers) {
  const how = { callers, each: Math.max(1, 1000 / callers) }
  return {
    ...point('in-flight', callers, inFull(callers, 'in flight')),
    full: !QUICK_IN_FLIGHT.includes(callers),
    measure: (settings) =>
      withCrew({ threads: 1, hears: 'number', mailbox: MAILBOX }, (crew) => {
        const bus = calling(how, crew.counters('bus'), () => crew.bus.emitAndWait('tick', 1))
        if (callers > MOST_OF_PISCINA) return alone(bus, shorter(settings), US_PER_EVENT)
        return withPools('count', 1, { piscina }, (pools) => {
          const theirs = calling(how, pools.piscina.counters, () => pools.piscina.run(1))
          return compare({ bus, piscina: theirs }, {}, shorter(settings), US_PER_EVENT)
        })
      }),
  }
}

function calling(how, counters, call) {
  return { events: how.callers * how.each, counters, run: () => callAll(how, call) }
}

// Names

const NAMED = { channel: 'bench-names' }
/** Each name has its turn, in the next burst if not in this one. */
const BURST = 10_000

/** From one bus to another in this thread, through the engine as from thread to thread. */
function named(count) {
  return {
    ...point('names-channel', count, inFull(count, 'name')),
    full: count !== 1000,
    measure: async (settings) => {
      const [emitter, hearer] = [new ParallelEventBus(NAMED), new ParallelEventBus(NAMED)]
      const names = Array.from({ length: count }, (_, number) => `event:${number}`)
      const { functions, counters } = countingListeners(1)
      for (const name of names) hearer.on(name, functions[0])
      let turn = 0
      const bus = {
        events: BURST,
        counters,
        async run() {
          for (let event = 0; event < BURST; event++) emitter.emit(names[turn++ % count], 1)
          await emitter.idle()
        },
      }
      const lines = await alone(bus, shorter(settings), US_PER_EVENT)
      await Promise.all([emitter.close(), hearer.close()])
      return lines
    },
  }
}

const SIZES = [64, KIB, 16 * KIB, 64 * KIB, 256 * KIB, MIB]
/** Strings take the same way. */
const FEWER_SIZES = [64, KIB, 64 * KIB, MIB]
const NAMES = [1, 1000, 10_000, 100_000]
const IN_FLIGHT = [1, 10, 100, 1000, 10_000, 100_000]

module.exports = [
  {
    title: 'growth: bursts to 1 thread, by size of the one argument',
    note:
      'Up to 16 MiB at a time, beside BroadcastChannel. Nothing is transferred or shared: both copy. The strings have ' +
      'one byte for each character. How the cost grows with the threads is above, with the bursts.',
    payload: 'a Buffer or a string, as large as the row says',
    rows: [...SIZES.map((size) => sized('Buffer', size)), ...FEWER_SIZES.map((size) => sized('string', size))],
  },
  {
    title: 'growth: emitAndWait to 1 thread, by how many are in flight',
    note:
      'Beside piscina on 1 thread with its default options, as far as that does not take too long. The mailbox holds ' +
      'more than by default: events above 65 536 would be refused.',
    payload: `the number 1, ${sizeInWords(1)}`,
    rows: IN_FLIGHT.map(inFlight),
  },
  {
    title: 'growth: emit + delivery on a channel, by names of events',
    note:
      'Through the engine, to another bus. A bus remembers the routes of 4096 names; where it emits more in turns, it ' +
      'asks the engine for each again.',
    payload: `the number 1, ${sizeInWords(1)}`,
    rows: NAMES.map(named),
  },
]
