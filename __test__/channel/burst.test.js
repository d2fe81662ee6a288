'use strict'

// Bursts on a channel: many events of one turn cross into the engine together. That changes nothing but the time they take.

const assert = require('node:assert/strict')
const { ParallelEventBus } = require('../..')
const native = require('../../native.js')
const { stage, test, until } = require('../fixtures/stage.js')

/** Far more events than cross alone before a burst is recognised. */
const MANY = 500
const FULL = 'ERR_MAILBOX_FULL'

const logging = ({ bus, cells, log }) => {
  for (const event of ['x', 'y']) {
    bus.on(event, (value) => {
      log.push(value)
      cells.add('heard')
    })
  }
  bus.on('bounded', (value) => log.push(value), { timeout: 3_600_000 })
  bus.on('requested', (value) => log.push(value), { group: 'g' })
}

function numbers(count) {
  return Array.from({ length: count }, (_, number) => number)
}

test('events of all kinds arrive in the order of a burst, with their arguments', async (t) => {
  const { bus, cells, startOne } = stage(t)
  cells.name('heard')
  const thread = await startOne(logging)
  const sent = []
  const emit = (how, event) => {
    const value = sent.length % 3 === 0 ? sent.length : { number: sent.length, text: 'é€'.repeat(sent.length % 40) }
    sent.push(value)
    return bus[how](event, value)
  }
  const awaited = []
  for (let number = 0; number < 3 * MANY; number++) {
    assert.equal(emit('emit', number % 7 === 0 ? 'y' : 'x'), true)
    if (number % 50 === 0) awaited.push(emit('emitAndWait', 'x'))
    if (number % 60 === 0) awaited.push(emit('request', 'requested'))
    if (number % 70 === 0) emit('emit', 'bounded')
    // Neither of these is encoded like the others, nor lies in the same memory.
    if (number % 80 === 0) sent.push(new Map([[number, 'map']])) && bus.emit('x', sent.at(-1))
    if (number % 90 === 0) sent.push('long'.repeat(5000)) && bus.emit('x', sent.at(-1))
  }
  await Promise.all(awaited)
  await bus.idle()
  assert.deepEqual(await thread.run(({ log }) => log), sent)
})

test('a burst is sent while its thread is blocked', async (t) => {
  const { bus, cells, start } = stage(t)
  cells.name('heard')
  await start(2, ({ bus, cells }) => bus.on('x', () => cells.add('heard')))
  // Runs of every length, so that every number of events is held back at the end.
  for (let length = MANY; length < MANY + 40; length++) {
    cells.set('heard', 0)
    for (let number = 0; number < length; number++) bus.emit('x', number)
    cells.block('heard', 2 * length)
  }
})

test('a listener that comes in the middle of a burst hears the events emitted from then on', {
  threadsOnly: 'elsewhere a listener counts when its table has arrived',
}, async (t) => {
  const { bus, cells, startOne } = stage(t)
  cells.name('heard', 'go', 'on')
  await startOne(({ bus, cells }) => bus.on('x', () => cells.add('heard')))
  const late = await startOne(({ bus, cells, log }) => {
    bus.on('begin', (round) => {
      cells.block('go', round)
      for (const options of [undefined, { once: true }]) bus.on('x', (value) => log.push(value), options)
      cells.set('on', round)
    })
  })
  for (let round = 1; round <= 20; round++) {
    bus.emit('begin', round)
    for (let number = 0; number < MANY; number++) bus.emit('x', 'before')
    cells.set('go', round)
    cells.block('on', round)
    for (const value of ['after', 'later']) assert.equal(bus.emit('x', value), true)
    await bus.idle()
    const log = await late.run(({ bus, log }) => {
      bus.removeAllListeners('x')
      return log.splice(0)
    })
    assert.deepEqual(log, ['after', 'after', 'later'])
  }
})

test('when the last listener elsewhere is removed in the middle of a burst, emit says that nobody hears', {
  threadsOnly: 'elsewhere a listener counts when its table has arrived',
}, async (t) => {
  const { bus, cells, startOne } = stage(t)
  cells.name('go', 'off')
  const thread = await startOne(({ bus, cells, log }) => {
    const listener = (value) => log.push(value)
    bus.on('begin', (round) => {
      bus.on('x', listener)
      cells.set('off', 2 * round - 1)
      cells.block('go', round)
      bus.off('x', listener)
      cells.set('off', 2 * round)
    })
  })
  for (let round = 1; round <= 20; round++) {
    bus.emit('begin', round)
    cells.block('off', 2 * round - 1)
    for (let number = 0; number < MANY; number++) assert.equal(bus.emit('x', number), true)
    const { listenersInvoked } = bus.getStats()
    cells.set('go', round)
    cells.block('off', 2 * round)
    for (let number = 0; number < 3; number++) assert.equal(bus.emit('x', 'unheard'), false)
    assert.equal(bus.getStats().listenersInvoked, listenersInvoked)
    await bus.idle()
    assert.deepEqual(await thread.run(({ log }) => log.splice(0)), [], 'an off in a listener holds for queued events')
  }
})

