// biome-ignore-all lint/suspicious/noExplicitAny: a bus with any map of events is meant

// Types of `@cynic/parallel-event-bus/opentelemetry`. Written by hand; `__test__/types` checks them.

import { MeterProvider, TextMapPropagator, TracerProvider } from '@opentelemetry/api'
import { ParallelEventBus } from './index.js'

/** Options of {@link instrument}, all optional. */
export interface InstrumentOptions {
  /**
   * Makes the tracer.
   *
   * @defaultValue the global one
   */
  tracerProvider?: TracerProvider | undefined
  /**
   * Makes the meter.
   *
   * @defaultValue the global one
   */
  meterProvider?: MeterProvider | undefined
  /**
   * Writes the context of an emit as headers, and reads it around listeners.
   *
   * @defaultValue the global one; without one, W3C Trace Context
   */
  propagator?: TextMapPropagator | undefined
}

/**
 * Instruments a bus: a span for each emission, a child of it for each listener, by the conventions for messaging, and the
 * numbers of the bus and its channel. To be called in each thread, for the bus of that thread. Returns a function that ends
 * it.
 *
 * @throws TypeError `ERR_INVALID_ARG_TYPE`, `ERR_INVALID_ARG_VALUE` for wrong arguments
 * @throws Error `ERR_INVALID_STATE` if the bus has `propagate`, or is instrumented already
 */
export function instrument(bus: ParallelEventBus<any>, options?: InstrumentOptions): () => void
