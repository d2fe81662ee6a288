'use strict'

// The end of a bus on a channel, and of the threads and processes that have one.

const assert = require('node:assert/strict')
const { ParallelEventBus } = require('../..')
const { WAYS, stage, test, toldOfEnd, turn, until } = require('../fixtures/stage.js')

const CLOSED = { code: 'ERR_BUS_CLOSED' }

for (const { way, options } of WAYS) {
  test(`a bus that closes finishes the events on their way to it, and gets no more, ${way}`, {
    threadsOnly: 'an event that comes when its listener is gone is withdrawn',
  }, async (t) => {
    const { bus, cells, startOne } = stage(t)
    cells.name('busy', 'emitted', 'go', 'done', 'closed')
    const thread = await startOne(
      ({ bus, cells, data }) => {
        bus.on(
          'x',
          async () => {
            await cells.reach('go')
            cells.add('done')
          },
          data,
        )
        bus.on('close', () => {
          cells.set('busy', 1)
          cells.block('emitted')
          bus.close().then(() => cells.set('closed', 1))
        })
      },
      { data: options },
    )
    bus.emit('x')
    bus.emit('close')
    await cells.reach('busy')
    // More than the thread takes at once.
    for (let number = 0; number < 2000; number++) bus.emit('x', number)
    const outcome = bus.emitAndWait('x')
    cells.set('emitted', 1)
    await thread.run(() => {})
    assert.equal(bus.emit('x'), false)
    assert.deepEqual(await bus.emitAndWait('x'), { success: 0, failed: 0, errors: [] })
    await assert.rejects(bus.request('x'), { code: 'ERR_NO_LISTENERS' })
    assert.deepEqual([cells.get('done'), cells.get('closed')], [0, 0])
    cells.set('go', 1)
    assert.deepEqual(await outcome, { success: 1, failed: 0, errors: [] })
    await bus.idle()
    assert.equal(cells.get('done'), 2002)
    await cells.reach('closed')
    assert.equal(bus.getStats().listenersFailed, 0)
  })

  test(`a bus that closes waits for its own events, ${way}`, async (t) => {
    const { channel, cells, startOne } = stage(t)
    cells.name('go', 'done')
    await startOne(
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
    const bus = new ParallelEventBus({ channel })
    bus.emit('x')
    const outcome = bus.emitAndWait('x')
    let isClosed = false
    const closing = bus.close()
    closing.then(() => {
      isClosed = true
    })
    assert.equal(bus.close(), closing)
    assert.equal(bus.emit('x'), false)
    assert.equal(isClosed, false)
    cells.set('go', 1)
    assert.equal((await outcome).success, 1)
    await closing
    assert.equal(cells.get('done'), 2)
  })
}

test('every call of a closed bus has a result, and it is idle', async (t) => {
  const { channel, start } = stage(t)
  await start(1, ({ bus }) => bus.on('x', () => {}))
  const bus = new ParallelEventBus({ channel })
  bus.on('own', () => {})
  assert.equal(bus.emit('x'), true)
  await (Symbol.asyncDispose === undefined ? bus.close() : bus[Symbol.asyncDispose]())
  assert.deepEqual([bus.emit('x'), bus.emit('own'), bus.needsDrain], [false, false, false])
  await assert.rejects(bus.emitAndWait('x'), CLOSED)
  await assert.rejects(bus.request('x'), CLOSED)
  await assert.rejects(bus.spawn('data:text/javascript,'), CLOSED)
  await Promise.all([bus.idle(), bus.drained(), bus.close()])
  const fn = () => {}
  bus.ref().unref().on('y', fn).once('y', fn).on('y', fn, { timeout: 5 }).off('y', fn).removeAllListeners()
  assert.equal(bus.getStats().eventsEmitted, 1)
  assert.equal(bus.resetStats().getStats().listenersFailed, 0)
})

test('listeners that are added to a bus that closes are not heard, and can be removed', async (t) => {
  const { bus, channel } = stage(t)
  const closing = new ParallelEventBus({ channel })
  let late = 0
  closing.on('removeListener', (event) => {
    if (event === 'x') closing.on('late', () => late++)
  })
  closing.on('x', async () => {
    closing.on('late', () => late++)
  })
  const outcome = bus.emitAndWait('x')
  const closed = closing.close()
  closing.on('late', () => late++)
  assert.deepEqual(await outcome, { success: 1, failed: 0, errors: [] })
  await closed
  assert.equal(bus.emit('late'), false)
  closing.removeAllListeners()
  assert.equal(late, 0)
})

test('a bus that a getter of its arguments closes emits that event to nobody', async (t) => {
  const { channel, cells, start } = stage(t)
  cells.name('heard')
  await start(1, ({ bus, cells }) => {
    bus.on('plain', () => cells.add('heard'))
    bus.on('bounded', () => cells.add('heard'), { timeout: 3_600_000 })
  })
  let own = 0
  for (const event of ['plain', 'bounded']) {
    const closing = () => {
      const bus = new ParallelEventBus({ channel })
      bus.on(event, () => own++)
      return {
        bus,
        args: {
          closed: new Map(),
          get value() {
            return bus.close()
          },
        },
      }
    }
    const emitting = closing()
    assert.equal(emitting.bus.emit(event, emitting.args), false)
    const waiting = closing()
    await assert.rejects(waiting.bus.emitAndWait(event, waiting.args), CLOSED)
    const requesting = closing()
    requesting.bus.removeAllListeners(event)
    await assert.rejects(requesting.bus.request(event, requesting.args), CLOSED)
    for (const { bus } of [emitting, waiting, requesting]) await bus.close()
  }
  assert.deepEqual([own, cells.get('heard')], [0, 0])
})

test('a bus that is closed by one of its listeners goes on until that is done', async (t) => {
  const { bus, startOne } = stage(t)
  const thread = await startOne(({ bus, log }) => {
    bus.on('x', async () => {
      bus.close().then(() => log.push('closed'))
      log.push(bus.emit('x'))
      await Promise.resolve()
      log.push('done')
      return 'reply'
    })
  })
  assert.equal(await bus.request('x'), 'reply')
  await thread.run(({ bus }) => bus.close())
  assert.deepEqual(await thread.run(({ log }) => log), [false, 'done', 'closed'])
})

test('a bus that is closed while its own member of a group works waits for that', async (t) => {
  const { channel } = stage(t)
  const bus = new ParallelEventBus({ channel, group: 'g' })
  let end
  const done = []
  bus.on('x', () => new Promise((resolve) => (end = resolve)).then(() => done.push('listener')))
  const outcome = bus.emitAndWait('x')
  await until(() => end !== undefined)
  const closed = bus.close().then(() => done.push('closed'))
  await turn()
  end()
  assert.deepEqual(await outcome, { success: 1, failed: 0, errors: [] })
  await closed
  assert.deepEqual(done, ['listener', 'closed'])
})

test('a thread ends when its bus is closed, and nobody takes that for a thread that was lost', async (t) => {
  const { bus, errors, start } = stage(t)
  const exits = []
  bus.on(ParallelEventBus.threadExit, ({ threadId }) => exits.push(threadId))
  const threads = await start(2, ({ bus, parentPort }) => {
    bus.on('x', () => {})
    bus.on('close', () => {
      bus.close()
    })
    parentPort.unref()
  })
  await bus.emitAndWait('x')
  bus.emit('close')
  assert.deepEqual(await Promise.all(threads.map(({ exited }) => exited)), [0, 0])
  await bus.idle()
  assert.equal(bus.emit('x'), false)
  assert.deepEqual([exits, errors], [[], []])
})

test('events that a thread emitted before it ended are delivered, also those of its last moment', async (t) => {
  const { bus, cells, start } = stage(t)
  cells.name('heard')
  const heard = []
  await start(1, ({ bus, cells }) => bus.on('x', () => cells.add('heard')))
  bus.on('x', (...args) => heard.push(args))
  bus.on('bounded', (...args) => heard.push(args), { timeout: 3_600_000 })
  const [leaver] = await start(1, ({ bus }) => {
    bus.on('leave', () => {
      for (let number = 0; number < 3; number++) bus.emit('x', number)
      bus.emit('bounded', 3)
      bus.emitAndWait('x', 4)
      process.on('exit', () => bus.emit('x', 5))
      process.exit(7)
    })
  })
  const exited = toldOfEnd(bus, leaver)
  bus.emit('leave')
  assert.equal(await leaver.exited, 7)
  await exited
  await cells.reach('heard', 5)
  await until(() => heard.length >= 6)
  assert.deepEqual(heard, [[0], [1], [2], [3], [4], [5]])
  await bus.idle()
})

test('a closed bus is collected, with its listeners and the objects they hold', async (t) => {
  assert.equal(typeof gc, 'function', 'run with --expose-gc')
  const { bus, channel, start } = stage(t)
  await start(1, ({ bus }) => bus.on('there', () => {}))
  const refs = []
  const use = async () => {
    const own = new ParallelEventBus({ channel, onError: () => own })
    const payload = new Array(1000).fill(own)
    own.on('x', () => payload)
    own.on('x', () => payload, { group: 'g', signal: new AbortController().signal })
    own.once('y', () => payload, { timeout: 1000 })
    await Promise.all([bus.emitAndWait('x'), bus.emitAndWait('y'), own.emitAndWait('there'), own.idle()])
    own.emit('there')
    await own.with({ timeout: 1000, signal: new AbortController().signal }).request('there')
    await own.close()
    refs.push(new WeakRef(own))
  }
  for (let number = 0; number < 20; number++) await use()
  for (let round = 0; round < 20 && refs.some((ref) => ref.deref() !== undefined); round++) {
    await turn()
    gc()
  }
  assert.equal(refs.filter((ref) => ref.deref() !== undefined).length, 0)
})