test('events of a burst that a full mailbox refuses are told one by one', async (t) => {
  const { bus, cells, errors, startOne } = stage(t)
  cells.name('busy', 'go')
  const dead = []
  bus.on(ParallelEventBus.deadLetter, (about) => dead.push(about))
  const thread = await startOne(({ bus, log }) => bus.on('x', (value) => log.push(value)), {
    options: { mailbox: { maxMessages: 100 } },
  })
  // Not by an event, which would take room of its own.
  thread.tell(({ cells }) => {
    cells.add('busy')
    cells.block('go')
  })
  await cells.reach('busy')
  for (let number = 0; number < MANY; number++) assert.equal(bus.emit('x', number), true)
  assert.equal(bus.needsDrain, true, 'the burst has been sent before the question')
  assert.equal(bus.getStats().pending, 100)
  cells.set('go', 1)
  await bus.idle()
  assert.deepEqual(await thread.run(({ log }) => log), numbers(100))
  assert.equal(bus.getStats().listenersFailed, MANY - 100)
  await until(() => dead.length === MANY - 100)
  assert.deepEqual(
    dead.map(({ event, args, error, threadId }) => [event, args, error.code, threadId]),
    numbers(MANY)
      .slice(100)
      .map((number) => ['x', [number], FULL, thread.threadId]),
  )
  assert.equal(errors.length, MANY - 100)
})

test('arguments that cannot be cloned are refused in a burst too, and nothing else is', async (t) => {
  const { bus, startOne } = stage(t)
  const thread = await startOne(({ bus, log }) => bus.on('x', (value) => log.push(value)))
  for (let number = 0; number < MANY; number++) {
    if (number % 50 === 49) assert.throws(() => bus.emit('x', () => {}), { name: 'DataCloneError' })
    bus.emit('x', number)
  }
  await bus.idle()
  assert.deepEqual(await thread.run(({ log }) => log), numbers(MANY))
})

test('getters of arguments may emit, listen and close in a burst', async (t) => {
  const { bus, join, startOne } = stage(t)
  const thread = await startOne(({ bus, log }) => {
    bus.on('x', (value) => log.push(value))
  })
  const [second, third] = [join(), join()]
  const getting = (act) => ({
    get value() {
      act()
      return { text: 'outer' }
    },
  })
  const sent = []
  let nested = 0
  for (let number = 0; number < MANY; number++) {
    bus.emit('x', number)
    if (number % 50 !== 49) continue
    bus.emit(
      'x',
      getting(() => bus.emit('x', { nested: ++nested })),
    )
    second.emit(
      'x',
      getting(() => bus.once('x', () => {})),
    )
  }
  for (let number = 0; number < MANY; number++) third.emit('x', number)
  const heard = third.emit(
    'x',
    getting(() => third.close()),
  )
  assert.equal(heard, false, 'a bus that is closed emits nothing')
  for (let number = 0; number < MANY; number++) {
    sent.push(number)
    if (number % 50 !== 49) continue
    sent.push({ nested: (number + 1) / 50 }, { value: { text: 'outer' } }, { value: { text: 'outer' } })
  }
  await Promise.all([bus.idle(), second.idle(), third.idle()])
  assert.deepEqual(await thread.run(({ log }) => log), [...sent, ...numbers(MANY)])
})

test('events of a burst are pending, and idle waits for them', async (t) => {
  const { bus, cells, startOne } = stage(t)
  cells.name('go', 'heard')
  await startOne(({ bus, cells }) =>
    bus.on('x', (round) => {
      cells.block('go', round)
      cells.add('heard')
    }),
  )
  for (let round = 1; round <= 40; round++) {
    const length = MANY + round
    cells.set('heard', 0)
    for (let number = 0; number < length; number++) bus.emit('x', round)
    assert.equal(bus.getStats().pending, length)
    for (let number = 0; number < length; number++) bus.emit('x', round)
    cells.set('go', round)
    await bus.idle()
    assert.equal(cells.get('heard'), 2 * length)
  }
})

test('a burst is over with its turn: nothing goes on looking for more', async (t) => {
  // Checks for stalls are timers too.
  const { bus, start } = stage(t, { stallAfter: 0 })
  await start(1, ({ bus }) => bus.on('x', () => {}), { options: { stallAfter: 0 } })
  for (let number = 0; number < MANY; number++) bus.emit('x', number)
  assert.ok(native.counters().timers > 0, 'its events are still looked after')
  await bus.idle()
  await until(() => native.counters().timers === 0)
})

test('mock timers hold nothing up, though Jest has them hold back queueMicrotask too', async (t) => {
  const { bus, join } = stage(t, { stallAfter: 0 })
  const other = join({ stallAfter: 0 })
  let done = 0
  other.on('x', async () => {
    await new Promise((resolve) => setImmediate(resolve))
    done++
  })
  const { queueMicrotask } = globalThis
  t.after(() => Object.assign(globalThis, { queueMicrotask }))
  globalThis.queueMicrotask = () => {}
  for (let number = 0; number < MANY; number++) bus.emit('x', number)
  await bus.idle()
  assert.equal(done, MANY)
  await until(() => native.counters().timers === 0)
})
