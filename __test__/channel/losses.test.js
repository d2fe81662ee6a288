'use strict'

// Reports of lost events to their emitter. Of many losses only the number is told, so that unread reports are bounded.
// All losses are in these numbers, so that they are exact.

const assert = require('node:assert/strict')
const { ParallelEventBus } = require('../..')
const { GONE, inProcess, keepBusyUntil, stage, test, turn, until, warnings } = require('../fixtures/stage.js')

const FULL = 'ERR_MAILBOX_FULL'
/** Losses that are told one by one, and kinds that are counted apart, while nothing of it is read. */
const SINGLES = 1024
const KINDS = 256

/** Sums of the reports, of `x` and of several events. */
function sum(told) {
  return told.reduce((all, number) => all + number, 0)
}

/** A bus of this thread with events that find no room. While this thread is busy, no thread reads anything. */
function refusing(scene, names = ['x']) {
  const full = scene.join({ mailbox: { maxMessages: 1 } })
  for (const name of names) full.on(name, () => {})
  const dead = []
  scene.bus.on(ParallelEventBus.deadLetter, (about) => dead.push(about))
  scene.bus.emit(names[0], 'fills it')
  return { full, dead }
}

test('of many losses the first are told one by one, and of the others how many there were', async (t) => {
  const scene = stage(t)
  const { bus, errors } = scene
  const { dead } = refusing(scene)
  const events = 5000
  for (let number = 0; number < events; number++) bus.emit('x', number)
  assert.equal(bus.getStats().listenersFailed, events)
  await bus.idle()
  await until(() => dead.length > SINGLES)
  await bus.idle()

  assert.equal(errors.length, SINGLES + 1)
  assert.deepEqual(
    errors.slice(0, SINGLES).map(([event, { code, count }]) => [event, code, count]),
    new Array(SINGLES).fill(['x', FULL, 1]),
  )
  const [event, error, listener] = errors[SINGLES]
  assert.deepEqual([event, error.code, error.count, listener], ['x', FULL, events - SINGLES, undefined])
  assert.match(error.message, new RegExp(`${events - SINGLES} events 'x' were not queued`))

  assert.deepEqual(
    dead.slice(0, SINGLES).map(({ args, count }) => [args, count]),
    Array.from({ length: SINGLES }, (_, number) => [[number], 1]),
  )
  const { error: why, ...about } = dead[SINGLES]
  const { threadId } = dead[0]
  const count = events - SINGLES
  assert.deepEqual(about, { event: 'x', args: undefined, listeners: count, threadId, count })
  assert.equal(why, error)
  assert.equal(bus.getStats().listenersFailed, events, 'told or counted')

  bus.emit('x', 'takes the room')
  bus.emit('x', 'told')
  await until(() => dead.length > SINGLES + 1)
  assert.deepEqual(dead[SINGLES + 1].args, ['told'], 'read reports make room for more')
})

test('losses are counted by event and cause, and those of endless names together', async (t) => {
  const scene = stage(t)
  const { bus, errors } = scene
  const names = Array.from({ length: 3000 }, (_, number) => `reply:${number}`)
  const { full, dead } = refusing(scene, ['x', ...names])
  for (let number = 0; number < SINGLES; number++) bus.emit('x', number)
  for (const name of names) for (let time = 0; time < 2; time++) bus.emit(name)
  await until(() => sum(dead.map(({ count }) => count)) === SINGLES + 2 * names.length)

  const counted = dead.slice(SINGLES)
  assert.equal(counted.length, KINDS + 1)
  assert.deepEqual(
    counted.slice(0, KINDS).map(({ event, count }) => [event, count]),
    names.slice(0, KINDS).map((name) => [name, 2]),
  )
  const { error, ...rest } = counted[KINDS]
  const count = 2 * (names.length - KINDS)
  assert.deepEqual(rest, { event: undefined, args: undefined, listeners: count, threadId: undefined, count })
  assert.deepEqual([error.code, error.event, error.threadId, error.count], [FULL, undefined, undefined, count])
  assert.equal(errors.at(-1)[0], ParallelEventBus.deadLetter, 'the event that onError is told of')
  assert.equal(errors.at(-1)[1], error)
  assert.equal(bus.getStats().listenersFailed, SINGLES + 2 * names.length)
  await full.idle()
})

