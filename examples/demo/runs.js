'use strict'

// The three runs over the files. They differ in how a file gets to its listeners, and in where these are.

const { EventEmitter } = require('node:events')
const { readFile } = require('node:fs/promises')
const { ParallelEventBus, createParallelEventBus } = require('../../index.js')
const { now } = require('./clock.js')
const { isUnreadable, measure, someAtATime, throwWorst } = require('./measure.js')

const WARM_UP_MS = 500
/** Number of files that are traced. */
const TRACED = 300
/** A prime. */
const STRIDE = 97

/** As one awaits listeners with EventEmitter: each when the one before it is done, and file after file. */
function runOneAfterAnother(files, listeners, { onFile }) {
  const emitter = new EventEmitter()
  register(emitter, listeners)
  const deliver = async (event) => {
    for (const listener of emitter.listeners('file')) await listener(event)
  }
  return measure(files, deliver, { inFlight: 1, onFile })
}

/** Through the bus: the listeners of a file do not wait for each other, nor do files. */
async function runThroughBus(files, listeners, options) {
  // Failures are in each outcome already; without a handler the bus would warn of them as well.
  const bus = createParallelEventBus({ onError() {} })
  register(bus, listeners)
  const deliver = async (event) => {
    const { errors } = await bus.emitAndWait('file', event)
    throwWorst(errors)
  }
  const run = await measure(files, deliver, options)
  await bus.close()
  return run
}

/** On the pool's threads: every listener is a request, and the bus chooses the thread. */
function runOnThreads(files, names, { bus }, options) {
  return measure(files, (event) => ask(bus, names, event), options)
}

/**
 * Works on some of the files once more, while a trace is written. The runs that are measured are not traced. Resolves to the
 * name of the file, or to the error if it cannot be written.
 */
async function writeTrace(files, names, { bus }, { inFlight, file }) {
  let trace
  try {
    trace = ParallelEventBus.trace({ file })
  } catch (error) {
    return error
  }
  try {
    await someAtATime(inFlight, files.slice(0, TRACED), (each) =>
      ask(bus, names, { file: each, spans: {}, results: {} }).catch(ignoreUnreadable),
    )
  } finally {
    await trace.close()
  }
  return trace.file
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

/** Reads every file, so that no run waits for the disk where the next one would find the files cached. */
async function readAll(files, { onFile }) {
  for (const { path } of files) {
    // A file that cannot be read is for the runs to count.
    await readFile(path).catch(ignoreUnreadable)
    onFile()
  }
}

/**
 * Works on some of the files for a while, in the threads and then here, so that no run starts with code that is not
 * optimised yet. Resolves to the milliseconds that all files would take one after another.
 */
async function warmUp(files, listeners, { bus }, { inFlight }) {
  const names = Object.keys(listeners)
  await someAtATime(inFlight, againFor(WARM_UP_MS, files), (file) =>
    ask(bus, names, { file, spans: {}, results: {} }).catch(ignoreUnreadable),
  )
  const start = now()
  let bytes = 0
  for (const { path, size } of againFor(WARM_UP_MS, spread(files))) {
    for (const listener of Object.values(listeners)) await listener(path).catch(ignoreUnreadable)
    bytes += size
  }
  const all = files.reduce((sum, { size }) => sum + size, 0)
  return ((now() - start) * all) / Math.max(1, bytes)
}

function ignoreUnreadable(error) {
  if (!isUnreadable(error)) throw error
}

/** The files in an order in which the first ones are of all sizes, as all of them are. */
function spread(files) {
  return files.map((_, index) => files[(index * STRIDE) % files.length])
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
    emitter.on('file', async ({ file, spans, results }) => {
      const start = now()
      results[name] = await listener(file.path)
      spans[name] = { start, end: now() }
    })
  }
}

module.exports = { readAll, warmUp, runOneAfterAnother, runThroughBus, runOnThreads, writeTrace }
