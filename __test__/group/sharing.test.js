'use strict'

// No event of a group waits while a member of it has nothing to do: that one takes over what others have not started.

const assert = require('node:assert/strict')
const { keepBusyUntil, stage, test, until } = require('../fixtures/stage.js')
const { ParallelEventBus } = require('../..')
const native = require('../../native.js')

/** Members that are held up by a `long` job until the cell `go` says otherwise, and are done at once with others. */
const members = ({ bus, cells, threadId, log }) => {
  bus.on('job', (job) => {
    log.push(job)
    if (job === 'long') {
      cells.set('held', threadId)
      cells.block('go')
    }
    cells.add(threadId)
    return threadId
  })
}

const IN_GROUP = { options: { group: 'workers' } }
const numbers = (count) => Array.from({ length: count }, (_, number) => number)

/** Sends a job that holds up one of the threads. Returns that one, and what settles when it is done. */
async function holdUp(bus, cells, threads) {
  const long = bus.request('job', 'long')
  await until(() => cells.get('held') > 0)
  return { long, held: threads.find(({ id }) => id === cells.get('held')) }
}

/** Ways to emit a job, each with a promise for its end. */
const WAYS = {
  emitAndWait: (bus, job) => bus.emitAndWait('job', job),
  request: (bus, job) => bus.request('job', job),
}

for (const [name, emit] of Object.entries(WAYS)) {
  test(`short events (${name}) do not wait behind a long one while another member has nothing to do`, {
    threadsOnly: 'what was sent to a process is given to nobody else',
  }, async (t) => {
    const { bus, cells, start } = stage(t)
    cells.name('held', 'go')
    const threads = await start(2, members, IN_GROUP)
    const { long, held } = await holdUp(bus, cells, threads)
    // Half of them go to each.
    await Promise.all(numbers(40).map((job) => emit(bus, job)))
    assert.equal(cells.get(held.id), 0, 'the long one is not done yet')
    cells.set('go', 1)
    await long
    const logs = await Promise.all(threads.map((thread) => thread.run(({ log }) => log)))
    const done = logs.flat().filter((job) => job !== 'long')
    assert.deepEqual(
      done.sort((a, b) => a - b),
      numbers(40),
      'each once',
    )
  })
}

test('what a member has read and not begun with is taken over, too, the oldest first', {
  threadsOnly: 'what was sent to a process is given to nobody else',
}, async (t) => {
  const { bus, cells, startOne } = stage(t)
  cells.name('held', 'go', 'blocked')
  const held = await startOne(members, IN_GROUP)
  // It is kept from reading, so that the long one and what comes behind it are read at once.
  held.tell(({ cells }) => {
    cells.add('blocked')
    cells.block('blocked', 2)
  })
  await cells.reach('blocked')
  const long = bus.request('job', 'long')
  const done = Promise.all(numbers(60).map((job) => bus.request('job', job)))
  cells.add('blocked')
  await until(() => cells.get('held') > 0)
  const other = await startOne(members, IN_GROUP)
  await done
  assert.deepEqual(await other.run(({ log }) => log), numbers(60))
  cells.set('go', 1)
  await long
})

test('the emitting thread takes over events for its own listeners', {
  threadsOnly: 'what was sent to a process is given to nobody else',
}, async (t) => {
  const { bus, cells, start } = stage(t, { group: 'workers' })
  cells.name('held', 'go')
  const threads = await start(1, members, IN_GROUP)
  const { long } = await holdUp(bus, cells, threads)
  const here = []
  bus.on('job', (job) => {
    here.push(job)
  })
  await Promise.all(numbers(20).map((job) => bus.emitAndWait('job', job)))
  assert.deepEqual(
    here.sort((a, b) => a - b),
    numbers(20),
  )
  cells.set('go', 1)
  await long
})

