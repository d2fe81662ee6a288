'use strict'

// The capacity of mailboxes: an event that exceeds it is refused and reported, and an emitter can pace itself.

const assert = require('node:assert/strict')
const { ParallelEventBus } = require('../..')
const { WAYS, stage, test, toldOfEnd, turn, until, warnings } = require('../fixtures/stage.js')

const FULL = 'ERR_MAILBOX_FULL'

const listening = ({ bus, data, log }) => bus.on('x', (value) => log.push(value), data)

function refusals(bus) {
  const dead = []
  bus.on(ParallelEventBus.deadLetter, (about) => dead.push(about))
  return dead
}

/** Starts a thread that is held up until `go`; events that come meanwhile wait. */
async function holdUp(scene, options, mailbox) {
  scene.cells.name('busy', 'go')
  const thread = await scene.startOne(listening, { data: options, options: { mailbox } })
  await hold(scene, thread)
  return thread
}

/** Holds threads up, by no event, which would take room of its own. */
async function hold({ cells }, ...threads) {
  cells.set('busy', 0)
  cells.set('go', 0)
  for (const thread of threads) {
    thread.tell(({ cells }) => {
      cells.add('busy')
      cells.block('go')
    })
  }
  await cells.reach('busy', threads.length)
}

for (const { way, options } of WAYS) {
  test(`an event that finds a mailbox full is refused, and its emitter is told, ${way}`, async (t) => {
    const scene = stage(t)
    const { bus, cells, errors } = scene
    const dead = refusals(bus)
    const thread = await holdUp(scene, options, { maxMessages: 4 })
    for (const value of [1, 2, 3, 4]) assert.equal(bus.emit('x', value), true)
    const pending = bus.getStats().pending
    assert.equal(bus.emit('x', 5), true, 'it was addressed to a listener')
    assert.equal(bus.emit('x', 6), true)
    const { success, failed, errors: failures } = await bus.emitAndWait('x', 7)
    assert.deepEqual([success, failed], [0, 1])
    assert.deepEqual(
      [failures[0].code, failures[0].name, failures[0].event, failures[0].threadId],
      [FULL, 'MailboxFullError', 'x', thread.threadId],
    )
    await assert.rejects(bus.request('x', 8), { code: FULL })
    const { success: none } = await bus.with({ timeout: 3_600_000 }).emitAndWait('x', 9)
    assert.equal(none, 0)
    assert.equal(bus.getStats().pending, pending, 'a refused event is not pending')
    assert.equal(bus.getStats().listenersFailed, 5)
    assert.deepEqual(
      errors.map(([event, { code }, listener]) => [event, code, listener]),
      new Array(5).fill(['x', FULL, undefined]),
    )
    const { message } = errors[0][1]
    assert.ok(message.startsWith(`the mailbox of thread ${thread.threadId} `), message)
    const rest = " is full (4 events, mailbox.maxMessages): 'x' was not queued. Await bus.drained(), or raise it"
    assert.ok(message.endsWith(rest), message)
    assert.deepEqual(
      dead.map(({ event, args: [value], listeners, threadId, error: { code } }) => [
        event,
        value,
        listeners,
        threadId,
        code,
      ]),
      [5, 6, 7, 8, 9].map((value) => ['x', value, 1, thread.threadId, FULL]),
    )
    cells.set('go', 1)
    await bus.idle()
    assert.deepEqual(await thread.run(({ log }) => log), [1, 2, 3, 4])
    assert.deepEqual(await bus.emitAndWait('x', 10), { success: 1, failed: 0, errors: [] })
  })

  test(`a mailbox is full of bytes, too; one event may be larger than that if nothing else waits, ${way}`, async (t) => {
    const scene = stage(t)
    const { bus, cells } = scene
    const dead = refusals(bus)
    const thread = await holdUp(scene, options, { maxBytes: 1000 })
    for (const size of [400, 500, 300, 20]) bus.emit('x', 'x'.repeat(size))
    cells.set('go', 1)
    await bus.idle()
    assert.deepEqual(await thread.run(({ log }) => log.splice(0).map(({ length }) => length)), [400, 500, 20])
    const [{ error }] = dead
    assert.match(error.message, / is full \(1000 bytes, mailbox\.maxBytes\): 'x' was not queued\. Await /)
    assert.deepEqual(
      dead.splice(0).map(({ args, error }) => [args[0].length, error.code]),
      [[300, FULL]],
    )

    await hold(scene, thread)
    for (const size of [5000, 5001, 1]) bus.emit('x', 'x'.repeat(size))
    const outcome = await bus.emitAndWait('x', 'x'.repeat(2))
    assert.equal(outcome.errors[0].code, FULL)
    cells.set('go', 1)
    await bus.idle()
    assert.deepEqual(await thread.run(({ log }) => log.map(({ length }) => length)), [5000])
    assert.equal(dead.length, 3)
  })
}

