'use strict'

// Room for events at a bus: unsettled events take it, read or not, and nothing else does.

const assert = require('node:assert/strict')
const { ParallelEventBus } = require('../..')
const native = require('../../native.js')
const { WAYS, stage, test, told, turn, until } = require('../fixtures/stage.js')

const FULL = 'ERR_MAILBOX_FULL'
/** Events that are over and may wait before they are looked for. */
const A_FEW = 1024

/** Holds a thread up until `go`. */
async function hold({ cells }, thread) {
  thread.tell(({ cells }) => {
    cells.add('busy')
    cells.block('go')
  })
  await cells.reach('busy')
}

for (const [way, options] of [
  ['to everybody', undefined],
  ['to one of a group', { group: 'g' }],
]) {
  test(`an event that was cancelled before it started leaves its room to newer events, ${way}`, {
    threadsOnly: 'room elsewhere comes back when its process has heard of it',
  }, async (t) => {
    const scene = stage(t)
    const { bus, cells, errors, startOne } = scene
    cells.name('busy', 'go')
    const thread = await startOne(({ bus, data, log }) => bus.on('x', (value) => log.push(value), data), {
      data: options,
      options: { mailbox: { maxMessages: 3 } },
    })
    await hold(scene, thread)
    let last = new AbortController()
    let newest
    for (let value = 0; value < 50; value++) {
      last.abort()
      last = new AbortController()
      bus.with({ signal: last.signal }).emit('x', value)
      const view = bus.with({ signal: last.signal })
      newest = [view.emitAndWait('x', value), view.request('x', value)]
      for (const outcome of newest) outcome.catch(() => {})
    }
    assert.equal(bus.getStats().pending, 3)
    cells.set('go', 1)
    const [{ success }] = await Promise.all(newest)
    assert.equal(success, 1)
    await bus.idle()
    assert.deepEqual(await thread.run(({ log }) => log), [49, 49, 49])
    assert.deepEqual(errors, [])
  })
}

test('an event that timed out before it started leaves its room, too', {
  threadsOnly: 'room elsewhere comes back when its process has heard of it',
}, async (t) => {
  const scene = stage(t)
  const { bus, cells, errors, startOne } = scene
  cells.name('busy', 'go')
  const thread = await startOne(({ bus, log }) => bus.on('x', (value) => log.push(value)), {
    options: { mailbox: { maxMessages: 2 } },
  })
  await hold(scene, thread)
  for (let value = 0; value < 6; value += 2) {
    const hurried = bus.with({ timeout: 1 })
    const outcomes = await Promise.all([hurried.emitAndWait('x', value), hurried.emitAndWait('x', value + 1)])
    for (const { errors } of outcomes) assert.equal(errors[0].code, 'ERR_LISTENER_TIMEOUT')
  }
  bus.emit('x', 'newest')
  cells.set('go', 1)
  await bus.idle()
  assert.deepEqual(await thread.run(({ log }) => log), ['newest'])
  assert.equal(errors.length, 6)
})

test('requests that are taken back do not pile up before a thread that does not look', {
  threadsOnly: 'room elsewhere comes back when its process has heard of it',
}, async (t) => {
  const scene = stage(t)
  const { bus, cells, startOne } = scene
  cells.name('busy', 'go')
  const thread = await startOne(({ bus }) => bus.on('x', (value) => value))
  await hold(scene, thread)
  for (let round = 0; round < 20; round++) {
    const controller = new AbortController()
    const view = bus.with({ signal: controller.signal })
    const requests = Array.from({ length: 500 }, (_, value) => view.request('x', value))
    controller.abort()
    await Promise.allSettled(requests)
  }
  const { dispatches } = native.counters()
  assert.ok(dispatches <= 2 * A_FEW, `${dispatches} of 10000 wait`)
  cells.set('go', 1)
  assert.equal(await bus.request('x', 7), 7)
})

for (const { way, options } of WAYS) {
  test(`an event with a running listener takes room, ${way}`, async (t) => {
    const { bus, cells, errors, startOne } = stage(t)
    cells.name('started')
    const thread = await startOne(
      ({ bus, cells, data, log }) => {
        bus.on(
          'x',
          () => {
            cells.add('started')
            return new Promise((resolve) => log.push(resolve))
          },
          data,
        )
      },
      { data: options, options: { mailbox: { maxMessages: 8 } } },
    )
    for (let value = 0; value < 8; value++) bus.emit('x', value)
    await cells.reach('started', 8)
    assert.equal(bus.needsDrain, true, 'although all were read')
    assert.equal((await bus.emitAndWait('x')).errors[0].code, FULL)
    let isDrained = false
    const drained = bus.drained().then(() => {
      isDrained = true
    })
    await thread.run(({ log }) => {
      for (const settle of log.splice(0, 5)) settle()
    })
    await until(() => bus.getStats().pending === 3)
    await turn()
    assert.deepEqual([isDrained, bus.needsDrain], [false, false])
    await thread.run(({ log }) => log.splice(0, 1)[0]())
    await drained
    bus.emit('x')
    await cells.reach('started', 9)
    assert.deepEqual(
      errors.map(([, { code }]) => code),
      [FULL],
    )
    await thread.run(({ log }) => {
      for (const settle of log.splice(0)) settle()
    })
    await bus.idle()
  })

  test(`an emitter that paces itself never has more begun than the bound of an async listener, ${way}`, async (t) => {
    const { bus, cells, errors, startOne } = stage(t)
    cells.name('running', 'most')
    await startOne(
      ({ bus, cells, data, turn }) => {
        const running = new Set()
        bus.on(
          'x',
          async (value) => {
            running.add(value)
            if (running.size > cells.get('most')) cells.set('most', running.size)
            for (let turns = 0; turns < 20; turns++) await turn()
            running.delete(value)
          },
          data,
        )
      },
      { data: options, options: { mailbox: { maxMessages: 64 } } },
    )
    for (let value = 0; value < 2000; value++) {
      if (bus.needsDrain) await bus.drained()
      bus.emit('x', value)
    }
    await bus.idle()
    assert.deepEqual(errors, [])
    assert.ok(cells.get('most') <= 33, `${cells.get('most')} at once: more than half of the room, and one`)
  })
}

