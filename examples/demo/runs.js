'use strict'

// The two runs over the files, what is measured of them, and whether they came to the same results.
//
// Both register the same listeners in the same way, and both have one file in flight. They differ in one step:
// how a file gets to its listeners.

const { EventEmitter } = require('node:events')
const { performance } = require('node:perf_hooks')
const { isDeepStrictEqual } = require('node:util')
const { createParallelEventBus } = require('../../index.js')

const WARM_UP_MS = 500

/** As one awaits listeners with EventEmitter: each when the one before it is done. */
async function runOneAfterAnother(files, listeners, onFile) {
  const emitter = new EventEmitter()
  return measure(emitter, files, listeners, onFile, async (file) => {
    for (const listener of emitter.listeners('file')) await listener(file)
  })
}

/** Through the bus: the listeners of a file do not wait for each other. Has the bus's `stats` in addition. */
async function runThroughBus(files, listeners, onFile) {
  // Failures are in each outcome already; without a handler the bus would warn of them as well.
  const bus = createParallelEventBus({ onError() {} })
  const run = await measure(bus, files, listeners, onFile, async (file) => {
    const { errors } = await bus.emitAndWait('file', file)
    if (errors.length > 0) throw errors.find((error) => !isUnreadable(error)) ?? errors[0]
  })
  const stats = bus.getStats()
  await bus.close()
  return { ...run, stats }
}

/**
 * Reads every file, with one of the listeners in turn, and goes over a small tree again and again for a while. So the
 * first run neither waits for the disk, where the second would find the files cached, nor is the one that starts with
 * code that is not optimised yet.
 */
async function warmUp(files, listeners, onFile) {
  const turns = Object.values(listeners)
  const end = performance.now() + WARM_UP_MS
  let turn = 0
  do {
    for (const { path } of files) {
      // A file that can not be read is for the runs to count.
      await turns[turn % turns.length](path).catch(() => {})
      if (turn++ < files.length) onFile()
    }
  } while (performance.now() < end)
}

/**
 * Delivers the files one by one. Resolves to `{ time, events }`: milliseconds, and for each file when it and its
 * listeners started and ended, their results, and whether it was skipped because it could not be read.
 */
async function measure(emitter, files, listeners, onFile, deliver) {
  const events = new Map()
  for (const [name, listener] of Object.entries(listeners)) {
    emitter.on('file', (file) => timed(name, () => listener(file.path), events.get(file)))
  }
  const start = performance.now()
  for (const file of files) {
    const event = { start: performance.now(), end: 0, skipped: false, spans: {}, results: {} }
    events.set(file, event)
    try {
      await deliver(file)
    } catch (error) {
      if (!isUnreadable(error)) throw error
      event.skipped = true
    }
    event.end = performance.now()
    onFile()
  }
  return { time: performance.now() - start, events }
}

async function timed(name, work, { spans, results }) {
  const span = { start: performance.now(), end: 0 }
  spans[name] = span
  try {
    results[name] = await work()
  } finally {
    span.end = performance.now()
  }
}

/** What a failed system call throws: the file vanished, or may not be read. Anything else is a bug. */
function isUnreadable(error) {
  return typeof error?.syscall === 'string'
}

/** Over the files that both runs could read: `{ compared, different }`, a count and the files that differ. */
function compare(one, other) {
  const read = [...one.events].filter(([file, event]) => !event.skipped && !other.events.get(file)?.skipped)
  const different = read.filter(([file, { results }]) => !isDeepStrictEqual(results, other.events.get(file)?.results))
  return { compared: read.length, different: different.map(([file]) => file) }
}

/** What the table shows of a run. Times are in milliseconds. */
function summarise({ time, events }, names) {
  const total = Object.fromEntries(names.map((name) => [name, 0]))
  let skipped = 0
  let bytes = 0
  for (const [file, event] of events) {
    if (event.skipped) skipped++
    else bytes += file.size
    for (const [name, { start, end }] of Object.entries(event.spans)) total[name] += end - start
  }
  return { time, events: events.size, files: events.size - skipped, skipped, bytes, listeners: total }
}

/** The file that took a run longest of those that both could read; undefined if there is none. */
function longest(one, other) {
  let file
  let time = -1
  for (const [candidate, { start, end, skipped }] of one.events) {
    if (skipped || other.events.get(candidate).skipped || end - start <= time) continue
    file = candidate
    time = end - start
  }
  return file
}

module.exports = { warmUp, runOneAfterAnother, runThroughBus, compare, summarise, longest }
