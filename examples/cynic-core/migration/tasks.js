'use strict'

// What one side is asked to do. Each task makes a bus of its own, and returns plain data.

const { performance } = require('node:perf_hooks')
const { setImmediate: turn } = require('node:timers/promises')
const { Workload } = require('./workload.js')

/** Events, one after another: for each, how long `emit` took, and how long all of its listeners. In ms. */
async function latency(target, { events, ...load }) {
  const workload = new Workload(target, load)
  const times = { emit: [], done: [] }
  for (let count = 0; count < events; count++) {
    const start = performance.now()
    workload.emit()
    times.emit.push(performance.now() - start)
    await workload.done()
    times.done.push(performance.now() - start)
  }
  return { ...times, tally: workload.tally() }
}

/** Events, all at once: how many a second the bus took, and how many its listeners had dealt with. */
async function burst(target, { events, ...load }) {
  const workload = new Workload(target, load)
  const start = performance.now()
  for (let count = 0; count < events; count++) workload.emit()
  const emitted = performance.now()
  await workload.done()
  const perSecond = (end) => (1000 * events) / (end - start)
  return { accepted: perSecond(emitted), done: perSecond(performance.now()), tally: workload.tally() }
}

/** Of listeners of which one fails now and then: what that does to the emitter and to the others. */
async function failures(target, { events, ...load }) {
  const workload = new Workload(target, load)
  let thrown = 0
  let unhandled = 0
  const onUnhandled = () => unhandled++
  process.on('unhandledRejection', onUnhandled)
  for (let count = 0; count < events; count++) {
    try {
      workload.emit()
    } catch {
      thrown++
    }
  }
  await workload.done()
  await turn()
  process.off('unhandledRejection', onUnhandled)
  return { events, thrown, unhandled, tally: workload.tally() }
}

/** How the process grows over many events, once it has what it needs. In bytes. */
async function memory(target, { bursts, warmUp, events, ...load }) {
  const workload = new Workload(target, load)
  const run = async (count) => {
    for (let number = 0; number < count; number++) {
      for (let event = 0; event < events; event++) workload.emit()
      await workload.done()
    }
    await turn()
    globalThis.gc?.()
    const { heapUsed, rss } = process.memoryUsage()
    return { heapUsed, rss }
  }
  const start = await run(warmUp)
  const end = await run(bursts)
  return { events: bursts * events, start, end, tally: workload.tally() }
}

/** Whether a listener has run when `emit` returns. */
async function probe(target) {
  const workload = new Workload(target, { listeners: 1, kind: 'nothing' })
  workload.emit()
  const { missing } = workload.tally()
  await workload.done()
  return { synchronous: missing === 0, name: target.bus.constructor.name }
}

module.exports = { latency, burst, failures, memory, probe }