test('a mailbox that is full keeps nobody else from an event, and counts all listeners of its bus', async (t) => {
  const scene = stage(t)
  const { bus, join, cells, startOne } = scene
  const dead = refusals(bus)
  const heard = []
  await holdUp(scene, undefined, { maxMessages: 1 })
  await startOne(({ bus, cells }) => bus.on('x', () => cells.add(0)))
  join().on('x', (value) => heard.push(value))
  bus.on('x', (value) => heard.push(value))
  bus.emit('x', 1)
  bus.emit('x', 2)
  const { success, failed, errors } = await bus.emitAndWait('x', 3)
  assert.deepEqual([success, failed, errors[0].code], [3, 1, FULL])
  assert.equal(cells.get(0), 3)
  assert.deepEqual(heard.sort(), [1, 1, 2, 2, 3, 3])
  assert.deepEqual(
    dead.map(({ args }) => args),
    [[2], [3]],
  )
  cells.set('go', 1)
  await bus.idle()
})

test('a once listener is not used up by an event that it does not get', async (t) => {
  const scene = stage(t)
  const { bus, cells } = scene
  const thread = await holdUp(scene, undefined, { maxMessages: 1 })
  await thread.tell(({ bus, log }) => bus.once('y', (value) => log.push(value)))
  bus.emit('x', 'fills it')
  cells.set('go', 1)
  await thread.run(() => {})
  await bus.idle()
  await hold(scene, thread)
  bus.emit('x', 'fills it again')
  assert.equal((await bus.emitAndWait('y', 1)).errors[0].code, FULL)
  await assert.rejects(bus.request('y', 2), { code: FULL })
  assert.equal(bus.emit('y', 3), true)
  cells.set('go', 1)
  await bus.idle()
  assert.deepEqual(await bus.emitAndWait('y', 4), { success: 1, failed: 0, errors: [] })
  assert.equal(bus.emit('y', 5), false)
  assert.deepEqual(await thread.run(({ log }) => log), ['fills it', 'fills it again', 4])
})

test('an event for a group goes to a member that has room, and is refused only where none has', async (t) => {
  const scene = stage(t)
  const { bus, cells, start } = scene
  cells.name('busy', 'go')
  const dead = refusals(bus)
  const threads = await start(2, listening, { data: { group: 'g' }, options: { mailbox: { maxMessages: 3 } } })
  await hold(scene, ...threads)
  for (let value = 0; value < 6; value++) bus.emit('x', value)
  assert.equal((await bus.emitAndWait('x', 6)).errors[0].code, FULL)
  await assert.rejects(bus.request('x', 7), { code: FULL })
  // A member here has no mailbox to be full. It also takes over what waits at the others.
  const heard = []
  bus.on('x', (value) => heard.push(value), { group: 'g' })
  for (const value of [8, 9]) assert.equal((await bus.emitAndWait('x', value)).success, 1)
  cells.set('go', 1)
  await bus.idle()
  const logs = await Promise.all(threads.map((thread) => thread.run(({ log }) => log)))
  assert.deepEqual([...logs.flat(), ...heard].sort(), [0, 1, 2, 3, 4, 5, 8, 9])
  assert.ok(heard.includes(8) && heard.includes(9))
  assert.deepEqual(
    dead.map(({ args }) => args),
    [[6], [7]],
  )
})

test('without onError the first refusal of an event is a warning', async (t) => {
  const scene = stage(t)
  const { bus, cells } = scene
  bus.clearErrorHandler()
  const heard = warnings(t)
  await holdUp(scene, undefined, { maxMessages: 1 })
  for (let value = 0; value < 5; value++) bus.emit('x', value)
  await until(() => heard.length > 0)
  await turn()
  assert.deepEqual(
    heard.map(({ code, detail }) => [code, /MailboxFullError/.test(detail)]),
    [['PARALLEL_EVENT_BUS_EVENT_LOST', true]],
  )
  assert.equal(bus.getStats().listenersFailed, 4)
  cells.set('go', 1)
})

