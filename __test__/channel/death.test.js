'use strict'

// A thread that ends settles at once all that it owed, in every way to end: no emitter waits for the turn of its own
// thread, nor for anything else.

const assert = require('node:assert/strict')
const { ParallelEventBus } = require('../..')
const native = require('../../native.js')
const {
  ACROSS,
  GONE,
  hasLimits,
  keepBusyUntil,
  stage,
  test,
  told,
  toldOfEnd,
  turn,
  until,
} = require('../fixtures/stage.js')

/** Ways of a thread to end, when it may go on, by `die` of `channel-thread.js`; and the part of this thread in them. */
const DEATHS = {
  'process.exit in a listener': { way: 'exit' },
  'an uncaught error': { way: 'uncaught' },
  'an unhandled rejection': { way: 'rejection' },
  'terminate in an endless loop': { way: 'loop', help: (thread) => thread.terminate() },
  ...(hasLimits && {
    'running out of memory': {
      way: 'memory',
      resourceLimits: { maxOldGenerationSizeMb: 16, maxYoungGenerationSizeMb: 2 },
    },
  }),
  'a natural end': { way: 'natural', threadsOnly: 'a process that ends by itself ends its threads first' },
}

/** Listeners that never settle, and one that holds the thread up until `go`, and ends it. */
function doomed({ bus, cells, die, parentPort, data: { way } }) {
  for (const name of ['plain', 'requested']) {
    bus.on(name, () => {
      cells.add('started')
      return new Promise(() => {})
    })
  }
  bus.on(
    'grouped',
    () => {
      cells.add('started')
      return new Promise(() => {})
    },
    { group: 'g' },
  )
  bus.on('die', () => {
    cells.set('dying', 1)
    cells.block('go')
    die[way]()
  })
  parentPort.unref()
}

/** Emits one event of every kind. Awaited ones are settled when their promise is. */
function emitAll(bus) {
  const bounded = bus.with({ timeout: 3_600_000 })
  const waited = {
    'emitAndWait to everybody': bus.emitAndWait('plain', 1),
    'emitAndWait to a group': bus.emitAndWait('grouped', 2),
    'emitAndWait with bounds': bounded.emitAndWait('plain', 3),
    request: bus.request('requested', 4).catch((error) => ({ success: 0, failed: 1, errors: [error] })),
  }
  bus.emit('plain', 5)
  bus.emit('grouped', 6)
  bounded.emit('plain', 7)
  return { waited, count: 7 }
}

/** Returns the outcomes of promises, after a few turns of the event loop and no longer. */
async function settledSoon(waited) {
  const settled = {}
  for (const [name, promise] of Object.entries(waited)) {
    promise.then((outcome) => {
      settled[name] = outcome
    })
  }
  const names = Object.keys(waited)
  for (let turns = 0; turns < 20 && Object.keys(settled).length < names.length; turns++) await turn()
  assert.deepEqual(Object.keys(settled).sort(), names.sort(), 'something is not settled')
  return settled
}

function hearing(bus) {
  const dead = []
  bus.on(ParallelEventBus.deadLetter, (about) => dead.push(about))
  return dead
}

/** Lets the thread go on to its end, which this thread sees before its own event loop has turned. */
function end(scene, thread, help) {
  const hasEnded = thread.watch()
  scene.cells.set('go', 1)
  const helped = help?.(thread)
  keepBusyUntil(hasEnded, 'the thread has ended')
  return helped
}

function assertGone({ code, threadId, peer }, thread) {
  assert.deepEqual([code, peer?.name ?? threadId], [GONE, thread.name ?? thread.threadId])
}

