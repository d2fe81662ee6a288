'use strict'

// The numbers of buses for prom-client: metrics that read them when a registry is scraped. Each registry has each metric
// once, for all buses that are collected there.

const { ParallelEventBus } = require('../bus.js')
const { invalidArgType, invalidArgValue, invalidState } = require('../errors.js')
const { validateKeys } = require('../option-names.js')
const { STATE } = require('../state.js')
const { OUTCOMES, seriesOf } = require('./series.js')

/** Bounds of the buckets of times, in seconds. */
const BUCKETS = [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]
const PREFIX = 'parallel_event_bus_'

/** @type {WeakMap<object, Sources>} by registry */
const sourcesOf = new WeakMap()

/**
 * The metrics: for each its name without the prefix, its type, its help, and its samples of a bus. A sample is a value and
 * its labels.
 */
const METRICS = [
  {
    name: 'events_total',
    type: 'counter',
    help: 'Number of events that had listeners.',
    samples: ({ events }) => events.map(({ event, counts }) => [counts.emitted, { event }]),
  },
  {
    name: 'events_unheard_total',
    type: 'counter',
    help: 'Number of events that nobody listened to.',
    samples: ({ events }) => events.map(({ event, counts }) => [counts.unheard, { event }]),
  },
  {
    name: 'listeners_total',
    type: 'counter',
    help: 'Number of listeners that events were addressed to and that have settled, by outcome.',
    samples: ({ events }) =>
      events.flatMap(({ event, counts }) =>
        Object.entries(OUTCOMES).map(([name, outcome]) => [counts[name], { event, outcome }]),
      ),
  },
  histogram('event_wait_seconds', 'Time from the emit of an event to the start of its listeners.', 'wait'),
  histogram('event_run_seconds', 'Time from the start of the listeners of an event until all have settled.', 'run'),
  ofThreads('thread_events_received_total', 'counter', 'Number of events that a thread got from others.', 'received'),
  ofThreads('thread_events_running', 'gauge', 'Number of events with running listeners in a thread.', 'running'),
  {
    name: 'thread_events_running_by_event',
    type: 'gauge',
    help: 'Number of events with running listeners in a thread, by event; missing where it is 0.',
    samples: ({ threads }) =>
      threads.flatMap((thread) =>
        Array.from(thread.runningByEvent, ([event, count]) => [count, { ...labelsOf(thread), event }]),
      ),
  },
  ofThreads('thread_events_queued', 'gauge', 'Number of events that wait for a thread.', 'queued'),
  ofThreads('thread_queued_bytes', 'gauge', 'Bytes of the unsettled events of a thread.', 'queuedBytes'),
  ofThreads('thread_events_unsettled_max', 'gauge', 'The most unsettled events that a thread has had.', 'maxQueued'),
  ofThreads('thread_stalled_seconds', 'gauge', 'Time for which a thread has been stuck; 0 if it is not.', 'stalled'),
  ofThreads('thread_busy_seconds_total', 'counter', 'Time that the event loop of a thread was not idle.', 'busy'),
  {
    name: 'pool_threads',
    type: 'gauge',
    help: 'Number of ready threads of a pool.',
    samples: ({ pools }) => pools.map(({ threadIds }, pool) => [threadIds.length, { pool: String(pool) }]),
  },
  {
    name: 'pool_restarts_total',
    type: 'counter',
    help: 'Number of threads of a pool that crashed or were stuck, and were replaced.',
    samples: ({ pools }) => pools.map(({ restarts }, pool) => [restarts, { pool: String(pool) }]),
  },
]

function ofThreads(name, type, help, key) {
  const samples = ({ threads }) =>
    threads.filter((thread) => thread[key] !== undefined).map((thread) => [thread[key], labelsOf(thread)])
  return { name, type, help, samples }
}

/** Returns the labels of a thread, which may be one of another process. */
function labelsOf({ thread, peer }) {
  const labels = { thread: String(thread) }
  return peer === undefined ? labels : { ...labels, peer: peer.id, peer_name: peer.name }
}

function histogram(name, help, key) {
  const samples = ({ events, bounds }) =>
    events
      .filter((event) => event[key] !== null)
      .flatMap(({ event, [key]: times }) => [
        ...bounds.map((bound, at) => [times.counts[at], { event, le: bound }, '_bucket']),
        [times.count, { event, le: '+Inf' }, '_bucket'],
        [times.sum, { event }, '_sum'],
        [times.count, { event }, '_count'],
      ])
  return { name, type: 'histogram', help, samples }
}

/** The buses that are collected in a registry. */
class Sources {
  /** @type {Map<string, { state: object, bounds: number[] }>} by the value of the label `bus` */
  #buses = new Map()
  #read = null

  /** Registers the metrics. */
  register(registry) {
    for (const { name, type, help, samples } of METRICS) {
      const metric = {
        name: PREFIX + name,
        help,
        type,
        aggregator: 'sum',
        // prom-client takes `_total` off the name of a counter, for OpenMetrics.
        get: async () => ({ ...about(metric), values: this.#values(metric.name, samples) }),
        reset() {},
      }
      registry.registerMetric(metric)
    }
  }

  add(name, source) {
    if (this.#buses.has(name)) {
      throw invalidState(`a bus is collected as '${name}' in this registry already: give the other one a name`)
    }
    this.#buses.set(name, source)
  }

  remove(name) {
    this.#buses.delete(name)
  }

  #values(metricName, samples) {
    return this.#series().flatMap(([bus, series]) =>
      samples(series).map(([value, labels, suffix = '']) => {
        const sample = { value, labels: { bus, ...labels } }
        return suffix === '' ? sample : { ...sample, metricName: metricName + suffix }
      }),
    )
  }

  /** Returns the series of each bus. All metrics of one scrape are of one moment. */
  #series() {
    if (this.#read === null) {
      this.#read = Array.from(this.#buses, ([name, { state, bounds }]) => [
        name,
        { ...seriesOf(state, bounds), bounds },
      ])
      setImmediate(() => {
        this.#read = null
      })
    }
    return this.#read
  }
}

function about({ name, help, type, aggregator }) {
  return { name, help, type, aggregator }
}

/**
 * Collects the numbers of a bus, and of its channel, in a registry of prom-client. Returns a function that ends it.
 *
 * @param {{ register?: object, name?: string, buckets?: number[] }} options
 */
function collect(bus, options = {}) {
  if (!(bus instanceof ParallelEventBus)) throw invalidArgType('bus', 'an instance of ParallelEventBus', bus)
  validateKeys(options, 'options', ['buckets', 'name', 'register'])
  const { register = require('prom-client').register, buckets = BUCKETS } = options
  if (typeof register?.registerMetric !== 'function') {
    throw invalidArgType('options.register', 'a Registry of prom-client', register)
  }
  if (!Array.isArray(buckets) || buckets.some((bound, at) => !(bound > (buckets[at - 1] ?? 0)))) {
    throw invalidArgValue('options.buckets', buckets, 'must be seconds in rising order')
  }
  const state = bus[STATE]
  const { name = state.member?.channel ?? 'bus' } = options
  let sources = sourcesOf.get(register)
  if (sources === undefined) {
    sources = new Sources()
    sources.register(register)
    sourcesOf.set(register, sources)
  }
  sources.add(name, { state, bounds: buckets })
  state.tracker.countByName()
  return () => sources.remove(name)
}

module.exports = { collect }