test('each bus that does not get an event counts, and so do its listeners', async (t) => {
  const scene = stage(t)
  const { bus } = scene
  const { full, dead } = refusing(scene)
  const other = scene.join({ mailbox: { maxMessages: 1 } })
  other.on('x', () => {})
  full.on('x', () => {})
  // Fills the other, too.
  bus.emit('x')
  const events = SINGLES
  for (let number = 0; number < events; number++) bus.emit('x')
  const lost = 1 + 2 * events
  await until(() => sum(dead.map(({ count }) => count)) === lost)
  assert.equal(sum(dead.map(({ listeners }) => listeners)), 2 + 3 * events)
  assert.equal(bus.getStats().listenersFailed, 2 + 3 * events)
})

test('a timeout that many events have not kept is told of as others are', async (t) => {
  const scene = stage(t)
  const { bus, cells, errors, startOne } = scene
  cells.name('busy', 'go')
  const thread = await startOne(({ bus }) => bus.on('x', () => {}))
  thread.tell(({ cells }) => {
    cells.add('busy')
    cells.block('go')
  })
  await cells.reach('busy')
  const events = 3000
  const hurried = bus.with({ timeout: 1 })
  for (let number = 0; number < events; number++) hurried.emit('x', number)
  await until(() => sum(errors.map(([, { count }]) => count)) === events)
  assert.deepEqual([...new Set(errors.map(([event, { code }]) => `${event} ${code}`))], ['x ERR_LISTENER_TIMEOUT'])
  assert.equal(bus.getStats().listenersFailed, events)
  assert.equal(bus.getStats().pending, 0)
  cells.set('go', 1)
})

test('events of many names that are lost with a thread are told of as others are', async (t) => {
  const { bus, cells, errors, startOne } = stage(t)
  cells.name('busy', 'go')
  const names = Array.from({ length: 3000 }, (_, number) => `name ${number}`)
  const listening = ({ bus, data }) => {
    for (const name of data) bus.on(name, () => {})
  }
  const thread = await startOne(listening, { data: names })
  thread.tell(({ cells }) => {
    cells.add('busy')
    cells.block('go')
    process.exit()
  })
  await cells.reach('busy')
  for (const name of names) bus.emit(name)
  cells.set('go', 1)
  // Nothing of the news is read before all of it is there.
  keepBusyUntil(() => bus.getStats().pending === 0, 'the thread has ended')
  await until(() => sum(errors.map(([, { count }]) => count)) === names.length)
  assert.equal(errors.length, SINGLES + KINDS + 1)
  const [event, { code, threadId, count, message }] = errors.at(-1)
  assert.deepEqual([event, code, threadId], [ParallelEventBus.deadLetter, GONE, undefined])
  assert.match(message, new RegExp(`(ended|is gone) before listeners of ${count} events had settled`))
})

test('without onError there is a warning at the 1st, the 10th, the 100th loss, of any names', async (t) => {
  const scene = stage(t)
  const { bus } = scene
  bus.clearErrorHandler()
  const heard = warnings(t)
  const names = Array.from({ length: 200 }, (_, number) => `name ${number}`)
  const { dead } = refusing(scene, names)
  for (const name of names) bus.emit(name)
  await until(() => dead.length === names.length)
  await turn()
  assert.deepEqual(
    heard.map(({ code, message }) => [code, message.match(/^(\d+|'name 0')/)?.[1]]),
    ["'name 0'", '10', '100'].map((told) => ['PARALLEL_EVENT_BUS_EVENT_LOST', told]),
  )
})

test('events that are refused while no thread reads take no memory', async () => {
  const { status, stdout, stderr } = await inProcess(
    `
    const full = new ParallelEventBus({ channel: 'process', mailbox: { maxMessages: 10 } })
    full.on('x', () => {})
    bus.setErrorHandler(() => {})
    const text = 'x'.repeat(1024)
    const grow = () => {
      for (let number = 0; number < 100_000; number++) bus.emit('x', text)
      return process.memoryUsage().rss / 2 ** 20
    }
    const warm = grow()
    console.log(Math.round(grow() - warm))
    process.exit()`,
  )
  assert.equal(status, 0, stderr)
  // 100 MiB of payloads, if they were kept.
  assert.ok(Number(stdout) < 50, `${stdout} MiB more`)
})
