'use strict'

// A thread with an instrumented bus and an exporter of its own, which sends its spans when it is asked.

const { parentPort, workerData } = require('node:worker_threads')
const { ParallelEventBus } = require('../..')
const { instrument } = require('../../opentelemetry.js')
const { exporting } = require('./exporting.js')

const { tracerProvider, spans } = exporting()
const bus = new ParallelEventBus({ channel: workerData.channel })
instrument(bus, { tracerProvider })
bus.on('order', async () => {
  await null
  await bus.emitAndWait('stored')
  return 'stored'
})

parentPort.on('message', () => {
  const told = spans().map((span) => {
    const { traceId, spanId } = span.spanContext()
    const parent = span.parentSpanContext?.spanId
    return { name: span.name, trace: traceId, id: spanId, parent, thread: span.attributes['thread.id'] }
  })
  parentPort.postMessage(told)
})
