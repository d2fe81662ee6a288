'use strict'

// Groups: each event goes to one member, the one with the least to do, and to another if that one ends before it began.

const assert = require('node:assert/strict')
const { ParallelEventBus } = require('../..')
const { ACROSS, GONE, keepBusyUntil, stage, test, until } = require('../fixtures/stage.js')
const native = require('../../native.js')

/** Members that work on one job after the other, each until they are told to be done with it. Their calls are in the cells of their ids. */
const patient = (scope) => {
  const { bus, cells, threadId, log } = scope
  scope.ends = []
  bus.on(
    'job',
    (job) => {
      cells.add(threadId)
      log.push(job)
      return new Promise((resolve) => scope.ends.push(resolve))
    },
    // One that has a job takes over none.
    { concurrency: scope.data },
  )
  bus.on('all', () => cells.add(threadId))
}

/** Members that are done at once. */
const quick = ({ bus, cells, threadId, log }) => {
  bus.on('job', (job) => {
    cells.add(threadId)
    log.push(job)
  })
}

const IN_GROUP = { options: { group: 'workers' } }

async function jobsOf(threads) {
  const jobs = await Promise.all(threads.map((thread) => thread.run(({ log }) => log)))
  return jobs.flat().sort((a, b) => a - b)
}

/** An outcome is there a moment before its thread is seen to have one event less in flight. */
async function emitAndSettle(bus, threads, ...args) {
  const outcome = await bus.emitAndWait(...args)
  await Promise.all(threads.map((thread) => thread.run(() => {})))
  return outcome
}

const numbers = (count) => Array.from({ length: count }, (_, number) => number)

test('exactly one member of a group gets each event, and none is left out where all have as little to do', async (t) => {
  const { bus, cells, start } = stage(t)
  const threads = await start(3, quick, IN_GROUP)
  for (const job of numbers(30)) {
    assert.deepEqual(await emitAndSettle(bus, threads, 'job', job), { success: 1, failed: 0, errors: [] })
  }
  // About 10 each: one that is slow to wake may find its event taken over.
  for (const { id } of threads) assert.ok(cells.get(id) > 0)
  for (const job of numbers(300)) assert.equal(bus.emit('job', 30 + job), true)
  await bus.idle()
  assert.deepEqual(await jobsOf(threads), numbers(330))
  assert.equal(bus.getStats().listenersInvoked, 330)
})

test('the member with the least in flight gets the next event', async (t) => {
  const { bus, cells, start } = stage(t)
  const threads = await start(3, patient, { ...IN_GROUP, data: 1 })
  const counts = () => threads.map(({ id }) => cells.get(id))
  const emit = async (job) => {
    const outcome = bus.emitAndWait('job', job)
    const before = counts().reduce((sum, count) => sum + count)
    await until(() => counts().reduce((sum, count) => sum + count) > before)
    return outcome
  }
  const first = [emit(0), emit(1), emit(2)]
  await until(() => counts().every((count) => count > 0))
  assert.deepEqual(counts(), [1, 1, 1])
  // The first member that is done gets the next one, regardless of turns.
  for (const index of [2, 0, 2, 1, 2]) {
    const before = counts()
    const pending = bus.getStats().pending
    await threads[index].run(({ ends }) => ends.shift()())
    await until(() => bus.getStats().pending < pending)
    first.push(bus.emitAndWait('job', 9))
    await until(() => counts()[index] > before[index])
    const expected = before.map((count, each) => (each === index ? count + 1 : count))
    assert.deepEqual(counts(), expected)
  }
  await Promise.all(threads.map((thread) => thread.run(({ ends }) => ends.map((end) => end()).length)))
  for (const { success } of await Promise.all(first)) assert.equal(success, 1)
})

test('the member of the emitting thread is one like the others, and gets its events by reference', async (t) => {
  const { bus, start } = stage(t, { group: 'workers' })
  const threads = await start(1, quick, IN_GROUP)
  const heard = []
  bus.on('job', (job) => heard.push(job))
  const jobs = numbers(20).map((number) => ({ number }))
  for (const job of jobs) assert.equal((await emitAndSettle(bus, threads, 'job', job)).success, 1)
  // What it takes over from others comes as a copy.
  assert.ok(heard.some((job) => jobs.includes(job)))
  assert.equal(heard.length + (await threads[0].run(({ log }) => log)).length, 20)
})

test('a member of the emitting thread that is busy leaves the next events to others', async (t) => {
  const { bus, cells, start } = stage(t, { group: 'workers' })
  let end
  bus.on('job', () => new Promise((resolve) => (end = resolve)), { concurrency: 1 })
  const first = bus.emitAndWait('job')
  const [thread] = await start(1, quick, IN_GROUP)
  for (const job of numbers(5)) assert.equal((await emitAndSettle(bus, [thread], 'job', job)).success, 1)
  assert.equal(cells.get(thread.id), 5)
  end()
  assert.equal((await first).success, 1)
})

