'use strict'

// A bus's statistics and `idle()`: about its own emissions, wherever their listeners run.

const assert = require('node:assert/strict')
const { WAYS, keepBusyUntil, stage, test, turn, until } = require('../fixtures/stage.js')

for (const { way, options } of WAYS) {
  test(`an emission counts where it was emitted, with its listeners of every thread, ${way}`, async (t) => {
    const { bus, join, start } = stage(t)
    const threads = await start(
      2,
      ({ bus, data }) => {
        bus.on('x', () => {}, data)
        bus.on(
          'x',
          () => {
            throw new Error('failed')
          },
          data,
        )
      },
      { data: options },
    )
    bus.on('x', () => {}, options)
    const idle = join()
    bus.emit('x')
    await bus.emitAndWait('x')
    assert.equal(bus.emit('unheard'), false)
    await bus.idle()
    const { eventsEmitted, listenersInvoked, listenersFailed, ...others } = bus.getStats()
    assert.deepEqual([eventsEmitted, listenersInvoked, listenersFailed], [2, 10, 4])
    assert.deepEqual(others, {
      parallelBatches: 2,
      averageListenersPerEvent: '5.00',
      failureRate: '40.00%',
      pending: 0,
      delivered: 6,
      failed: 4,
      timedOut: 0,
      refused: 0,
      lost: 0,
      cancelled: 0,
      unheard: 1,
      received: 0,
      receivedDelivered: 0,
      receivedFailed: 0,
    })
    const nothing = { ...idle.getStats() }
    assert.deepEqual([nothing.eventsEmitted, nothing.listenersInvoked, nothing.listenersFailed], [0, 0, 0])
    for (const thread of threads) {
      const received = { received: 2, receivedDelivered: 2, receivedFailed: 2 }
      assert.deepEqual(await thread.run(({ bus }) => bus.getStats()), { ...nothing, ...received })
    }
    bus.resetStats()
    assert.deepEqual(bus.getStats(), nothing)
    await bus.emitAndWait('x')
    assert.deepEqual([bus.getStats().listenersInvoked, bus.getStats().listenersFailed], [5, 2])
    await bus.close()
    assert.deepEqual(
      [bus.getStats().listenersInvoked, bus.getStats().listenersFailed],
      [5, 2],
      'also when it is closed',
    )
  })

  test(`idle waits until every listener of every thread is done, ${way}`, async (t) => {
    const { bus, cells, start } = stage(t)
    cells.name('go', 'done')
    const threads = await start(
      2,
      ({ bus, cells, data }) => {
        bus.on(
          'x',
          async () => {
            await cells.reach('go')
            cells.add('done')
          },
          data,
        )
      },
      { data: options },
    )
    bus.emit('x')
    bus.emit('x')
    let idle = false
    const [first, second] = [bus.idle(), bus.idle()]
    first.then(() => {
      idle = true
    })
    // The threads reply in order: they have got the events by then.
    for (const thread of threads) {
      await thread.run(({ bus }) => bus.idle())
      await thread.run(() => {})
    }
    await turn()
    assert.deepEqual([idle, cells.get('done')], [false, 0])
    assert.ok(bus.getStats().pending > 0)
    cells.set('go', 1)
    await Promise.all([first, second])
    assert.equal(cells.get('done'), 4)
    assert.equal(bus.getStats().pending, 0)
    await bus.idle()
  })
}

test('pending counts an awaited event once, and any other once for each bus it went to', async (t) => {
  const { bus, cells, join, start } = stage(t)
  cells.name('busy', 'go')
  const busy = ({ bus, cells }) => {
    bus.on('wait', () => {
      cells.add('busy')
      cells.block('go')
    })
    bus.on('x', () => {})
  }
  await start(2, busy)
  join().on('x', () => {})
  bus.on('x', () => {})
  bus.emit('wait')
  await cells.reach('busy', 2)
  const before = bus.getStats().pending
  bus.emit('x')
  // This bus, another one here, and two threads.
  assert.equal(bus.getStats().pending - before, 4)
  const outcome = bus.emitAndWait('x')
  // Here, and elsewhere.
  assert.equal(bus.getStats().pending - before, 6)
  const reply = bus.request('x')
  assert.equal(bus.getStats().pending - before, 7)
  cells.set('go', 1)
  await Promise.all([outcome, reply, bus.idle()])
  assert.equal(bus.getStats().pending, 0)
})

test('idle ends once, also when the last listener here sees the last one elsewhere end', async (t) => {
  const { bus, cells, startOne } = stage(t)
  cells.name('go')
  await startOne(({ bus, cells }) => bus.on('there', () => cells.block('go')))
  bus.on('here', () => {
    cells.set('go', 1)
    keepBusyUntil(() => bus.getStats().pending === 1, 'only this listener is left')
  })
  bus.emit('there')
  const idle = bus.idle()
  bus.emit('here')
  await idle
  cells.set('go', 0)
  bus.emit('there')
  const again = bus.idle()
  bus.emit('here')
  await again
  assert.equal(bus.getStats().pending, 0)
})

test('idle does not wait for events of others', async (t) => {
  const { bus, cells, start } = stage(t)
  cells.name('emitted')
  let end
  bus.on('slow', () => new Promise((resolve) => (end = resolve)))
  const [other] = await start(1, ({ bus, cells }) => {
    bus.on('x', () => {})
    bus.emit('slow')
    cells.set('emitted', 1)
  })
  await cells.reach('emitted')
  await bus.emitAndWait('x')
  await until(() => end !== undefined)
  await bus.idle()
  assert.equal(bus.getStats().pending, 0)
  assert.equal(await other.run(({ bus }) => bus.getStats().pending), 1)
  end()
  await other.run(({ bus }) => bus.idle())
})

test('a listener that waits for its own events is waited for itself', async (t) => {
  const { bus, cells, start } = stage(t)
  cells.name('inner')
  const [first, second] = await start(2, () => {})
  await first.run(({ bus }) => {
    bus.on('outer', async () => {
      const { success } = await bus.emitAndWait('inner')
      return success + (await bus.request('inner'))
    })
  })
  await second.run(({ bus, cells }) => bus.on('inner', () => cells.add('inner') + 1))
  assert.equal(await bus.request('outer'), 3)
  bus.emit('outer')
  await bus.idle()
  assert.equal(cells.get('inner'), 4)
})

test('idle resolves after the events it waited for', async (t) => {
  const { bus, errors, startOne } = stage(t)
  await startOne(({ bus }) => bus.on('x', () => {}), { options: { mailbox: { maxMessages: 1 } } })
  const early = { outcomes: 0, reports: 0 }
  for (let round = 0; round < 5000; round++) {
    let isSettled = false
    bus.emitAndWait('x').then(() => {
      isSettled = true
    })
    await bus.idle()
    if (!isSettled) early.outcomes++
    for (let number = 0; number < 3; number++) bus.emit('x')
    await bus.idle()
    if (errors.length < bus.getStats().listenersFailed) early.reports++
  }
  assert.deepEqual(early, { outcomes: 0, reports: 0 })
})

test('a bus that closes tells of all that was lost before it is closed', async (t) => {
  const { join, startOne } = stage(t)
  await startOne(({ bus }) => bus.on('x', () => {}), { options: { mailbox: { maxMessages: 1 } } })
  let unsaid = 0
  for (let round = 0; round < 2000; round++) {
    let told = 0
    const bus = join({ onError: () => told++ })
    for (let number = 0; number < 3; number++) bus.emit('x')
    await bus.close()
    unsaid += bus.getStats().listenersFailed - told
  }
  assert.equal(unsaid, 0)
})