test('listeners that pace themselves and emit back and forth between two threads do not wait for ever', async (t) => {
  const mailbox = { maxMessages: 16 }
  const { bus, cells, startOne } = stage(t, { mailbox })
  cells.name('waiting', 'done')
  // Each waits for room at the other thread. Only listeners that wait for room at its own thread take it.
  const thread = await startOne(
    ({ bus, cells, until }) => {
      bus.on('ping', async () => {
        cells.add('waiting')
        await until(() => bus.needsDrain || cells.get('done') > 0)
        await bus.drained()
        bus.emit('done')
        cells.add('done')
      })
    },
    { options: { mailbox } },
  )
  let pongs = 0
  bus.on('pong', async () => {
    pongs++
    await bus.drained()
    bus.emit('done')
    cells.add('done')
  })
  const balls = 10
  for (let ball = 0; ball < balls; ball++) bus.emit('ping')
  await cells.reach('waiting', balls)
  assert.equal(bus.needsDrain, true)
  await thread.run(async ({ bus }, balls) => {
    for (let ball = 0; ball < balls; ball++) bus.emit('pong')
  }, balls)
  await until(() => pongs === balls)
  await cells.reach('done', 2 * balls)
  await bus.idle()
})

test('a pipeline paces its source though the stage between waits itself, and loses nothing', async (t) => {
  const scene = stage(t)
  const { bus, errors, startOne } = scene
  const mailbox = { maxMessages: 16 }
  const middle = await startOne(
    ({ bus, turn }) =>
      bus.on('raw', async (value) => {
        // Several wait at once: the others have taken the room when one comes to look again.
        while (bus.needsDrain) await bus.drained()
        bus.emit('cooked', value)
        await turn()
      }),
    { options: { mailbox } },
  )
  const end = await startOne(
    ({ bus, log, turn }) =>
      bus.on('cooked', async (value) => {
        for (let turns = 0; turns < 5; turns++) await turn()
        log.push(value)
      }),
    { options: { mailbox } },
  )
  for (let value = 0; value < 500; value++) {
    while (bus.needsDrain) await bus.drained()
    bus.emit('raw', value)
  }
  await bus.idle()
  await end.run(({ log, until }) => until(() => log.length === 500))
  // Those that had to wait are overtaken by others.
  const seen = await end.run(({ log }) => log.sort((one, other) => one - other))
  assert.deepEqual(
    seen,
    seen.map((_, value) => value),
  )
  for (const thread of [middle, end]) assert.deepEqual(await thread.run(({ errors }) => errors), [])
  assert.deepEqual(errors, [])
})

test('listeners that come and go while something waits keep no numbers', async (t) => {
  const scene = stage(t)
  const { bus } = scene
  const other = scene.join()
  other.on('x', () => {})
  const ids = new Set()
  const { listen } = native
  native.listen = (...args) => {
    ids.add(args[3])
    return listen(...args)
  }
  t.after(() => {
    native.listen = listen
  })
  // Nothing is read in this turn.
  bus.emit('x')
  for (let time = 0; time < 5000; time++) {
    const listener = () => {}
    other.on('y', listener)
    other.off('y', listener)
  }
  assert.ok(ids.size <= 2, `${ids.size} numbers`)
  await bus.idle()
  await new Promise((resolve) => {
    other.once('go', () => {
      for (let time = 0; time < 5000; time++) {
        const listener = () => {}
        other.on('y', listener)
        other.off('y', listener)
      }
      resolve()
    })
    bus.emit('go')
  })
  assert.ok(ids.size <= 4, `${ids.size} numbers, also within a listener`)
})

test('of a thread that is stuck again and again, one that does not listen is told once', async (t) => {
  const { bus, cells, startOne } = stage(t)
  cells.name('busy', 'go', 'heard')
  const thread = await startOne(
    ({ bus, cells }) => {
      bus.on('x', () => cells.add('heard'))
    },
    { options: { stallAfter: 1 } },
  )
  const stalls = []
  bus.on(ParallelEventBus.stall, (about) => stalls.push(about))
  thread.tell(({ cells }) => {
    cells.add('busy')
    cells.block('go')
  })
  await cells.reach('busy')
  const first = told(bus, ParallelEventBus.stall)
  bus.emit('x')
  await first
  const before = stalls.length
  // Both threads are busy, and so nobody reads. Each event is an occasion to find the other stuck.
  for (const end = Date.now() + 200; Date.now() < end; ) bus.emit('x')
  await turn()
  await turn()
  assert.ok(stalls.length - before <= 2, `${stalls.length - before} times`)
  cells.set('go', 1)
  await bus.idle()
})