test('each of several groups gets an event once, and everybody without a group does', async (t) => {
  const { bus, cells, start } = stage(t)
  cells.name('red', 'blue', 'none')
  await start(3, ({ bus, cells }) => {
    bus.on('x', () => cells.add('red'), { group: 'red' })
    bus.on('x', () => cells.add('blue'), { group: 'blue' })
    bus.on('x', () => cells.add('blue'), { group: 'blue' })
    bus.on('x', () => cells.add('none'))
  })
  bus.on('x', () => cells.add('none'))
  bus.on('x', () => cells.add('red'), { group: 'red' })
  assert.deepEqual(await bus.emitAndWait('x'), { success: 6, failed: 0, errors: [] })
  for (let number = 0; number < 9; number++) bus.emit('x')
  await bus.idle()
  assert.deepEqual([cells.get('red'), cells.get('blue'), cells.get('none')], [10, 10, 40])
  assert.equal(bus.getStats().averageListenersPerEvent, '6.00')
})

test('the group of a bus is that of all its listeners but those that name another, or none', async (t) => {
  const { bus, cells, start } = stage(t)
  cells.name('default', 'other', 'none', 'symbol')
  await start(
    2,
    ({ bus, cells }) => {
      bus.on('x', () => cells.add('default'))
      bus.addListener('x', () => cells.add('default'), { timeout: 3_600_000 })
      bus.once('x', () => cells.add('default', 1000))
      bus.on('x', () => cells.add('other'), { group: 'other' })
      bus.on('x', () => cells.add('none'), { group: null })
      bus.on(Symbol.for('s'), () => cells.add('symbol'))
      bus.emit(Symbol.for('s'))
    },
    IN_GROUP,
  )
  let isOnceLeft = 2
  for (let number = 0; number < 8; number++) {
    assert.deepEqual(await bus.emitAndWait('x'), { success: 4, failed: 0, errors: [] })
    isOnceLeft = 2 - Math.floor(cells.get('default') / 1000)
  }
  assert.equal(isOnceLeft, 2, 'the first of its group in a thread gets the events of the thread')
  assert.deepEqual([cells.get('default'), cells.get('other'), cells.get('none'), cells.get('symbol')], [8, 8, 16, 2])
})

test('a once listener in a group is used up by the event that it gets, and the others are left', async (t) => {
  const { bus, cells, start } = stage(t)
  const once = ({ bus, cells, threadId }) => bus.once('x', () => cells.add(threadId))
  const threads = await start(3, once, IN_GROUP)
  for (let number = 0; number < 3; number++) assert.equal(bus.emit('x'), true)
  assert.equal(bus.emit('x'), false)
  await bus.idle()
  assert.deepEqual(
    threads.map(({ id }) => cells.get(id)),
    [1, 1, 1],
  )
})

test('a group needs a channel, and an event that is sent', () => {
  const refused = { code: 'ERR_INVALID_ARG_VALUE' }
  assert.throws(() => new ParallelEventBus({ group: 'g' }), refused)
  const alone = new ParallelEventBus()
  assert.throws(() => alone.on('x', () => {}, { group: 'g' }), refused)
  assert.equal(
    alone.on('x', () => {}, { group: null }),
    alone,
  )
  const bus = new ParallelEventBus({ channel: 'a channel of its own' })
  assert.throws(() => bus.on(Symbol('s'), () => {}, { group: 'g' }), refused)
  assert.throws(() => bus.on('x', () => {}, { group: '' }), refused)
  assert.throws(() => bus.on('x', () => {}, { group: 5 }), { code: 'ERR_INVALID_ARG_TYPE' })
  assert.throws(() => new ParallelEventBus({ channel: '' }), refused)
  assert.throws(() => new ParallelEventBus({ channel: 5 }), { code: 'ERR_INVALID_ARG_TYPE' })
  assert.deepEqual(bus.eventNames(), [])
})

/** Ways to end of a thread that is held up by a listener; each is called when that may go on. */
const ENDS = {
  terminate: (thread) => thread.terminate(),
  'process.exit': (_thread, cells) => cells.set('go', 1),
}

