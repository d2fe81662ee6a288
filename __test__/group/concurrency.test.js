'use strict'

// `concurrency` on a channel: what is beyond waits where it can still be taken over, cancelled, refused and counted.

const assert = require('node:assert/strict')
const { GONE, stage, test, turn, until } = require('../fixtures/stage.js')

/** Listeners that count their calls under the id of their thread, and end them when told. `data` is their options. */
const patient = (scope) => {
  const { bus, cells, threadId, log, data } = scope
  scope.ends = []
  bus.on(
    'job',
    (job) => {
      log.push(job)
      cells.add(threadId)
      return new Promise((resolve) => scope.ends.push(() => resolve(threadId)))
    },
    data,
  )
}

const numbers = (count) => Array.from({ length: count }, (_, number) => number)
const endOne = ({ ends }) => ends.shift()()
const logOf = ({ log }) => log

/** Has a thread end its calls, one after the other, until all have ended. */
async function endAll(thread, count) {
  for (let ended = 0; ended < count; ended++) {
    await thread.run(async ({ until, ends }) => {
      await until(() => ends.length > 0)
      ends.shift()()
    })
  }
}

/** Each way of an event to one listener of another thread. */
const WAYS = {
  'in batches': { options: {}, emit: (bus, job) => void bus.emit('job', job) },
  'as dispatches': { options: {}, emit: (bus, job) => bus.emitAndWait('job', job) },
  'as requests': { options: {}, emit: (bus, job) => bus.request('job', job) },
  'to a group': { options: { group: 'g' }, emit: (bus, job) => bus.emitAndWait('job', job) },
}

for (const [name, { options, emit }] of Object.entries(WAYS)) {
  test(`no more calls run at once than a listener says, of events ${name}, in order`, async (t) => {
    const { bus, cells, startOne } = stage(t)
    const thread = await startOne(patient, { data: { ...options, concurrency: 2 } })
    const sent = numbers(7).map((job) => emit(bus, job))
    await cells.reach(thread.id, 2)
    for (let ended = 1; ended <= 5; ended++) {
      await thread.run(endOne)
      await cells.reach(thread.id, 2 + ended)
      assert.equal(cells.get(thread.id), 2 + ended)
    }
    assert.equal(bus.getStats().pending, 2)
    await endAll(thread, 2)
    await Promise.all(sent)
    await bus.idle()
    assert.deepEqual(await thread.run(logOf), numbers(7))
  })
}

test('what waits for a full listener is taken over by one that is not, and a full one takes over none', {
  threadsOnly: 'what was sent to a process is given to nobody else',
}, async (t) => {
  const { bus, cells, start, startOne } = stage(t)
  const [full] = await start(1, patient, { data: { group: 'g', concurrency: 1 } })
  const jobs = numbers(6).map((job) => bus.request('job', job))
  await cells.reach(full.id)
  const other = await startOne(patient, { data: { group: 'g', concurrency: 2 } })
  await cells.reach(other.id, 2)
  // Each has as much as it may. Whoever ends one gets one more.
  assert.deepEqual([cells.get(full.id), cells.get(other.id)], [1, 2])
  await other.run(endOne)
  await cells.reach(other.id, 3)
  assert.equal(cells.get(full.id), 1)
  await other.run(endOne)
  await cells.reach(other.id, 4)
  await other.run(endOne)
  // The last one may be anybody's: the thread that had it first has not begun with it.
  await cells.reach(other.id, 5)
  await full.run(endOne)
  await endAll(other, 2)
  assert.equal((await Promise.all(jobs)).length, 6)
  const logs = await Promise.all([full, other].map((thread) => thread.run(logOf)))
  assert.deepEqual(
    logs.flat().sort((a, b) => a - b),
    numbers(6),
  )
})

test('a cancelled and a late event are taken out of those that wait, and take no room', {
  threadsOnly: 'room elsewhere comes back when its process has heard of it',
}, async (t) => {
  const { bus, cells, startOne } = stage(t)
  const about = { data: { concurrency: 1 }, options: { mailbox: { maxMessages: 4 } } }
  const thread = await startOne(patient, about)
  const first = bus.request('job', 'first')
  await cells.reach(thread.id)
  for (let round = 0; round < 5; round++) {
    const controller = new AbortController()
    const bound = bus.with({ signal: controller.signal })
    const aborted = [bound.request('job', 'aborted'), bound.emitAndWait('job', 'aborted')]
    const late = bus.with({ timeout: 1 }).emitAndWait('job', 'late')
    assert.equal((await late).errors[0].code, 'ERR_LISTENER_TIMEOUT')
    controller.abort()
    for (const each of aborted) await assert.rejects(each, { name: 'AbortError' })
  }
  const more = [bus.request('job', 'second'), bus.emitAndWait('job', 'third'), bus.request('job', 'fourth')]
  const refused = await bus.emitAndWait('job', 'too much')
  assert.equal(refused.errors[0].code, 'ERR_MAILBOX_FULL', 'what waits takes room')
  await endAll(thread, 4)
  await Promise.all([first, ...more])
  assert.deepEqual(await thread.run(logOf), ['first', 'second', 'third', 'fourth'])
})