test('a member that joins while others are held up takes over what waits there', {
  threadsOnly: 'what was sent to a process is given to nobody else',
}, async (t) => {
  const { bus, cells, start, startOne } = stage(t)
  cells.name('held', 'go')
  const threads = await start(1, members, IN_GROUP)
  const { long } = await holdUp(bus, cells, threads)
  const jobs = Promise.all(numbers(20).map((job) => bus.request('job', job)))
  const joined = await startOne(members, IN_GROUP)
  assert.deepEqual(new Set(await jobs), new Set([joined.id]))
  cells.set('go', 1)
  await long
})

test('a request without a group is taken over by any listener', {
  threadsOnly: 'what was sent to a process is given to nobody else',
}, async (t) => {
  const { bus, cells, start } = stage(t)
  cells.name('held', 'go')
  const threads = await start(2, members)
  const { long, held } = await holdUp(bus, cells, threads)
  const answers = await Promise.all(numbers(20).map((job) => bus.request('job', job)))
  assert.ok(answers.every((id) => id !== held.id))
  cells.set('go', 1)
  await long
})

test('an event goes to the thread that is not stalled, also where that has more in flight', {
  threadsOnly: 'what was sent to a process is given to nobody else',
}, async (t) => {
  const { bus, cells, start } = stage(t, { stallAfter: 5 })
  cells.name('held', 'go')
  const threads = await start(2, members, { options: { group: 'workers', stallAfter: 5 } })
  const { long, held } = await holdUp(bus, cells, threads)
  const stalled = new Promise((resolve) => bus.on(bus.constructor.stall, resolve))
  bus.ref()
  // Something has to wait for a thread to be missed.
  const job = bus.with({ timeout: 1 }).emitAndWait('job', 'x')
  const other = threads.find((thread) => thread !== held)
  held.tell(() => {})
  bus.emit('job', 0)
  bus.emit('job', 1)
  await Promise.all([stalled, job])
  await until(() => bus.getStats().pending === 1)
  const answers = await Promise.all(numbers(50).map((job) => bus.request('job', job)))
  assert.ok(answers.every((id) => id === other.id))
  cells.set('go', 1)
  await long
})

test('a bus that closes while its events are taken over ends, and they are done', {
  threadsOnly: 'what was sent to a process is given to nobody else',
}, async (t) => {
  const { bus, cells, start, startOne } = stage(t)
  cells.name('held', 'go')
  const threads = await start(1, members, IN_GROUP)
  const { long, held } = await holdUp(bus, cells, threads)
  const jobs = Promise.all(numbers(20).map((job) => bus.request('job', job)))
  const other = await startOne(members, IN_GROUP)
  assert.deepEqual(new Set(await jobs), new Set([other.id]))
  const closed = held.run(({ bus }) => bus.close())
  cells.set('go', 1)
  assert.equal(await long, held.id)
  await closed
})

test('while threads end, what they have not begun is taken over, and each event settles once', {
  threadsOnly: 'what was sent to a process is given to nobody else',
}, async (t) => {
  const { bus, cells, launch, start } = stage(t)
  cells.name('held', 'go')
  cells.set('go', 1)
  await start(2, members, IN_GROUP)
  const outcomes = []
  for (let life = 0; life < 8; life++) {
    const doomed = launch(({ bus, cells, threadId }) => {
      bus.on('job', () => {
        cells.add(threadId)
        const end = Date.now() + 1
        while (Date.now() < end);
      })
    }, IN_GROUP)
    await doomed.ready
    await until(() => {
      for (const job of numbers(60)) outcomes.push(bus.emitAndWait('job', job))
      return cells.get(doomed.id) > 0
    })
    await doomed.terminate()
  }
  const settled = await Promise.all(outcomes)
  assert.ok(settled.every(({ success, failed }) => success + failed === 1))
  // Only what a thread had begun can be lost with it: one for each.
  assert.ok(settled.filter(({ failed }) => failed === 1).length <= 8)
})

test('an idle process does not look for events to take over', async (t) => {
  const { bus, start } = stage(t, { stallAfter: 0 })
  await start(2, members, { options: { group: 'workers', stallAfter: 0 } })
  await Promise.all(numbers(100).map((job) => bus.request('job', job)))
  // The last look finds nothing, and there is no other.
  await until(() => native.counters().timers === 0)
  keepBusyUntil(() => native.counters().timers === 0)
})

