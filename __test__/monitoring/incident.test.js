'use strict'

// A staged incident: a listener that blocks its thread, so that its mailbox fills, and then a thread that dies. Each is
// followed from its alert to the event, the thread and the listener, by the steps of docs/operating.md: in `metrics()`, in a
// scrape of Prometheus, in the exports of OpenTelemetry, and in the file of a trace.

const assert = require('node:assert/strict')
const { mkdtempSync, readFileSync, rmSync } = require('node:fs')
const { Session } = require('node:inspector')
const { tmpdir } = require('node:os')
const path = require('node:path')
const { Registry } = require('prom-client')
const { parse } = require('yaml')
const { ParallelEventBus } = require('../..')
const { instrument } = require('../../opentelemetry.js')
const { collect } = require('../../prometheus.js')
const { stage, stallOf, test, told, until } = require('../fixtures/stage.js')
const { exporting, pointOf } = require('./exporting.js')
const { samplesOf, scrape } = require('./scraping.js')

const OPERATING = readFileSync(path.join(__dirname, '../../docs/operating.md'), 'utf8')
const ROOM = 3
/** Time without a turn of its event loop after which a thread is stalled. */
const STALL_MS = 100
/** No thread is without a turn for so long: cores that have much else to do hold up any thread for a while. */
const NEVER_MS = 600_000

/** The expressions of the alerts in the document, by their names. */
const ALERTS = new Map(
  parse(/```yaml\n(groups:[^`]*)```/.exec(OPERATING)[1])
    .groups.flatMap(({ rules }) => rules)
    .map(({ alert, expr }) => [alert, expr]),
)

/** The values of the label that an alert is for, of the samples that it looks at and that have grown. */
function alerted(alert, samples, before = new Map()) {
  const expr = ALERTS.get(alert)
  const [, metric, having = ''] = /(parallel_event_bus_\w+)(?:\{([^}]*)\})?/.exec(expr)
  const [, label] = /by \(bus, (\w+)/.exec(expr)
  const grown = [...samples].filter(([name, value]) => {
    return name.startsWith(`${metric}{`) && name.includes(having) && value > (before.get(name) ?? 0)
  })
  return [...new Set(grown.map(([name]) => new RegExp(`[{,]${label}="([^"]*)"`).exec(name)[1]))]
}

/** The samples of a metric with a label that has this value: their values, by the other label named. */
function byLabel(samples, metric, having, label) {
  const found = [...samples].filter(
    ([name]) => name.startsWith(`parallel_event_bus_${metric}{`) && name.includes(having),
  )
  return Object.fromEntries(found.map(([name, value]) => [new RegExp(`[{,]${label}="([^"]*)"`).exec(name)[1], value]))
}

/** The lines of a trace that is still being written. */
function readTrace(file) {
  const text = readFileSync(file, 'utf8')
  return JSON.parse(`${text.slice(0, text.lastIndexOf(',\n'))}]`)
}

/** The names of the bars in a thread's track that have no end, the outermost first. */
function openBars(events, threadId) {
  const [track] = events.filter(({ name, args }) => name === 'thread_name' && args.name === `thread ${threadId}`)
  const open = []
  for (const { ph, name } of events.filter(({ tid }) => tid === track.tid)) {
    if (ph === 'B') open.push(name)
    if (ph === 'E') open.pop()
  }
  return open
}

/** The ends of events with an error, in the emitter's track. */
function endsOf(events, error) {
  return events.filter(({ cat, args }) => cat === 'settled' && error.test(args.error))
}

/** Resolves to the names of the functions on a thread's stack, as a debugger shows them that pauses it. */
function stackOf(threadId) {
  const session = new Session()
  session.connect()
  return new Promise((resolve) => {
    let lastId = 0
    session.on('NodeWorker.attachedToWorker', ({ params: { sessionId, workerInfo } }) => {
      if (!workerInfo.title.includes(`${threadId}`)) return
      const send = (method) => {
        session.post('NodeWorker.sendMessageToWorker', { sessionId, message: JSON.stringify({ id: ++lastId, method }) })
      }
      session.on('NodeWorker.receivedMessageFromWorker', ({ params }) => {
        const { method, params: paused } = JSON.parse(params.message)
        if (params.sessionId !== sessionId || method !== 'Debugger.paused') return
        send('Debugger.resume')
        resolve(paused.callFrames.map(({ functionName }) => functionName))
      })
      send('Debugger.enable')
      send('Debugger.pause')
    })
    session.post('NodeWorker.enable', { waitForDebuggerOnStart: false })
  }).finally(() => session.disconnect())
}