async function assertAllGone(scene, thread, outcomes, count) {
  const { bus, errors } = scene
  for (const [name, { success, failed, errors }] of Object.entries(outcomes)) {
    assert.deepEqual([success, failed, errors.length], [0, 1, 1], name)
    assertGone(errors[0], thread)
    assert.match(errors[0].message, /(ended|is gone) before its listener of '(plain|grouped|requested)'/)
  }
  await scene.reported()
  const { pending, listenersFailed } = bus.getStats()
  assert.equal(pending, 0)
  // All of them, and the one that ended the thread if it did not return before.
  const told = errors.filter(
    ([event, error, listener]) => error.code === GONE && listener === undefined && event !== 'die',
  )
  assert.equal(told.length, count)
  assert.equal(listenersFailed, errors.length)
}

for (const [name, { way, help, resourceLimits, threadsOnly }] of Object.entries(DEATHS)) {
  test(`a listener that runs in a thread fails with it: ${name}`, { threadsOnly }, async (t) => {
    const scene = stage(t)
    const { bus, cells, startOne } = scene
    cells.name('started', 'dying', 'go')
    const dead = hearing(bus)
    const thread = await startOne(doomed, { data: { way }, resourceLimits })
    const exit = toldOfEnd(bus, thread)
    const { waited, count } = emitAll(bus)
    await cells.reach('started', count)
    if (way === 'natural') thread.tell(({ die }) => die.natural())
    else bus.emit('die')
    if (way !== 'natural') await cells.reach('dying')
    const helped = end(scene, thread, help)
    await assertAllGone(scene, thread, await settledSoon(waited), count)
    await exit
    // The emitter is told of an event if it is not known to have reached its listener. A group's member asks before it starts.
    // The word that it has started may not have left a process that is killed.
    const told = ACROSS ? dead.filter(({ args }) => args[0] === 1 || args[0] === 5) : dead
    const deadLetters = told
      .filter(({ event }) => event !== 'die')
      .map(({ event, args, listeners }) => [event, args[0], listeners])
    assert.deepEqual(deadLetters.sort(), [
      ['plain', 1, 1],
      ['plain', 5, 1],
    ])
    assert.equal(bus.emit('plain'), false)
    await helped
    await thread.exited
  })

  test(`a queued event fails with its thread, and never starts: ${name}`, { threadsOnly }, async (t) => {
    const scene = stage(t)
    const { bus, cells, startOne } = scene
    cells.name('started', 'dying', 'go')
    const dead = hearing(bus)
    const thread = await startOne(doomed, { data: { way }, resourceLimits })
    const exit = toldOfEnd(bus, thread)
    bus.emit('die')
    await cells.reach('dying')
    const { waited, count } = emitAll(bus)
    const helped = end(scene, thread, help)
    await assertAllGone(scene, thread, await settledSoon(waited), count)
    await exit
    const deadLetters = dead.filter(({ event }) => event !== 'die').map(({ args }) => args[0])
    // A natural end comes when there is nothing to do, so queued events start before.
    const begun = way === 'natural' ? cells.get('started') : 0
    assert.equal(cells.get('started'), begun)
    if (begun === 0) assert.deepEqual(deadLetters.sort(), [1, 2, 3, 4, 5, 6, 7])
    for (const { error, ...about } of dead) assertGone({ ...about, code: error.code }, thread)
    await helped
    await thread.exited
  })
}

