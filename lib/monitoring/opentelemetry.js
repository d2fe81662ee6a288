'use strict'

// A bus for OpenTelemetry: a span for each emission and one for each listener, by the conventions for messaging, with the
// context of the emitter in every thread; and the numbers of the bus and its channel.

const { performance } = require('node:perf_hooks')
const { types } = require('node:util')
const { threadId } = require('node:worker_threads')
const api = require('@opentelemetry/api')
const { ParallelEventBus } = require('../bus.js')
const { invalidArgType, invalidState } = require('../errors.js')
const { validateKeys } = require('../option-names.js')
const { STATE } = require('../state.js')
const { version } = require('../../package.json')
const { OUTCOMES, seriesOf } = require('./series.js')
const { w3c } = require('./w3c.js')

const NAME = '@cynic/parallel-event-bus'
const SYSTEM = 'parallel_event_bus'

/** The gauges of threads, by the key of their series. */
const THREAD_GAUGES = {
  running: ['events.running', '{event}', 'Events with running listeners'],
  queued: ['events.queued', '{event}', 'Events that wait'],
  queuedBytes: ['queued.size', 'By', 'Bytes of unsettled events'],
  stalled: ['stalled', 's', 'Time for which the thread has been stuck'],
}

class Instrumentation {
  #state
  #tracer
  #duration
  #wait
  #propagator

  constructor(state, { tracerProvider, meterProvider, propagator }) {
    this.#state = state
    this.#tracer = tracerProvider.getTracer(NAME, version)
    this.#propagator = propagator
    const meter = meterProvider.getMeter(NAME, version)
    this.#duration = meter.createHistogram('messaging.process.duration', {
      unit: 's',
      description: 'Duration of a listener',
    })
    this.#wait = meter.createHistogram(`${SYSTEM}.event.wait`, {
      unit: 's',
      description: 'Time from an emit to the call of a listener',
    })
    this.stopObserving = this.#observe(meter)
  }

  /** See `propagate` of a bus: a span for the emit, whose context travels. */
  inject = ({ event, args }) => {
    const parent = api.context.active()
    const attributes = { ...this.#attributes('send', event), 'parallel_event_bus.arguments': args.length }
    const span = this.#tracer.startSpan(`send ${String(event)}`, { kind: api.SpanKind.PRODUCER, attributes }, parent)
    const headers = {}
    this.#propagator.inject(api.trace.setSpan(parent, span), headers, api.defaultTextMapSetter)
    span.end()
    return headers
  }

  /** A span around a listener, in the context that came with the event. */
  extract = (headers, run, { event, listener, waited }) => {
    const parent = this.#propagator.extract(api.context.active(), headers, api.defaultTextMapGetter)
    const attributes = this.#ofListener(event)
    if (waited !== undefined) this.#wait.record(waited / 1e3, { ...attributes })
    if (listener.name !== '') attributes['code.function.name'] = listener.name
    const kind = api.SpanKind.CONSUMER
    const span = this.#tracer.startSpan(`process ${String(event)}`, { kind, attributes }, parent)
    const started = performance.now()
    const end = (failure) => this.#end(span, event, started, failure)
    let result
    try {
      result = api.context.with(api.trace.setSpan(parent, span), run)
    } catch (error) {
      end({ error })
      throw error
    }
    // A `then` that is no promise's may be called once.
    if (types.isPromise(result))
      result.then(
        () => end(null),
        (error) => end({ error }),
      )
    else end(null)
    return result
  }

  #end(span, event, started, failure) {
    const attributes = this.#ofListener(event)
    if (failure !== null) {
      const { error } = failure
      attributes['error.type'] = error?.code ?? error?.name ?? typeof error
      span.recordException(error instanceof Error ? error : String(error))
      span.setStatus({ code: api.SpanStatusCode.ERROR, message: error?.message })
      span.setAttribute('error.type', attributes['error.type'])
    }
    span.end()
    this.#duration.record((performance.now() - started) / 1e3, attributes)
  }

  /** Each thread has listeners, and exports their times: without its id, those of several would be one series. */
  #ofListener(event) {
    return { ...this.#attributes('process', event), 'thread.id': threadId }
  }

  #attributes(operation, event) {
    return {
      'messaging.system': SYSTEM,
      'messaging.operation.type': operation,
      'messaging.operation.name': operation,
      'messaging.destination.name': String(event),
      ...this.#ofBus(),
    }
  }

  #ofBus() {
    const channel = this.#state.member?.channel
    return channel === undefined ? {} : { 'parallel_event_bus.channel': channel }
  }

  /** Creates the instruments that read numbers when they are exported. Returns a function that ends it. */
  #observe(meter) {
    const counter = (name, unit, description) => meter.createObservableCounter(name, { unit, description })
    const gauge = (name, unit, description) => meter.createObservableGauge(name, { unit, description })
    const sent = counter('messaging.client.sent.messages', '{message}', 'Events that had listeners')
    const unheard = counter(`${SYSTEM}.events.unheard`, '{event}', 'Events that nobody listened to')
    const listeners = counter(`${SYSTEM}.listeners`, '{listener}', 'Listeners that have settled, by outcome')
    const restarts = counter(`${SYSTEM}.pool.restarts`, '{thread}', 'Threads that were replaced')
    const busy = counter(`${SYSTEM}.thread.busy`, 's', 'Time that an event loop was not idle')
    const gauges = Object.entries(THREAD_GAUGES).map(([key, about]) => {
      const [name, ...rest] = about
      return { key, gauge: gauge(`${SYSTEM}.thread.${name}`, ...rest) }
    })
    const runningByEvent = gauge(`${SYSTEM}.thread.events.running_by_event`, '{event}', 'Events with running listeners')
    const observe = (observer) => {
      const { events, threads, pools } = seriesOf(this.#state, [])
      const ofBus = this.#ofBus()
      for (const { event, counts } of events) {
        const about = { 'messaging.system': SYSTEM, 'messaging.destination.name': event, ...ofBus }
        observer.observe(sent, counts.emitted, { ...about, 'messaging.operation.name': 'send' })
        observer.observe(unheard, counts.unheard, about)
        for (const [name, outcome] of Object.entries(OUTCOMES)) {
          observer.observe(listeners, counts[name], { ...about, [`${SYSTEM}.outcome`]: outcome })
        }
      }
      for (const thread of threads) {
        const about = { ...ofThread(thread), ...ofBus }
        for (const { key, gauge } of gauges) observer.observe(gauge, thread[key], about)
        for (const [event, count] of thread.runningByEvent) {
          observer.observe(runningByEvent, count, { ...about, 'messaging.destination.name': event })
        }
        if (thread.busy !== undefined) observer.observe(busy, thread.busy, about)
      }
      for (const [pool, numbers] of pools.entries()) {
        observer.observe(restarts, numbers.restarts, { [`${SYSTEM}.pool`]: pool, ...ofBus })
      }
    }
    const all = [sent, unheard, listeners, restarts, busy, runningByEvent, ...gauges.map(({ gauge }) => gauge)]
    meter.addBatchObservableCallback(observe, all)
    return () => meter.removeBatchObservableCallback(observe, all)
  }
}

