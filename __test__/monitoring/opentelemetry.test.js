'use strict'

// Spans and metrics of a bus, as the SDK of OpenTelemetry exports them, from all threads.

const assert = require('node:assert/strict')
const { readFileSync } = require('node:fs')
const path = require('node:path')
const { Worker } = require('node:worker_threads')
const { once } = require('node:events')
const { SpanKind, SpanStatusCode, trace } = require('@opentelemetry/api')
const { W3CTraceContextPropagator } = require('@opentelemetry/core')
const { ParallelEventBus } = require('../..')
const { instrument } = require('../../opentelemetry.js')
const { stage, test, until } = require('../fixtures/stage.js')
const { exporting, pointOf } = require('./exporting.js')

const named = (spans, name) => spans.filter((span) => span.name === name)

test('a span for the emit, and a child for each listener', async () => {
  const { tracerProvider, meterProvider, spans } = exporting()
  const bus = new ParallelEventBus({ onError() {} })
  instrument(bus, { tracerProvider, meterProvider })
  const failure = Object.assign(new Error('disk full'), { code: 'ENOSPC' })
  const seen = []
  bus.on('order', function store() {
    seen.push(trace.getActiveSpan())
    throw failure
  })
  bus.on('order', async function mail() {
    await null
    seen.push(trace.getActiveSpan())
  })
  const tracer = tracerProvider.getTracer('test')
  await tracer.startActiveSpan('request', async (span) => {
    await bus.emitAndWait('order', 1)
    span.end()
  })
  const [request] = named(spans(), 'request')
  const [send] = named(spans(), 'send order')
  const [store, mail] = ['store', 'mail'].map((name) =>
    spans().find(({ attributes }) => attributes['code.function.name'] === name),
  )
  assert.equal(spans().length, 4)
  assert.equal(send.parentSpanContext.spanId, request.spanContext().spanId)
  for (const process of [store, mail]) {
    assert.equal(process.name, 'process order')
    assert.equal(process.parentSpanContext.spanId, send.spanContext().spanId)
    assert.equal(process.spanContext().traceId, request.spanContext().traceId)
    assert.equal(process.kind, SpanKind.CONSUMER)
    assert.equal(process.attributes['messaging.operation.type'], 'process')
  }
  assert.equal(send.kind, SpanKind.PRODUCER)
  assert.deepEqual(send.attributes, {
    'messaging.system': 'parallel_event_bus',
    'messaging.operation.type': 'send',
    'messaging.operation.name': 'send',
    'messaging.destination.name': 'order',
    'parallel_event_bus.arguments': 1,
  })
  assert.deepEqual(
    [store.status, store.attributes['error.type']],
    [{ code: SpanStatusCode.ERROR, message: 'disk full' }, 'ENOSPC'],
  )
  assert.equal(store.events[0].name, 'exception')
  assert.equal(mail.status.code, SpanStatusCode.UNSET)
  assert.deepEqual(
    seen.map((span) => span.spanContext().spanId),
    [store, mail].map((span) => span.spanContext().spanId),
  )
})

for (const propagator of [undefined, new W3CTraceContextPropagator()]) {
  test(`the context comes to listeners of other threads, ${propagator ? 'by a propagator' : 'by default'}`, async (t) => {
    const { tracerProvider, meterProvider, spans } = exporting()
    const { bus, channel } = stage(t)
    instrument(bus, { tracerProvider, meterProvider, propagator })
    const worker = new Worker(path.join(__dirname, 'instrumented-thread.js'), { workerData: { channel } })
    t.after(() => worker.terminate())
    await ParallelEventBus.listening(bus, 'order')
    bus.on('stored', () => trace.getActiveSpan())
    await tracerProvider.getTracer('test').startActiveSpan('request', async (span) => {
      assert.equal(await bus.request('order', 5), 'stored')
      span.end()
    })
    worker.postMessage('spans')
    const [theirs] = await once(worker, 'message')
    const byName = new Map([...theirs, ...spans().map(plain)].map((span) => [span.name, span]))
    const line = ['request', 'send order', 'process order', 'send stored', 'process stored'].map((name) =>
      byName.get(name),
    )
    for (const [at, span] of line.entries()) {
      assert.equal(span?.trace, line[0].trace, `${span?.name} is in the trace`)
      if (at > 0) assert.equal(span.parent, line[at - 1].id, `${span.name} is a child of ${line[at - 1].name}`)
    }
    assert.equal(line[2].thread, worker.threadId)
  })
}

function plain(span) {
  const { traceId, spanId } = span.spanContext()
  return { name: span.name, trace: traceId, id: spanId, parent: span.parentSpanContext?.spanId }
}