test('events read together with one that ends the thread do not start, and go to others', {
  threadsOnly: 'what was sent to a process is given to nobody else',
}, async (t) => {
  const { bus, cells, reported, start, startOne } = stage(t)
  cells.name('started', 'dying', 'go', 'busy', 'read')
  const dead = hearing(bus)
  const thread = await startOne(doomed, { data: { way: 'exit' } })
  await thread.run(({ bus, cells }) => {
    bus.on('wait', () => {
      cells.set('busy', 1)
      cells.block('read')
    })
  })
  bus.emit('wait')
  await cells.reach('busy')
  bus.emit('die')
  for (let number = 0; number < 3; number++) bus.emit('plain', number)
  const outcomes = [bus.emitAndWait('plain', 3), bus.emitAndWait('grouped', 4), bus.request('requested', 5)]
  const [other] = await start(1, ({ bus, log }) => {
    bus.on('grouped', (number) => log.push(number), { group: 'g' })
    bus.on('requested', (number) => log.push(number) && 'replied')
  })
  cells.set('read', 1)
  cells.set('go', 1)
  const [plain, grouped, requested] = await Promise.all(outcomes)
  assert.equal(plain.errors[0].code, GONE)
  assert.deepEqual([grouped.success, requested], [1, 'replied'])
  assert.deepEqual(await other.run(({ log }) => log.sort()), [4, 5])
  await reported()
  await thread.exited
  assert.equal(cells.get('started'), 0)
  assert.deepEqual(
    dead
      .filter(({ event }) => event === 'plain')
      .map(({ args }) => args[0])
      .sort(),
    [0, 1, 2, 3],
  )
})

test('an endless loop costs an event with a timeout no more time than that, before the thread is ended', async (t) => {
  const scene = stage(t)
  const { bus, cells, startOne } = scene
  cells.name('started', 'dying', 'go')
  const thread = await startOne(doomed, { data: { way: 'loop' } })
  cells.set('go', 1)
  const bounded = bus.with({ timeout: 40 })
  const code = (promise) =>
    promise.then(
      ({ errors }) => errors[0].code,
      (error) => error.code,
    )
  let failed = 0
  // Its time may be over before the listener is called.
  for (; cells.get('dying') === 0; failed++) {
    assert.equal(await code(bounded.emitAndWait('die')), 'ERR_LISTENER_TIMEOUT')
  }
  const queued = [bounded.emitAndWait('plain'), bounded.request('requested'), bounded.emitAndWait('grouped')].map(code)
  bounded.emit('plain')
  assert.deepEqual(await Promise.all(queued), new Array(3).fill('ERR_LISTENER_TIMEOUT'))
  await bus.idle()
  assert.equal(bus.getStats().listenersFailed, failed + 4)
  await thread.terminate()
  assert.equal(bus.getStats().listenersFailed, failed + 4, 'a failed event does not fail again')
  assert.equal(cells.get('started'), 0)
})

test('threads that end at the same time take no more than their own with them', {
  threadsOnly: 'the errors of a process that is gone have no number of a thread',
}, async (t) => {
  const { bus, cells, start } = stage(t)
  cells.name('started', 'dying', 'go')
  const exits = new Set()
  bus.on(ParallelEventBus.threadExit, ({ threadId }) => exits.add(threadId))
  const threads = await start(6, doomed, { data: { way: 'exit' } })
  const outcomes = [bus.emitAndWait('plain'), bus.emitAndWait('plain')]
  await cells.reach('started', 12)
  cells.set('go', 1)
  const survivors = await start(1, ({ bus }) => bus.on('plain', () => {}))
  outcomes.push(bus.emitAndWait('plain'))
  bus.emit('die')
  for (const [index, outcome] of (await Promise.all(outcomes)).entries()) {
    assert.deepEqual([outcome.success, outcome.failed], [index === 2 ? 1 : 0, 6])
    assert.deepEqual(new Set(outcome.errors.map(({ threadId }) => threadId)), new Set(threads.map(({ id }) => id)))
  }
  await bus.idle()
  await Promise.all(threads.map(({ exited }) => exited))
  await survivors[0].run(() => {})
  assert.deepEqual(exits, new Set(threads.map(({ id }) => id)))
  assert.deepEqual(await bus.emitAndWait('plain'), { success: 1, failed: 0, errors: [] })
})

