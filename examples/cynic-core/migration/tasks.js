'use strict'

// The tasks of one side. Each makes a bus of its own, and returns plain data.

const { performance } = require('node:perf_hooks')
const { setImmediate: turn } = require('node:timers/promises')
const { Workload } = require('./workload.js')

const clock = () => performance.now()

/**
 * Emits events one after another, up to the first that is lost. Times in ms, from the call of `emit`: `emit` until it
 * returned, `lastStart` until the last listener was called, `allDone` until the last one settled; null if calls are lost.
 */
async function latency(target, load, now = clock) {
  const workload = new Workload(target, load, now)
  const times = { emit: [], lastStart: [], allDone: [] }
  for (let count = 0, complete = true; count < load.events && complete; count++) {
    const start = now()
    workload.emit()
    times.emit.push(now() - start)
    complete = await workload.done()
    times.lastStart.push(complete ? workload.lastStart - start : null)
    times.allDone.push(complete ? workload.lastEnd - start : null)
  }
  return { ...times, tally: workload.tally() }
}

/** Emits events all at once. Events per second that the bus took, and that its listeners had dealt with; 0 if lost. */
async function burst(target, load) {
  const workload = new Workload(target, load)
  const start = clock()
  for (let count = 0; count < load.events; count++) workload.emit()
  const emitted = clock()
  const complete = await workload.done()
  const perSecond = (end) => (1000 * load.events) / (end - start)
  return { taken: perSecond(emitted), done: complete ? perSecond(clock()) : 0, tally: workload.tally() }
}

/** Emits to listeners of which one fails now and then. Numbers of emits that threw, and of unhandled rejections. */
async function failures(target, load) {
  const workload = new Workload(target, load)
  let thrown = 0
  let unhandled = 0
  const onUnhandled = () => unhandled++
  process.on('unhandledRejection', onUnhandled)
  for (let count = 0; count < load.events; count++) {
    try {
      workload.emit()
    } catch {
      thrown++
    }
  }
  await workload.done()
  await turn()
  process.off('unhandledRejection', onUnhandled)
  return { events: load.events, thrown, unhandled, tally: workload.tally() }
}

/**
 * Emits many bursts, and reads the memory in use after every few of them, once the process has all it needs. Bytes.
 * `interval` is the number of events from one reading to the next. Ends with the first burst that is lost.
 */
async function memory(target, { readings, bursts, warmUp, burst: size, ...load }) {
  const workload = new Workload(target, { ...load, events: (warmUp + readings * bursts) * size })
  const run = async (count) => {
    for (let number = 0; number < count; number++) {
      for (let event = 0; event < size; event++) workload.emit()
      if (!(await workload.done())) return false
    }
    return true
  }
  const taken = []
  let complete = await run(warmUp)
  while (complete && taken.length < readings) {
    complete = await run(bursts)
    taken.push(await reading())
  }
  const peak = process.resourceUsage().maxRSS * 1024
  return { interval: bursts * size, readings: taken, peak, tally: workload.tally() }
}

async function reading() {
  await turn()
  globalThis.gc?.()
  const { heapUsed, rss } = process.memoryUsage()
  return { heapUsed, rss }
}

/** Emits one event. Says whether its listener had run when `emit` returned. */
async function probe(target) {
  const workload = new Workload(target, { events: 1, listeners: 1, kind: 'nothing' })
  workload.emit()
  const synchronous = workload.tally().missing === 0
  await workload.done()
  return { synchronous, name: target.bus.constructor.name, tally: workload.tally() }
}

module.exports = { latency, burst, failures, memory, probe }
