'use strict'

// The numbers of a bus and its channel for Prometheus, as prom-client serves them.

const assert = require('node:assert/strict')
const { readFileSync } = require('node:fs')
const path = require('node:path')
const { Registry, Counter } = require('prom-client')
const { ParallelEventBus } = require('../..')
const { collect } = require('../../prometheus.js')
const { stage, test } = require('../fixtures/stage.js')
const { samplesOf, scrape } = require('./scraping.js')

test('a scrape has what became of events in all threads, and their times', async (t) => {
  const { bus, channel, start } = stage(t, { recordTiming: true })
  const setup = ({ bus }) => {
    bus.on('order', () => {})
    bus.on('order', () => {
      throw new Error('failed')
    })
  }
  const [one] = await start(2, setup, { options: { recordTiming: true, onError: undefined } })
  const register = new Registry()
  collect(bus, { register, buckets: [0.01, 1, 60] })
  new Counter({ name: 'own', help: 'The program has metrics of its own.', registers: [register] }).inc(3)
  for (let count = 0; count < 10; count++) bus.emit('order')
  bus.emit('nobody')
  await bus.idle()
  for (const thread of [one]) await thread.run(() => {})
  const text = await scrape(t, register)
  const samples = samplesOf(text)
  const of = (name, labels = '') => samples.get(`parallel_event_bus_${name}{bus="${channel}"${labels}}`)
  const order = ',event="order"'
  assert.equal(of('events_total', order), 10)
  assert.equal(of('events_unheard_total', ',event="nobody"'), 1)
  assert.equal(of('listeners_total', `${order},outcome="delivered"`), 20)
  assert.equal(of('listeners_total', `${order},outcome="failed"`), 20)
  for (const outcome of ['timed_out', 'refused', 'lost', 'cancelled']) {
    assert.equal(of('listeners_total', `${order},outcome="${outcome}"`), 0)
  }
  assert.equal(of('event_run_seconds_count', order), 20)
  assert.equal(of('event_wait_seconds_bucket', `${order},le="+Inf"`), 20)
  assert.equal(of('event_wait_seconds_bucket', `${order},le="60"`), 20)
  assert.ok(of('event_wait_seconds_bucket', `${order},le="0.01"`) <= of('event_wait_seconds_bucket', `${order},le="1"`))
  assert.ok(of('event_run_seconds_sum', order) > 0)
  assert.equal(of('thread_events_received_total', `,thread="${one.id}"`), 10)
  assert.equal(of('thread_events_queued', `,thread="${one.id}"`), 0)
  assert.equal(of('thread_stalled_seconds', ',thread="0"'), 0)
  assert.equal(samples.get('own'), 3)
  assert.match(text, /# TYPE parallel_event_bus_events_total counter/)
  assert.match(text, /# TYPE parallel_event_bus_event_wait_seconds histogram/)
  assert.match(text, /# TYPE parallel_event_bus_thread_events_queued gauge/)
})

test('the metrics are those that the document names', async () => {
  const document = readFileSync(path.join(__dirname, '../../docs/operating.md'), 'utf8')
  const table = /\n\| metric {2}.*?\n\n/s.exec(document.slice(document.indexOf('## Prometheus')))[0]
  const register = new Registry()
  collect(new ParallelEventBus(), { register })
  const names = register.getMetricsAsArray().map(({ name }) => name.replace('parallel_event_bus_', ''))
  const named = Array.from(table.matchAll(/`(\w+_\w+)`/g), ([, name]) => name)
  assert.deepEqual(
    names.filter((name) => !named.includes(name)),
    [],
  )
  assert.deepEqual(
    named.filter((name) => !names.includes(name) && name !== 'parallel_event_bus_'),
    [],
  )
})

test('pools, and threads that were replaced, are in a scrape', async (t) => {
  const { bus, channel } = stage(t)
  const register = new Registry()
  collect(bus, { register })
  const pool = await bus.spawn(require.resolve('../fixtures/pool.cjs'), { threads: 2 })
  const samples = samplesOf(await scrape(t, register))
  assert.equal(samples.get(`parallel_event_bus_pool_threads{bus="${channel}",pool="0"}`), 2)
  assert.equal(samples.get(`parallel_event_bus_pool_restarts_total{bus="${channel}",pool="0"}`), 0)
  await pool.close()
})

test('several buses are in one registry by their names, each until it is stopped', async (t) => {
  const register = new Registry()
  const [a, b] = [new ParallelEventBus(), new ParallelEventBus()]
  const stop = collect(a, { register, name: 'a' })
  collect(b, { register, name: 'b' })
  assert.throws(() => collect(b, { register, name: 'a' }), { code: 'ERR_INVALID_STATE' })
  a.on('x', () => {})
  b.on('x', () => {})
  a.emit('x')
  b.emit('x')
  b.emit('x')
  const first = samplesOf(await scrape(t, register))
  assert.equal(first.get('parallel_event_bus_events_total{bus="a",event="(others)"}'), undefined)
  const sum = (samples, bus) =>
    [...samples].filter(([name]) => name.startsWith(`parallel_event_bus_events_total{bus="${bus}"`)).map(([, n]) => n)
  assert.deepEqual([sum(first, 'a'), sum(first, 'b')], [[1], [2]])
  stop()
  const second = samplesOf(await scrape(t, register))
  assert.deepEqual([sum(second, 'a'), sum(second, 'b')], [[], [2]])
  await Promise.all([a.idle(), b.idle()])
})

test('OpenMetrics takes them, too', async (t) => {
  const register = new Registry(Registry.OPENMETRICS_CONTENT_TYPE)
  const bus = new ParallelEventBus()
  collect(bus, { register })
  bus.on('x', () => {})
  bus.emit('x')
  for (let scrapes = 0; scrapes < 2; scrapes++) {
    const text = await scrape(t, register)
    assert.match(
      text,
      /# TYPE parallel_event_bus_events counter\nparallel_event_bus_events_total\{bus="bus",event="x"\} 1\n/,
    )
    assert.match(text, /# EOF\n$/)
  }
})

test('wrong arguments are refused', () => {
  const register = new Registry()
  assert.throws(() => collect({}, { register }), { code: 'ERR_INVALID_ARG_TYPE' })
  const bus = new ParallelEventBus()
  assert.throws(() => collect(bus, { register: {} }), { code: 'ERR_INVALID_ARG_TYPE' })
  assert.throws(() => collect(bus, { registry: register }), { code: 'ERR_INVALID_ARG_VALUE' })
  for (const buckets of [[2, 1], [0], 'a']) {
    assert.throws(() => collect(bus, { register, buckets }), { code: 'ERR_INVALID_ARG_VALUE' })
  }
})