/**
 * Instruments a bus. Returns a function that ends it.
 *
 * @param {{ tracerProvider?: object, meterProvider?: object, propagator?: object }} options the global ones by default; and
 * W3C Trace Context where there is no global propagator
 */
function instrument(bus, options = {}) {
  if (!(bus instanceof ParallelEventBus)) throw invalidArgType('bus', 'an instance of ParallelEventBus', bus)
  validateKeys(options, 'options', ['meterProvider', 'propagator', 'tracerProvider'])
  const { tracerProvider = api.trace.getTracerProvider(), meterProvider = api.metrics.getMeterProvider() } = options
  const { propagator = api.propagation.fields().length > 0 ? api.propagation : w3c } = options
  const state = bus[STATE]
  const { tracker } = state
  if (tracker.propagation !== null) throw invalidState('the bus has `propagate`, or is instrumented, already')
  const instrumentation = new Instrumentation(state, { tracerProvider, meterProvider, propagator })
  tracker.propagateBy(instrumentation)
  tracker.countByName()
  return () => {
    instrumentation.stopObserving()
    tracker.propagateBy(null)
  }
}

/** Returns the attributes of a thread, which may be one of another process. */
function ofThread({ thread, peer }) {
  const attributes = { 'thread.id': thread }
  return peer === undefined
    ? attributes
    : { ...attributes, [`${SYSTEM}.peer.id`]: peer.id, [`${SYSTEM}.peer.name`]: peer.name }
}

module.exports = { instrument }
