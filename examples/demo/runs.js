'use strict'

// The runs over the files. They have the same number of files in flight, and differ in how a file gets to its
// listeners, and in where these are.

const { EventEmitter } = require('node:events')
const { ParallelEventBus, createParallelEventBus } = require('../../index.js')
const { now, timed } = require('./clock.js')
const { measure, someAtATime, throwWorst } = require('./measure.js')

const WARM_UP_MS = 500
const THREAD = require.resolve('./thread.js')

/** As one awaits listeners with EventEmitter: each when the one before it is done. */
async function runOneAfterAnother(files, listeners, options) {
  const emitter = new EventEmitter()
  register(emitter, listeners)
  return measure(
    files,
    async (event) => {
      for (const listener of emitter.listeners('file')) await listener(event)
    },
    options,
  )
}

/** Through the bus: the listeners of a file do not wait for each other. Has the bus's `stats` in addition. */
async function runThroughBus(files, listeners, options) {
  // Failures are in each outcome already; without a handler the bus would warn of them as well.
  const bus = createParallelEventBus({ onError() {} })
  register(bus, listeners)
  const run = await measure(
    files,
    async (event) => {
      const { errors } = await bus.emitAndWait('file', event)
      throwWorst(errors)
    },
    options,
  )
  const stats = bus.getStats()
  await bus.close()
  return { ...run, stats }
}

/** As `runThroughBus`, with `thread.js` in so many `threads`; what it does not listen to is listened to here. */
async function runWithThreads(files, listeners, { threads, ...options }) {
  const bus = new ParallelEventBus({ channel: 'demo', onError: warnOfCrash })
  try {
    await bus.spawn(THREAD, { threads })
    bus.on('lines', timed(listeners.lines))
    const deliver = (event) => ask(bus, Object.keys(listeners), event)
    await warmUpThreads(files, deliver, options)
    bus.resetStats()
    const run = await measure(files, deliver, options)
    return { ...run, stats: bus.getStats() }
  } finally {
    await bus.close()
  }
}

/** The failure of a listener is in its answer; that a thread crashed, and is replaced, is in none. */
function warnOfCrash(event, error) {
  if (event === ParallelEventBus.threadExit) {
    process.emitWarning('a thread of the demo crashed, and is replaced', { detail: error.stack })
  }
}

/** Asks for each result, wherever the listener that answers is. */
async function ask(bus, names, { file, spans, results }) {
  const answers = await Promise.allSettled(names.map((name) => bus.request(name, file.path)))
  throwWorst(answers.flatMap(({ status, reason }) => (status === 'rejected' ? [reason] : [])))
  for (const [index, name] of names.entries()) {
    const { value, span } = answers[index].value
    results[name] = value
    spans[name] = span
  }
}

/**
 * Reads every file, with one of the listeners in turn, and goes over a small tree again and again for a while. So the
 * first run neither waits for the disk, where the second would find the files cached, nor is the one that starts with
 * code that is not optimised yet.
 */
async function warmUp(files, listeners, { onFile }) {
  const turns = Object.values(listeners)
  const end = now() + WARM_UP_MS
  let turn = 0
  do {
    for (const { path } of files) {
      // A file that can not be read is for the runs to count.
      await turns[turn % turns.length](path).catch(() => {})
      if (turn++ < files.length) onFile()
    }
  } while (now() < end)
}

/** Code is optimised in each thread anew. */
async function warmUpThreads(files, deliver, { inFlight }) {
  await someAtATime(inFlight, againFor(WARM_UP_MS, files), (file) =>
    deliver({ file, spans: {}, results: {} }).catch(() => {}),
  )
}

function* againFor(ms, items) {
  const end = now() + ms
  for (;;) {
    for (const item of items) {
      if (now() >= end) return
      yield item
    }
  }
}

function register(emitter, listeners) {
  for (const [name, listener] of Object.entries(listeners)) {
    emitter.on('file', (event) => note(name, () => listener(event.file.path), event))
  }
}

async function note(name, work, { spans, results }) {
  const span = { start: now(), end: 0 }
  spans[name] = span
  try {
    results[name] = await work()
  } finally {
    span.end = now()
  }
}

module.exports = { warmUp, runOneAfterAnother, runThroughBus, runWithThreads }