/** A bus and a pool of one thread, watched in all ways. */
async function watched(t) {
  const { bus, cells, errors } = stage(t, { recordTiming: true, stallAfter: NEVER_MS })
  cells.name('go', 'started')
  const folder = mkdtempSync(path.join(tmpdir(), 'bus-incident-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const trace = ParallelEventBus.trace({ file: path.join(folder, 'trace.json') })
  t.after(() => trace.close())
  const register = new Registry()
  const { tracerProvider, meterProvider, points, spans } = exporting()
  t.after(collect(bus, { register, name: 'photos' }))
  t.after(instrument(bus, { tracerProvider, meterProvider }))
  const pool = await bus.spawn(require.resolve('./incident-thread.js'), {
    threads: 1,
    stallAfter: STALL_MS,
    mailbox: { maxMessages: ROOM },
    workerData: cells.shared,
  })
  const scraped = async () => samplesOf(await scrape(t, register))
  const metrics = () => ParallelEventBus.metrics(bus)
  const traced = () => readTrace(trace.file)
  return { bus, pool, cells, errors, metrics, scraped, points, spans, traced, quiet: await quiet(scraped) }
}

/** Resolves to samples of a time at which no thread is stalled. One that has just started may have been. */
async function quiet(scraped) {
  for (;;) {
    const samples = await scraped()
    if (alerted('ThreadStalled', samples).length === 0) return samples
  }
}

const RESIZE = { 'messaging.destination.name': 'resize' }

/** Returns how many listeners of the event ended so, as it was exported. */
function exportedOutcome(points, outcome) {
  return pointOf(points, 'parallel_event_bus.listeners', { ...RESIZE, 'parallel_event_bus.outcome': outcome })
}

/** A listener blocks its thread. Resolves to the id of that. */
async function stallThread({ bus, pool, cells, metrics, scraped, points, traced, quiet }) {
  const [threadId] = pool.threadIds
  bus.emit('resize', 'huge')
  await cells.reach('started')
  await stallOf(bus, { threadId })
  const [stuck, ...others] = (await metrics()).threads.filter(({ stalledFor }) => stalledFor > 0)
  assert.deepEqual([stuck.threadId, others], [threadId, []])
  assert.ok(stuck.stalledFor >= STALL_MS)
  assert.deepEqual({ ...stuck.runningByEvent }, { resize: 1 })

  const samples = await scraped()
  assert.deepEqual(alerted('ThreadStalled', samples, quiet), [`${threadId}`])
  assert.deepEqual(byLabel(samples, 'thread_events_running_by_event', `thread="${threadId}"`, 'event'), { resize: 1 })

  const exported = await points()
  const ofThread = { 'thread.id': threadId }
  assert.ok(pointOf(exported, 'parallel_event_bus.thread.stalled', ofThread) >= 0.1)
  assert.equal(pointOf(exported, 'parallel_event_bus.thread.stalled', { 'thread.id': 0 }), 0)
  assert.equal(pointOf(exported, 'parallel_event_bus.thread.events.running_by_event', { ...ofThread, ...RESIZE }), 1)

  assert.deepEqual(openBars(traced(), threadId), ['resize', 'shrink'])
  assert.ok((await stackOf(threadId)).includes('shrink'), 'a debugger has its stack')
  return threadId
}

/** The mailbox of the thread fills. */
async function fillMailbox({ bus, errors, metrics, scraped, points, traced, quiet }, threadId) {
  for (let count = 0; count < 2 * ROOM; count++) bus.emit('resize', 'small')
  await until(() => errors.length === ROOM + 1)
  const { events, threads } = await metrics()
  assert.deepEqual([events.resize.emitted, events.resize.refused], [1 + 2 * ROOM, ROOM + 1])
  const { queued, maxQueued } = threads.find((thread) => thread.threadId === threadId)
  assert.deepEqual([queued, maxQueued], [ROOM - 1, ROOM])

  const samples = await scraped()
  assert.deepEqual(alerted('EventsRefused', samples, quiet), ['resize'])
  assert.deepEqual(byLabel(samples, 'thread_events_queued', 'bus="photos"', 'thread'), { 0: 0, [threadId]: ROOM - 1 })

  const exported = await points()
  assert.equal(exportedOutcome(exported, 'refused'), ROOM + 1)
  assert.equal(pointOf(exported, 'parallel_event_bus.thread.events.queued', { 'thread.id': threadId }), ROOM - 1)

  const refused = endsOf(traced(), /is full/)
  assert.equal(refused.length, ROOM + 1)
  for (const { name, args } of refused) {
    assert.equal(name, 'resize settled')
    assert.ok(args.error.includes(`thread ${threadId}`))
  }
}

/** The thread goes on: the listener that took long, and the events that had to wait for it. */
async function goOn({ bus, cells, metrics, scraped, spans, traced, quiet }, threadId) {
  const since = performance.now()
  await until(() => performance.now() - since >= STALL_MS, 'all have taken long')
  cells.set('go', 1)
  await bus.idle()
  const { spans: theirs, waits } = await bus.request('exported')
  const { run, wait } = (await metrics()).events.resize
  // A percentile is right to 3 %.
  assert.ok(run.max >= 0.97 * STALL_MS && wait.max >= 0.97 * STALL_MS)

  const samples = await scraped()
  assert.ok(alerted('EventsWait', samples, quiet).includes('resize'))
  assert.equal(byLabel(samples, 'event_wait_seconds_count', 'event="resize"', 'event').resize, ROOM)

  const [longest] = [...theirs].sort((one, other) => other.ms - one.ms)
  assert.ok(longest.ms >= STALL_MS)
  assert.deepEqual([longest.attributes['thread.id'], longest.attributes['code.function.name']], [threadId, 'shrink'])
  assert.ok(spans().some((span) => span.name === 'send resize' && span.spanContext().spanId === longest.parent))
  const [{ attributes, value }] = waits.filter((point) => point.attributes['messaging.destination.name'] === 'resize')
  assert.deepEqual([attributes['thread.id'], value.count], [threadId, ROOM])

  const events = traced()
  assert.ok(!openBars(events, threadId).includes('shrink'))
  assert.equal(events.filter(({ ph, name }) => ph === 'b' && name === 'resize waits').length, ROOM)
}

/** The thread dies of an error, and is replaced. */
async function loseThread({ bus, pool, errors, metrics, scraped, points, traced }, threadId) {
  const before = await scraped()
  errors.length = 0
  const died = told(bus, ParallelEventBus.threadExit)
  bus.emit('resize', 'broken')
  assert.equal((await died).threadId, threadId)
  await bus.idle()
  await until(() => pool.threadIds.some((id) => id !== threadId))
  const { events, pools, threads } = await metrics()
  assert.deepEqual([events.resize.lost, pools[0].restarts], [1, 1])
  assert.ok(threads.every((thread) => thread.threadId !== threadId))
  const isOfEnd = ([, { code }]) => code === 'ERR_THREAD_EXITED'
  await until(() => errors.some(isOfEnd), 'the loss is told of')
  const [, error] = errors.find(isOfEnd)
  // The thread's own error may come later than the word of its end, or be told of before.
  const cause = error.cause?.message ?? 'out of memory for pixels'
  assert.equal(cause, 'out of memory for pixels')

  const samples = await scraped()
  assert.deepEqual(alerted('EventsLost', samples, before), ['resize'])
  assert.deepEqual(byLabel(samples, 'pool_restarts_total', 'bus="photos"', 'pool'), { 0: 1 })

  const exported = await points()
  assert.equal(exportedOutcome(exported, 'lost'), 1)
  assert.equal(pointOf(exported, 'parallel_event_bus.pool.restarts', {}), 1)

  const [lost, ...others] = endsOf(traced(), / ended before /)
  assert.deepEqual([lost.name, others], ['resize settled', []])
  assert.ok(lost.args.error.includes(`thread ${threadId}`))
}

/** Bun and Deno do not tell that a loop is not idle, and have no inspector for their threads. */
const isNode = process.versions.bun === undefined && process.versions.deno === undefined
const NAME = 'an incident leads from its alerts to the event, the thread and the listener, in all that is watched'

test(NAME, { skip: !isNode }, async (t) => {
  const all = await watched(t)
  const none = [...ALERTS.keys()].flatMap((alert) => alerted(alert, all.quiet))
  assert.deepEqual(none, [], 'there is nothing to tell yet')
  try {
    const threadId = await stallThread(all)
    await fillMailbox(all, threadId)
    await goOn(all, threadId)
    await loseThread(all, threadId)
  } finally {
    // Else a test that has failed could not end.
    all.cells.set('go', 1)
  }
  await all.pool.close()
})
