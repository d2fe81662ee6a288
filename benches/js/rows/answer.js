'use strict'

// Replies from another thread: emitAndWait, one event at a time; request, many at a time.

const { callAll } = require('../callers.js')
const { payloadInWords, payloads, sizeInWords } = require('../payloads.js')
const { withCrew } = require('../threads/crew.js')
const { piscina, poolifier, spawned, tinypool, withPools, workerpool } = require('../threads/pools.js')
const { US_PER_EVENT, US_PER_TASK, compare, skippedAmong } = require('./lines.js')

const ONE_BY_ONE = { callers: 1, each: 100 }
const MANY = { callers: 1000, each: 2 }
const EVENT = 'application’s event'

function oneByOne(settings) {
  const goals = { 'postMessage echo': 1 / 1.2, 'piscina.run': 1 }
  return withCrew({ threads: 1, hears: 'number' }, (crew) =>
    withPools('count', 1, { piscina }, (pools) => {
      const { bus } = crew
      const contestants = {
        bus: contestant(ONE_BY_ONE, crew.counters('bus'), () => bus.emitAndWait('tick', 1)),
        'postMessage echo': contestant(ONE_BY_ONE, crew.counters('echo'), echo(crew.port)),
        'piscina.run': contestant(ONE_BY_ONE, pools.piscina.counters, () => pools.piscina.run(1)),
      }
      return compare(contestants, goals, settings, US_PER_EVENT)
    }),
  )
}

/** Sends to a port, and waits for it to come back. */
function echo(port) {
  let back
  port.on('message', () => back())
  return () =>
    new Promise((resolve) => {
      back = resolve
      port.postMessage(1)
    })
}

function manyAtATime(settings) {
  const opening = {
    bus: spawned,
    piscina,
    'piscina, 64 per thread': (task, threads) => piscina(task, threads, { concurrentTasksPerWorker: 64 }),
    tinypool,
    workerpool,
    poolifier,
  }
  const goals = { piscina: 10 }
  return withPools('count', 2, opening, async (pools) => {
    const contestants = Object.entries(pools).map(([name, { run, counters }]) => [
      name,
      contestant(MANY, counters, () => run(1)),
    ])
    const lines = await compare(Object.fromEntries(contestants), goals, settings, US_PER_TASK)
    return [...lines, ...skippedAmong(Object.keys(opening))]
  })
}

/** The application's event there, and the same one back. */
function eventBothWays(settings) {
  const opening = {
    bus: spawned,
    piscina,
    'piscina, 64 per thread': (task, threads) => piscina(task, threads, { concurrentTasksPerWorker: 64 }),
  }
  const makeEvent = payloads[EVENT]
  return withPools('handBack', 2, opening, async (pools) => {
    const contestants = Object.entries(pools).map(([name, { run, counters }]) => {
      let id = 0
      return [name, contestant(MANY, counters, () => run(makeEvent(id++)))]
    })
    const lines = await compare(Object.fromEntries(contestants), { piscina: 10 }, settings, US_PER_TASK)
    return [...lines, ...skippedAmong(Object.keys(opening))]
  })
}

function contestant(how, counters, call) {
  return { events: how.callers * how.each, counters, run: () => callAll(how, call) }
}

module.exports = [
  {
    title: 'emitAndWait to 1 thread, one at a time, beside others',
    note:
      'The way there and back. Each thread sleeps while the other works, and waking a core costs the same ' +
      'for all: most of the time. The echo knows only that something came back, but not its contents, nor of a listener that ' +
      'fails or a thread that ends. piscina’s thread waits for a word of memory to change, and while it has no task ' +
      'runs nothing else: no timer, no I/O.',
    payload: `the number 1, ${sizeInWords(1)}`,
    rows: [{ id: 'echo', what: 'emitAndWait, 1 listener', measure: oneByOne }],
  },
  {
    title: 'request, 1000 in flight, 2 threads, beside pools',
    note:
      'The task is to count and to return a number, so this is the cost of a task beside its work. piscina, tinypool, ' +
      'workerpool and poolifier give a thread its next task when it is done with the last, unless they are told otherwise. ' +
      'The bus chooses the thread at once, by how much each has.',
    payload: `the number 1, ${sizeInWords(1)}`,
    rows: [{ id: 'request', what: 'request, 1000 callers', measure: manyAtATime }],
  },
  {
    title: 'request with an event there and back, 1000 in flight, 2 threads, beside a pool',
    note:
      'As above, but the listener gets an object, and returns it: it is written and read twice. piscina hands it over by ' +
      'postMessage.',
    get payload() {
      return `the application’s event, ${payloadInWords(EVENT)}, both ways`
    },
    rows: [{ id: 'request-event', what: 'request, 1000 callers', measure: eventBothWays }],
  },
]
