'use strict'

// A thread with an instrumented bus and an exporter of its own, which sends its spans when it is asked.

const { parentPort, workerData } = require('node:worker_threads')
const { context } = require('@opentelemetry/api')
const { AsyncLocalStorageContextManager } = require('@opentelemetry/context-async-hooks')
const { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } = require('@opentelemetry/sdk-trace-base')
const { ParallelEventBus } = require('../..')
const { instrument } = require('../../opentelemetry.js')

context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable())
const exporter = new InMemorySpanExporter()
const tracerProvider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] })

const bus = new ParallelEventBus({ channel: workerData.channel })
instrument(bus, { tracerProvider })
bus.on('order', async () => {
  await null
  await bus.emitAndWait('stored')
  return 'stored'
})

parentPort.on('message', () => {
  const spans = exporter.getFinishedSpans().map((span) => {
    const { traceId, spanId } = span.spanContext()
    const parent = span.parentSpanContext?.spanId
    return { name: span.name, trace: traceId, id: spanId, parent, thread: span.attributes['thread.id'] }
  })
  parentPort.postMessage(spans)
})
