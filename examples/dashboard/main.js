'use strict'

// Judges items without end, and serves a live view of it: npm run dashboard [-- threads]

const { availableParallelism } = require('node:os')
const { setTimeout: after } = require('node:timers/promises')
const { ParallelEventBus } = require('../../index.js')
const { Court } = require('../cynic-core/judging/court.js')
const { stepsFor } = require('../cynic-core/judging/dimensions.js')
const { serve } = require('./server.js')

const PORT = 8990
const DIMENSION_MS = 5
const PAUSE_MS = 100

async function main([threads = availableParallelism()]) {
  const court = await Court.open({ threads: Number(threads), steps: stepsFor(DIMENSION_MS), recordTiming: true })
  // Any bus of the channel tells of all.
  const bus = new ParallelEventBus({ channel: 'judging' })
  const server = await serve(bus, { port: PORT })
  console.log(`http://127.0.0.1:${server.address().port}`)
  for (let item = 0; ; item++) {
    await court.judgeInThreads(`item ${item}`)
    await after(PAUSE_MS)
  }
}

main(process.argv.slice(2))