for (const [name, end] of Object.entries(ENDS)) {
  test(`an event that a member has not started when its thread ends (${name}) goes to the others, and is done once`, {
    threadsOnly: 'what was sent to a process is given to nobody else',
  }, async (t) => {
    const { bus, cells, errors, reported, start, startOne } = stage(t)
    cells.name('busy', 'go')
    const dead = []
    bus.on(ParallelEventBus.deadLetter, ({ event }) => dead.push(event))
    const doomed = await startOne(quick, IN_GROUP)
    await doomed.run(({ bus, cells }) => {
      bus.on(
        'wait',
        () => {
          cells.set('busy', 1)
          cells.block('go')
          process.exit()
        },
        { group: null },
      )
    })
    const others = await start(2, patient, IN_GROUP)
    // The thread that is held up has one event in flight, and the others get one each, and so on: a third waits there.
    const held = bus.emitAndWait('wait')
    await cells.reach('busy')
    const jobs = numbers(90)
    const outcomes = jobs.map((job) => {
      if (job % 3 === 0) return bus.emitAndWait('job', job)
      if (job % 3 === 1) return bus.request('job', job)
      return bus.emit('job', job)
    })
    const sum = () => cells.get(others[0].id) + cells.get(others[1].id)
    await until(() => sum() > 0)
    assert.equal(cells.get(doomed.id), 0)
    const threads = native.counters().threads
    const ended = end(doomed, cells)
    // Nobody needs the main thread for it.
    keepBusyUntil(() => native.counters().threads < threads, 'the thread has ended')
    keepBusyUntil(() => sum() === jobs.length, 'the others have got all jobs')
    await ended
    for (const thread of others) await thread.run(({ ends }) => ends.map((end) => end()).length)
    await Promise.all(outcomes)
    await reported()
    assert.deepEqual(await jobsOf(others), jobs)
    assert.equal((await held).errors[0].code, 'ERR_THREAD_EXITED')
    assert.deepEqual([dead, errors.map(([event]) => event)], [['wait'], ['wait']])
  })
}

test('an event that the last member of its group has not started is lost, and reported', async (t) => {
  const { bus, cells, errors, reported, startOne } = stage(t)
  cells.name('busy', 'go')
  const dead = []
  bus.on(ParallelEventBus.deadLetter, ({ args: [job], error }) => dead.push([job, error.code]))
  const doomed = await startOne(({ bus, cells }) => {
    bus.on('job', () => {
      cells.set('busy', 1)
      cells.block('go')
    })
  }, IN_GROUP)
  const outcomes = [bus.emitAndWait('job', 0)]
  await cells.reach('busy')
  outcomes.push(bus.emitAndWait('job', 1), bus.request('job', 2))
  bus.emit('job', 3)
  const settled = Promise.allSettled(outcomes)
  await doomed.terminate()
  const [begun, waiting, requested] = await settled
  assert.equal(begun.value.errors[0].code, GONE)
  assert.equal(waiting.value.errors[0].code, GONE)
  assert.equal(requested.reason.code, GONE)
  await reported()
  // The word that it had begun may not have left a process that is killed.
  assert.deepEqual(
    ACROSS ? dead.filter(([job]) => job > 0) : dead,
    [1, 2, 3].map((job) => [job, GONE]),
  )
  assert.deepEqual(
    errors.map(([event, { code }]) => [event, code]),
    new Array(4).fill(['job', GONE]),
  )
})

test('an event that comes back from a thread that ended can go to the emitting thread itself', {
  threadsOnly: 'what was sent to a process is given to nobody else',
}, async (t) => {
  const { bus, cells, startOne } = stage(t, { group: 'workers' })
  cells.name('busy', 'go')
  const doomed = await startOne(({ bus, cells }) => {
    bus.on('job', () => {
      cells.set('busy', 1)
      cells.block('go')
    })
  }, IN_GROUP)
  bus.emit('job', 'begun')
  await cells.reach('busy')
  const outcomes = [bus.emitAndWait('job', 1), bus.emitAndWait('job', 2)]
  const heard = []
  bus.on('job', (job) => heard.push(job))
  await doomed.terminate()
  for (const outcome of outcomes) assert.deepEqual(await outcome, { success: 1, failed: 0, errors: [] })
  assert.deepEqual(heard, [1, 2])
  await bus.idle()
  assert.equal(bus.getStats().listenersFailed, 1)
})

for (const kind of ['request', 'emitAndWait', 'emit']) {
  test(`an event that a getter of the arguments emits has its listeners for itself, in ${kind}`, async (t) => {
    const { bus, startOne } = stage(t, { group: 'workers' })
    const heard = []
    bus.on('job', (job) => void heard.push(job))
    const other = await startOne(({ bus, log }) => bus.on('job', ({ at }) => void log.push(at)), IN_GROUP)
    // The inner event keeps this bus busy, so the outer one goes to the other thread.
    const argument = {
      get at() {
        bus.emit('job', 'inner')
        return 'outer'
      },
    }
    // With a key it is not taken over.
    await bus.with({ key: 'a' })[kind]('job', argument)
    await bus.idle()
    assert.deepEqual(heard, ['inner'])
    assert.deepEqual(await other.run(({ log }) => log), ['outer'])
    await bus.close()
  })
}