test('a full listener does not keep its thread from other events, however many wait', async (t) => {
  const { bus, cells, startOne } = stage(t)
  const thread = await startOne(patient, { data: { group: 'g', concurrency: 1 } })
  await thread.run(({ bus }) => bus.on('other', () => 'done'))
  // More than a thread reads ahead.
  const jobs = numbers(3000).map((job) => bus.emitAndWait('job', job))
  await cells.reach(thread.id)
  assert.equal(await bus.request('other'), 'done')
  await thread.terminate()
  const outcomes = await Promise.all(jobs)
  assert.ok(outcomes.every(({ errors }) => errors[0].code === GONE))
})

test('what waits at a thread that ends goes to the others, and none is done twice', {
  threadsOnly: 'what was sent to a process is given to nobody else',
}, async (t) => {
  const { bus, cells, startOne } = stage(t)
  const doomed = await startOne(patient, { data: { group: 'g', concurrency: 1 } })
  const jobs = numbers(20).map((job) => bus.emitAndWait('job', job))
  await cells.reach(doomed.id)
  const heir = await startOne(({ bus, log }) =>
    bus.on('job', async (job) => void log.push(job), { group: 'g', concurrency: 3 }),
  )
  await doomed.terminate()
  const outcomes = await Promise.all(jobs)
  assert.equal(outcomes.filter(({ failed }) => failed === 1).length, 1, 'what it had begun is lost')
  const log = await heir.run(logOf)
  assert.deepEqual(
    log.sort((a, b) => a - b),
    numbers(20).slice(1),
  )
})

test('a bus whose listener is full closes when what waits is done', async (t) => {
  const { bus, cells, startOne } = stage(t)
  const thread = await startOne(patient, { data: { concurrency: 1 } })
  const jobs = numbers(3).map((job) => bus.emitAndWait('job', job))
  await cells.reach(thread.id)
  await thread.run((scope) => {
    scope.closed = scope.bus.close()
  })
  await endAll(thread, 3)
  for (const { success } of await Promise.all(jobs)) assert.equal(success, 1)
  await thread.run(({ closed }) => closed)
})

test('several listeners of a bus, of which one is full, settle one by one', async (t) => {
  const { bus, cells, startOne } = stage(t)
  cells.name('free')
  const thread = await startOne(patient, { data: { concurrency: 1, timeout: 3_600_000 } })
  await thread.run(({ bus, cells }) => bus.on('job', () => void cells.add('free')))
  const controller = new AbortController()
  const jobs = numbers(3).map((job) => bus.emitAndWait('job', job))
  const aborted = bus.with({ signal: controller.signal }).emitAndWait('job', 'aborted')
  await cells.reach('free', 4)
  controller.abort()
  await assert.rejects(aborted, { name: 'AbortError' })
  await endAll(thread, 3)
  for (const { success } of await Promise.all(jobs)) assert.equal(success, 2)
  assert.deepEqual(await thread.run(logOf), numbers(3))
})

test('the listeners of the emitting thread wait, too, and count as busy', async (t) => {
  const { bus, cells, startOne } = stage(t)
  const ends = []
  bus.on('job', () => new Promise((resolve) => ends.push(() => resolve('here'))), { group: 'g', concurrency: 1 })
  const first = bus.request('job', 0)
  await until(() => ends.length === 1)
  const thread = await startOne(patient, { data: { group: 'g', concurrency: 1 } })
  const second = bus.request('job', 1)
  await cells.reach(thread.id)
  const third = bus.request('job', 2)
  await turn()
  assert.equal(ends.length, 1)
  ends[0]()
  assert.equal(await first, 'here')
  await thread.run(endOne)
  assert.equal(await second, thread.id)
  await until(() => ends.length === 2 || cells.get(thread.id) === 2)
  if (ends.length === 2) ends[1]()
  else await thread.run(endOne)
  assert.ok(['here', thread.id].includes(await third))
})
