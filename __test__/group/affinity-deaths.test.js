'use strict'

// Events of a key that a thread leaves behind: where the others are full, and where a `once` listener was claimed.

const assert = require('node:assert/strict')
const { stage, test } = require('../fixtures/stage.js')

const numbers = (count, from = 0) => Array.from({ length: count }, (_, number) => from + number)

/** A group of buses with room for so many events each. */
const withRoom = (maxMessages) => ({ options: { group: 'workers', mailbox: { maxMessages } } })

/** A member that is stuck in its first job until `go`; the others remember the arguments of their calls. */
const stuck = ({ bus, cells, log }) => {
  bus.on('job', (job) => {
    log.push(job)
    if (cells.add('held') === 0) cells.block('go')
  })
}

/** Across processes, nothing is left behind. */
const OF_THREADS = { threadsOnly: 'what was sent to a process is given to nobody else' }

const logOf = (thread) => thread.run(({ log }) => log)

for (const [what, keys] of [
  ['of one key', () => 'a'],
  ['of many keys', (job) => `key ${job % 3}`],
]) {
  test(`events ${what} of a thread that dies go to another one that is full, in order`, OF_THREADS, async (t) => {
    const { bus, cells, startOne } = stage(t)
    cells.name('held', 'go')
    const dying = await startOne(({ bus, cells }) => {
      bus.on('job', () => {
        cells.add('held')
        for (;;);
      })
    }, withRoom(20))
    const lost = assert.rejects(bus.with({ key: 'lost' }).request('job', -1), { code: 'ERR_THREAD_EXITED' })
    await cells.reach('held')
    const left = numbers(19).map((job) => bus.with({ key: keys(job) }).request('job', job))
    cells.set('held', 0)
    const other = await startOne(stuck, withRoom(5))
    const own = numbers(5, 100).map((job) => bus.with({ key: 'own' }).request('job', job))
    await cells.reach('held')
    await assert.rejects(bus.with({ key: 'own' }).request('job', 105), { code: 'ERR_MAILBOX_FULL' })
    await dying.terminate()
    await lost
    cells.set('go', 1)
    await Promise.all([...own, ...left])
    const heard = await logOf(other)
    assert.deepEqual(heard.slice(0, 5), numbers(5, 100))
    const key = (of) => heard.slice(5).filter((job) => keys(job) === keys(of))
    for (const job of numbers(3)) {
      assert.deepEqual(
        key(job),
        numbers(19).filter((other) => keys(other) === keys(job)),
      )
    }
  })
}

for (const way of ['in the mailbox', 'read, and not started']) {
  test(`an event of a key that a once listener was claimed for goes on elsewhere, ${way}`, OF_THREADS, async (t) => {
    const { bus, cells, startOne } = stage(t)
    cells.name('held', 'go')
    const dying = await startOne(
      ({ bus, cells }) => {
        bus.on('block', () => {
          cells.add('held')
          for (;;);
        })
        bus.on('start', () => cells.block('go'))
        bus.once('job', () => {})
      },
      { options: { group: 'workers' } },
    )
    // It reads all others at once, when it is through with the first event.
    bus.emit('start')
    bus.emit('block')
    if (way === 'in the mailbox') {
      cells.set('go', 1)
      await cells.reach('held')
    }
    const view = bus.with({ key: 'a' })
    const first = view.request('job', 0)
    const other = await startOne(({ bus, log }) => bus.on('job', (job) => void log.push(job)), {
      options: { group: 'workers' },
    })
    const later = numbers(5, 1).map((job) => view.request('job', job))
    cells.set('go', 1)
    await cells.reach('held')
    await dying.terminate()
    await Promise.all([first, ...later])
    assert.deepEqual(await logOf(other), numbers(6))
  })
}

test('events of a key that a thread leaves behind go to once listeners, one after the other', OF_THREADS, async (t) => {
  const { bus, cells, start, startOne } = stage(t)
  cells.name('held')
  const dying = await startOne(
    ({ bus, cells }) => {
      bus.on('block', () => {
        cells.add('held')
        for (;;);
      })
      bus.on('job', () => {})
    },
    { options: { group: 'workers' } },
  )
  bus.emit('block')
  await cells.reach('held')
  const view = bus.with({ key: 'a' })
  const jobs = numbers(3).map((job) => view.request('job', job))
  await start(3, ({ bus, threadId }) => bus.once('job', (job) => [job, threadId]), { options: { group: 'workers' } })
  await dying.terminate()
  const heard = await Promise.all(jobs)
  assert.deepEqual(
    heard.map(([job]) => job),
    numbers(3),
  )
  assert.equal(new Set(heard.map(([, thread]) => thread)).size, 3)
})
