'use strict'

// The SDK of OpenTelemetry for this thread, with exporters in memory, and the metrics and spans that these got.

const { context } = require('@opentelemetry/api')
const { AsyncLocalStorageContextManager } = require('@opentelemetry/context-async-hooks')
const {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} = require('@opentelemetry/sdk-metrics')
const { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } = require('@opentelemetry/sdk-trace-base')

context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable())

function exporting() {
  const exporter = new InMemorySpanExporter()
  const tracerProvider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] })
  const metrics = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE)
  const reader = new PeriodicExportingMetricReader({ exporter: metrics, exportIntervalMillis: 3_600_000 })
  const meterProvider = new MeterProvider({ readers: [reader] })
  /** Exports the metrics now, and resolves to the data points of each by its name. */
  const points = async () => {
    metrics.reset()
    await meterProvider.forceFlush()
    const all = metrics.getMetrics().flatMap(({ scopeMetrics }) => scopeMetrics.flatMap((scope) => scope.metrics))
    return new Map(all.map(({ descriptor, dataPoints }) => [descriptor.name, dataPoints]))
  }
  return { tracerProvider, meterProvider, points, spans: () => exporter.getFinishedSpans() }
}

/** Returns the value of the data point with these attributes; undefined if there is none. */
function pointOf(points, name, attributes) {
  const has = (point) => Object.entries(attributes).every(([key, value]) => point.attributes[key] === value)
  return points.get(name)?.find(has)?.value
}

module.exports = { exporting, pointOf }
