// The types of metrics, traces, `propagate`, and of the subpaths for monitoring.

import {
  type EventCounts,
  type EventMetrics,
  type Metrics,
  ParallelEventBus,
  type Propagate,
  type Stall,
  type ThreadMetrics,
  type Times,
  type Trace,
} from '@cynic/parallel-event-bus'
import { instrument } from '@cynic/parallel-event-bus/opentelemetry'
import { collect } from '@cynic/parallel-event-bus/prometheus'
import { metrics, trace as tracing } from '@opentelemetry/api'
import { Registry } from 'prom-client'
import { check, type Equal } from './check.js'

interface Events {
  order: [id: number]
}

const propagate: Propagate = {
  inject: ({ event, args, bus }) => ({ event: String(event), count: String(args.length), of: bus.constructor.name }),
  extract: (headers, run, { listener }) => (headers.event === listener.name ? run() : undefined),
}
const bus = new ParallelEventBus<Events>({ recordTiming: true, propagate })
new ParallelEventBus({ propagate: { inject: () => undefined, extract: (_headers, run) => run() } })
// @ts-expect-error: headers are strings
new ParallelEventBus({ propagate: { inject: () => ({ a: 1 }), extract: (_headers, run) => run() } })

// Metrics

const numbers = ParallelEventBus.metrics(bus)
check<Equal<typeof numbers, Promise<Metrics>>>()
check<Equal<Metrics['events'][string], EventMetrics>>()
check<Equal<Metrics['total'], EventCounts>>()
check<Equal<EventMetrics['wait'], Times | undefined>>()
check<Equal<ThreadMetrics['busy'], number | undefined>>()
check<Equal<Stall['ms'], number>>()
// @ts-expect-error: it is about a bus
ParallelEventBus.metrics({})

// Traces

const trace = ParallelEventBus.trace({ file: 'trace.json', maxBytes: 1e6 })
check<Equal<typeof trace, Trace>>()
check<Equal<typeof trace.dropped, number | undefined>>()
// @ts-expect-error: it has a file
ParallelEventBus.trace({})

// Monitoring

const stopCollecting = collect(bus, { register: new Registry(), name: 'orders', buckets: [0.1, 1] })
check<Equal<typeof stopCollecting, () => void>>()
collect(bus)
// @ts-expect-error: prom-client calls it `register`
collect(bus, { registry: new Registry() })

const stopInstrumenting = instrument(bus, {
  tracerProvider: tracing.getTracerProvider(),
  meterProvider: metrics.getMeterProvider(),
})
check<Equal<typeof stopInstrumenting, () => void>>()
instrument(bus)
