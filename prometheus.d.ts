// biome-ignore-all lint/suspicious/noExplicitAny: a bus with any map of events is meant

// Types of `@cynic/parallel-event-bus/prometheus`. Written by hand; `__test__/types` checks them.

import { Registry } from 'prom-client'
import { ParallelEventBus } from './index.js'

/** Options of {@link collect}, all optional. */
export interface CollectOptions {
  /**
   * The registry that is scraped.
   *
   * @defaultValue the global one of prom-client
   */
  register?: Registry<any> | undefined
  /**
   * The label `bus` of its metrics. Two buses of a registry need two names. Buses of one channel have the same numbers, so
   * one of them is enough.
   *
   * @defaultValue the channel, or `'bus'`
   */
  name?: string | undefined
  /**
   * Upper bounds, in seconds, of the buckets of `event_wait_seconds` and `event_run_seconds`.
   *
   * @defaultValue from 0.1 ms to 10 s
   */
  buckets?: readonly number[] | undefined
}

/**
 * Collects the numbers of a bus, and of its whole channel, in a registry of prom-client. They are read when it is scraped.
 * Returns a function that ends it.
 *
 * The metrics are those of `ParallelEventBus.metrics`. Times are there if the bus records them: see `recordTiming`.
 *
 * @throws TypeError `ERR_INVALID_ARG_TYPE`, `ERR_INVALID_ARG_VALUE` for wrong arguments
 * @throws Error `ERR_INVALID_STATE` if the registry has a bus of this name
 */
export function collect(bus: ParallelEventBus<any>, options?: CollectOptions): () => void
