'use strict'

// The bytes that an event takes of the heap while it waits to be delivered.

const { ParallelEventBus } = require('../../../index.js')
const { countingListeners } = require('../listeners.js')
const { summary } = require('../measure.js')
const { PrototypeBus } = require('../prototype.js')
const { absolute } = require('./lines.js')

const QUEUED = 50_000

async function queued({ quick }) {
  const bus = listening(new ParallelEventBus())
  const prototype = listening(new PrototypeBus())
  const [ours, theirs] = [[], []]
  for (let round = -1; round < (quick ? 1 : 7); round++) {
    const [busBytes, prototypeBytes] = [bytesPerEvent(bus), bytesPerEvent(prototype)]
    await bus.idle()
    await prototype.lastBatch
    if (round < 0) continue
    ours.push(busBytes)
    theirs.push(prototypeBytes)
  }
  return [absolute({ against: 'prototype', unit: 'bytes per event', ours: summary(ours), theirs: summary(theirs) })]
}

function listening(target) {
  for (const listener of countingListeners(3).functions) target.on('tick', listener)
  return target
}

/** Emits, and collects garbage: the rest waits. */
function bytesPerEvent(target) {
  globalThis.gc()
  const before = process.memoryUsage().heapUsed
  for (let event = 0; event < QUEUED; event++) target.emit('tick', 1)
  globalThis.gc()
  return (process.memoryUsage().heapUsed - before) / QUEUED
}

module.exports = [
  {
    title: 'memory of events that wait',
    note: 'The JavaScript heap after a collection, with 50 000 events queued, each with a small number as its argument.',
    rows: [{ id: 'queued', what: 'queued event, 3 listeners', measure: queued }],
  },
]