test('events for a listener of the emitting thread, which is busy, are taken over by others', {
  threadsOnly: 'what was sent to a process is given to nobody else',
}, async (t) => {
  const { bus, cells, start } = stage(t, { group: 'workers' })
  const [thread] = await start(1, members, IN_GROUP)
  const here = []
  let isBlocked = false
  bus.on('job', (job) => {
    here.push(job)
    if (isBlocked) return
    isBlocked = true
    // Until the other thread has done all the rest: it takes over what was given to this one.
    keepBusyUntil(() => cells.get(thread.id) === 39, 'the others have done the rest')
  })
  await Promise.all(numbers(40).map((job) => bus.emitAndWait('job', job)))
  assert.equal(here.length, 1)
})

test('an event comes by reference to a listener of the emitting thread that has none in flight, else as a copy, in order', async (t) => {
  const { bus, cells, startOne } = stage(t, { group: 'workers' })
  cells.name('held', 'go')
  // It has no room for a second one.
  await startOne(members, { options: { group: 'workers', mailbox: { maxMessages: 1 } } })
  const { long } = await holdUp(bus, cells, [])
  const heard = []
  bus.on('job', (job) => {
    heard.push(['job', job])
  })
  bus.on('plain', (job) => heard.push(['plain', job]), { group: null })
  const jobs = numbers(4).map((number) => ({ number }))
  for (const job of jobs) {
    bus.emit('job', job)
    bus.emit('plain', job)
  }
  await until(() => heard.length === 8)
  assert.deepEqual(
    heard,
    jobs.flatMap((job) => [
      ['job', job],
      ['plain', job],
    ]),
  )
  assert.deepEqual(
    heard.filter(([name]) => name === 'job').map(([, job]) => jobs.includes(job)),
    [true, false, false, false],
  )
  cells.set('go', 1)
  await long
})

test('of two buses of a thread, one takes over what waits for the full listener of the other', {
  threadsOnly: 'what was sent to a process is given to nobody else',
}, async (t) => {
  const { bus, cells, startOne } = stage(t)
  cells.name('first', 'second')
  const thread = await startOne((scope) => {
    const { bus, cells, channel, ParallelEventBus } = scope
    const listen = (name, bus) => {
      const listener = async () => {
        cells.add(name)
        await new Promise((resolve) => (scope[name] = resolve))
        return name
      }
      bus.on('job', listener, { group: 'g', concurrency: 1 })
    }
    listen('first', bus)
    scope.add = () => listen('second', new ParallelEventBus({ channel }))
  })
  const requests = [bus.request('job'), bus.request('job')]
  await cells.reach('first')
  await thread.run(({ add }) => add())
  await cells.reach('second')
  await thread.run(({ first, second }) => [first, second].map((end) => end()).length)
  assert.deepEqual(await Promise.all(requests), ['first', 'second'])
})

test('a thread with buses of several channels takes over events of each', {
  threadsOnly: 'what was sent to a process is given to nobody else',
}, async (t) => {
  const { bus, cells, start, startOne } = stage(t)
  cells.name('held', 'go')
  const channel = 'another channel'
  const second = new ParallelEventBus({ channel })
  const both = ({ bus, cells, threadId, ParallelEventBus, data: channel }) => {
    for (const each of [bus, new ParallelEventBus({ channel, group: 'workers' })]) {
      each.on('job', (job) => {
        if (job === 'long') {
          cells.set('held', threadId)
          cells.block('go')
        }
        return threadId
      })
    }
  }
  const [first] = await start(1, both, { ...IN_GROUP, data: channel })
  const long = bus.request('job', 'long')
  await until(() => cells.get('held') === first.id)
  const requests = [bus, second].flatMap((bus) => numbers(10).map((job) => bus.request('job', job)))
  const thief = await startOne(both, { ...IN_GROUP, data: channel })
  assert.deepEqual(await Promise.all(requests), Array(20).fill(thief.id))
  cells.set('go', 1)
  await long
  await second.close()
})