for (const { way, options } of WAYS) {
  test(`an emitter that paces itself loses nothing, however small the mailboxes, ${way}`, async (t) => {
    const { bus, errors, start } = stage(t)
    const threads = await start(2, ({ bus, data, log }) => bus.on('x', (value) => log.push(value), data), {
      data: options,
      options: { mailbox: { maxMessages: 64 } },
    })
    const sent = Array.from({ length: 5000 }, (_, number) => number)
    let pauses = 0
    for (const number of sent) {
      bus.emit('x', number)
      if (bus.needsDrain) {
        pauses++
        await bus.drained()
        assert.equal(bus.needsDrain, false)
      }
    }
    await bus.idle()
    for (const thread of threads) assert.deepEqual(await thread.run(({ log }) => log), sent)
    assert.ok(pauses > 0)
    assert.deepEqual([errors, bus.getStats().listenersFailed], [[], 0])
  })
}

test('needsDrain is about events that wait for others: above half of their capacity, until a quarter is left', async (t) => {
  const scene = stage(t)
  const { bus, join, cells } = scene
  const other = join()
  await holdUp(scene, undefined, { maxMessages: 8 })
  await bus.drained()
  for (let value = 0; value < 4; value++) bus.emit('x', value)
  assert.equal(bus.needsDrain, false)
  bus.emit('x', 4)
  assert.deepEqual([bus.needsDrain, other.needsDrain], [true, true], 'it is the same for all buses of the channel')
  let drained = 0
  const waiting = [bus.drained(), bus.drained(), other.drained()].map((each) => each.then(() => drained++))
  await turn()
  assert.equal(drained, 0)
  cells.set('go', 1)
  await Promise.all(waiting)
  assert.equal(bus.needsDrain, false)
})

test('drained resolves, too, when whom it waits for is closed or gone', async (t) => {
  const ends = {
    terminate: (thread) => thread.terminate(),
    close: (thread, cells) => {
      thread.tell(({ bus }) => bus.close())
      cells.set('go', 1)
    },
  }
  for (const end of Object.values(ends)) {
    const scene = stage(t)
    const { bus, cells } = scene
    const thread = await holdUp(scene, undefined, { maxMessages: 8 })
    for (let value = 0; value < 8; value++) bus.emit('x', value)
    assert.equal(bus.needsDrain, true)
    const drained = bus.drained()
    const exited = end === ends.terminate ? toldOfEnd(bus, thread) : undefined
    end(thread, cells)
    await drained
    assert.equal(bus.needsDrain, false)
    await exited
  }
  // A thread that has left its channel while it is held up.
  const leaver = stage(t)
  leaver.cells.name('busy', 'go', 'end', 'over')
  await leaver.startOne(
    ({ bus, cells }) => {
      bus.on('x', () => {})
      bus.on('wait', () => {
        cells.set('busy', 1)
        cells.block('go')
        bus.close()
        try {
          cells.block('end')
        } finally {
          cells.set('over', 1)
        }
      })
    },
    { options: { mailbox: { maxMessages: 8 } } },
  )
  leaver.bus.emit('wait')
  await leaver.cells.reach('busy')
  for (let value = 0; value < 8; value++) leaver.bus.emit('x', value)
  assert.equal(leaver.bus.needsDrain, true)
  const left = leaver.bus.drained()
  leaver.cells.set('go', 1)
  await left
  assert.equal(leaver.cells.get('over'), 0)
  leaver.cells.set('end', 1)
  await leaver.bus.idle()

  const scene = stage(t)
  await holdUp(scene, undefined, { maxMessages: 1 })
  const leaving = scene.join()
  leaving.emit('x')
  const drained = leaving.drained()
  leaving.close()
  scene.cells.set('go', 1)
  await drained
})

test('a bus without a channel never needs to drain, and bounds are checked', async () => {
  const bus = new ParallelEventBus()
  assert.equal(bus.needsDrain, false)
  await bus.drained()
  for (const mailbox of [{ maxMessages: 0 }, { maxMessages: 1.5 }, { maxBytes: -1 }, { maxBytes: NaN }]) {
    assert.throws(() => new ParallelEventBus({ channel: 'c', mailbox }), { code: 'ERR_OUT_OF_RANGE' })
  }
  for (const mailbox of [5, null, { maxMessages: '5' }]) {
    assert.throws(() => new ParallelEventBus({ channel: 'c', mailbox }), { code: 'ERR_INVALID_ARG_TYPE' })
  }
  assert.throws(() => new ParallelEventBus({ channel: 'c', stallAfter: -1 }), { code: 'ERR_OUT_OF_RANGE' })
})