test('events of a thread go on when the thread is gone, and leave nothing behind', {
  threadsOnly: 'a process that is killed has not sent all',
}, async (t) => {
  const { bus, cells, start, startOne } = stage(t)
  cells.name('heard', 'go', 'emitted')
  await start(2, ({ bus, cells }) => {
    bus.on('x', async () => {
      await cells.reach('go')
      cells.add('heard')
      return 'x'
    })
  })
  const emitter = await startOne(({ bus, cells }) => {
    for (let number = 0; number < 50; number++) {
      bus.emit('x')
      bus.emitAndWait('x')
      bus.request('x')
      bus.with({ timeout: 3_600_000, signal: new AbortController().signal }).emit('x')
    }
    cells.set('emitted', 1)
  })
  await cells.reach('emitted')
  await emitter.terminate()
  cells.set('go', 1)
  await cells.reach('heard', 2 * 150 + 50)
  assert.deepEqual(await bus.emitAndWait('x'), { success: 2, failed: 0, errors: [] })
  await until(() => native.counters().dispatches === 0)
})

/** Far more events than cross into the engine one by one. */
const BURST = 500
/** A link that nobody closes has half a second for its last words. */
const NOT_ALL_SENT = 'a process that exits or crashes may not have sent all'

for (const [name, { way, help, resourceLimits }] of Object.entries(DEATHS)) {
  const threadsOnly = way === 'natural' ? undefined : NOT_ALL_SENT
  test(`a burst that a thread emitted just before its end arrives: ${name}`, { threadsOnly }, async (t) => {
    const { bus, startOne } = stage(t)
    const heard = []
    bus.on('x', (value) => heard.push(value))
    const thread = await startOne(
      ({ bus, die }) => {
        bus.on('end', (way, count) => {
          for (let number = 0; number < count; number++) bus.emit('x', number)
          die[way]()
        })
      },
      { resourceLimits },
    )
    const exited = toldOfEnd(bus, thread)
    bus.emit('end', way, BURST)
    await until(() => heard.length >= BURST)
    await help?.(thread)
    await exited
    assert.deepEqual(heard, [...Array(BURST).keys()])
  })
}

test('a burst that a thread emits when its process exits arrives', { threadsOnly: NOT_ALL_SENT }, async (t) => {
  const { bus, startOne } = stage(t)
  const heard = []
  bus.on('x', (value) => heard.push(value))
  await startOne(({ bus, die }) => {
    bus.on('end', (count) => {
      process.on('exit', () => {
        for (let number = 0; number < count; number++) bus.emit('x', number)
      })
      for (let number = 0; number < count; number++) bus.emit('x', -number)
      die.exit()
    })
  })
  bus.emit('end', BURST)
  await until(() => heard.length >= 2 * BURST)
  assert.deepEqual(heard, [...Array(BURST).keys()].map((number) => -number).concat([...Array(BURST).keys()]))
})

test('every bus that shares a channel with a thread is told of its end, and no other', {
  threadsOnly: 'of a process that is gone its peers are told, not of its threads',
}, async (t) => {
  const { bus, join, start } = stage(t)
  const elsewhere = new ParallelEventBus({ channel: 'elsewhere' })
  const exits = []
  for (const [name, each] of Object.entries({ bus, other: join(), elsewhere })) {
    each.on(ParallelEventBus.threadExit, ({ threadId }) => exits.push(`${name} ${threadId}`))
  }
  const [watcher, doomed] = await start(2, ({ bus, ParallelEventBus, log }) => {
    bus.on(ParallelEventBus.threadExit, ({ threadId }) => log.push(threadId))
    // In the channel twice, and gone once.
    const second = new ParallelEventBus({ channel: 'unrelated' })
    second.on('x', () => {})
  })
  const exit = told(bus, ParallelEventBus.threadExit)
  await doomed.terminate()
  await exit
  await turn()
  assert.deepEqual(exits.sort(), [`bus ${doomed.id}`, `other ${doomed.id}`])
  const seen = await watcher.run(async ({ log, turn, until }) => {
    await until(() => log.length > 0)
    await turn()
    return log
  })
  assert.deepEqual(seen, [doomed.id])
  await elsewhere.close()
})