test('metrics are exported, with those of other threads', async (t) => {
  const { tracerProvider, meterProvider, points } = exporting()
  const { bus, channel, startOne } = stage(t)
  instrument(bus, { tracerProvider, meterProvider })
  const thread = await startOne(({ bus }) => bus.on('order', () => {}))
  bus.on('order', () => {})
  bus.on('order', () => {
    throw new TypeError('wrong')
  })
  for (let count = 0; count < 3; count++) await bus.emitAndWait('order')
  bus.emit('nobody')
  const exported = await points()
  const order = { 'messaging.destination.name': 'order', 'parallel_event_bus.channel': channel }
  assert.equal(pointOf(exported, 'messaging.client.sent.messages', order), 3)
  const outcome = (name) =>
    pointOf(exported, 'parallel_event_bus.listeners', { ...order, 'parallel_event_bus.outcome': name })
  assert.deepEqual([outcome('delivered'), outcome('failed'), outcome('lost')], [6, 3, 0])
  assert.equal(pointOf(exported, 'parallel_event_bus.events.unheard', { 'messaging.destination.name': 'nobody' }), 1)
  assert.equal(pointOf(exported, 'parallel_event_bus.thread.events.queued', { 'thread.id': thread.id }), 0)
  const durations = exported.get('messaging.process.duration')
  const counts = durations.map(({ attributes, value }) => [`${attributes['error.type']}`, value.count])
  assert.deepEqual(counts.sort(), [
    ['TypeError', 3],
    ['undefined', 3],
  ])
  const [wait, ...others] = exported.get('parallel_event_bus.event.wait')
  assert.deepEqual([wait.value.count, wait.attributes['thread.id'], others], [6, 0, []])
})

test('the metrics are those that the document names', async (t) => {
  const document = readFileSync(path.join(__dirname, '../../docs/operating.md'), 'utf8')
  const table = /\n\| metric {2}.*?\n\n/s.exec(document.slice(document.indexOf('## OpenTelemetry')))[0]
  const { tracerProvider, meterProvider, points } = exporting()
  const { bus, cells, startOne } = stage(t)
  cells.name('busy', 'go')
  instrument(bus, { tracerProvider, meterProvider })
  const pool = await bus.spawn(require.resolve('../fixtures/pool.cjs'))
  await startOne(({ bus, cells }) => {
    bus.on('held', () => {
      cells.add('busy')
      cells.block('go')
    })
  })
  bus.on('held', () => {})
  bus.emit('held')
  await cells.reach('busy')
  await until(() => bus.getStats().delivered > 0)
  const names = [...(await points()).keys()]
  cells.set('go', 1)
  // A name that begins with a dot goes on as the one before it.
  let before = ''
  const named = Array.from(table.matchAll(/`([\w.]+)`/g), ([, name]) => {
    if (!name.startsWith('.')) before = name.startsWith('parallel_event_bus.thread.') ? 'parallel_event_bus.thread' : ''
    return name.startsWith('.') ? before + name : name
  })
  for (const name of names) assert.ok(named.includes(name), `${name} is in the document`)
  const attributes = ['parallel_event_bus.outcome', 'parallel_event_bus.pool']
  assert.deepEqual(
    named.filter((name) => !names.includes(name)),
    attributes,
  )
  await pool.close()
})

test('a bus is instrumented once, and can be left', async () => {
  const { tracerProvider, meterProvider, points, spans } = exporting()
  const bus = new ParallelEventBus()
  bus.on('x', () => {})
  const stop = instrument(bus, { tracerProvider, meterProvider })
  assert.throws(() => instrument(bus, { tracerProvider, meterProvider }), { code: 'ERR_INVALID_STATE' })
  await bus.emitAndWait('x')
  assert.equal(spans().length, 2)
  stop()
  await bus.emitAndWait('x')
  assert.equal(spans().length, 2)
  assert.equal((await points()).get('messaging.client.sent.messages')?.length ?? 0, 0)
  instrument(bus, { tracerProvider, meterProvider })
  await bus.emitAndWait('x')
  await until(() => spans().length === 4)
})

test('without providers nothing is exported, and all works', async () => {
  const bus = new ParallelEventBus()
  instrument(bus)
  bus.on('x', () => 5)
  assert.equal(await bus.request('x'), 5)
  assert.throws(() => instrument({}), { code: 'ERR_INVALID_ARG_TYPE' })
  assert.throws(() => instrument(new ParallelEventBus(), { provider: 1 }), { code: 'ERR_INVALID_ARG_VALUE' })
})
