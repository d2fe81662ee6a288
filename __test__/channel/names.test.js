'use strict'

// Names of events, and of channels: which are sent, and that any number of them may come and go.

const assert = require('node:assert/strict')
const { AsyncLocalStorage } = require('node:async_hooks')
const { ParallelEventBus } = require('../..')
const { keepBusyUntil, stage, test } = require('../fixtures/stage.js')

test('an event goes by its name alone: a number is its text, and symbols stay in their thread', async (t) => {
  const { bus, cells, start } = stage(t)
  cells.name('heard')
  await start(1, ({ bus, cells }) => {
    bus.on(5, () => cells.add('heard'))
    bus.on(Symbol.for('s'), () => cells.add('heard', 100))
    for (const name of ['', 'ünï\u{1f600}', 'constructor', '__proto__', 'hasOwnProperty', 'a\0b']) {
      bus.on(name, () => cells.add('heard'))
    }
  })
  assert.equal(bus.emit(Symbol.for('s')), false)
  for (const name of [5, '5', '', 'ünï\u{1f600}', 'constructor', '__proto__', 'hasOwnProperty', 'a\0b']) {
    assert.deepEqual(await bus.emitAndWait(name), { success: 1, failed: 0, errors: [] }, String(name))
  }
  assert.equal(cells.get('heard'), 8)
  // A listener of the emitter's own changes nothing for the others.
  const own = []
  for (const name of [5, 'constructor']) {
    bus.on(name, () => own.push(name))
    assert.equal(bus.emit(name), true)
  }
  await bus.idle()
  assert.deepEqual([own, cells.get('heard')], [[5, 'constructor'], 10])
  assert.deepEqual(await bus.emitAndWait('valueOf'), { success: 0, failed: 0, errors: [] })
})

test('buses of different channels, and those without one, do not hear each other', async (t) => {
  const { bus, cells, start } = stage(t)
  cells.name('heard')
  await start(1, ({ bus, cells, ParallelEventBus }) => {
    bus.on('x', () => cells.add('heard'))
    for (const options of [{ channel: 'another' }, {}]) {
      new ParallelEventBus(options).on('x', () => cells.add('heard', 100))
    }
  })
  const alone = new ParallelEventBus()
  assert.equal(alone.emit('x'), false)
  assert.deepEqual(await bus.emitAndWait('x'), { success: 1, failed: 0, errors: [] })
  assert.equal(cells.get('heard'), 1)
})

test('names with unpaired surrogates are names of their own: of channels, events and groups', async (t) => {
  const names = ['\ud800', '\ud801', '\udfff', '\ufffd', '\u{10ffff}"\\ud800"', '"\\ud800"', 'a\0\ud800', 'a\0\ud801']
  const { bus, channel, startOne } = stage(t, {}, { more: names })
  const setup = ({ bus, ParallelEventBus, channel, data }) => {
    for (const name of data) {
      bus.on(name, () => `event ${name}`)
      new ParallelEventBus({ channel: channel + name }).on('x', () => `channel ${name}`)
      bus.on('grouped', () => name, { group: name })
    }
  }
  await startOne(setup, { data: names })
  for (const name of names) {
    assert.equal(await bus.request(name), `event ${name}`)
    assert.deepEqual(await bus.emitAndWait(name), { success: 1, failed: 0, errors: [] })
    const other = new ParallelEventBus({ channel: channel + name })
    assert.equal(await other.request('x'), `channel ${name}`)
    await other.close()
  }
  await assert.rejects(bus.request('\ud802'), { code: 'ERR_NO_LISTENERS' })
  assert.equal((await bus.emitAndWait('grouped')).success, names.length)
})

test('an event that is lost is told by its name, also an unusual one', async (t) => {
  const { bus, cells, startOne } = stage(t)
  cells.name('stuck', 'emitted')
  const names = ['plain', '\ud800', '\u{10ffff}']
  const setup = ({ bus, data }) => {
    for (const name of data) bus.on(name, () => {})
  }
  const thread = await startOne(setup, { data: names })
  const lost = []
  bus.on(ParallelEventBus.deadLetter, ({ event }) => lost.push(event))
  thread.tell(({ cells, die }) => {
    cells.add('stuck')
    while (cells.get('emitted') === 0);
    die.exit()
  })
  keepBusyUntil(() => cells.get('stuck') === 1, 'the thread is stuck')
  for (const name of names) bus.emit(name)
  cells.add('emitted')
  await thread.exited
  await bus.idle()
  assert.deepEqual(lost, names)
})

test('names may be without end: each is heard, and none is remembered for ever', async (t) => {
  const { bus, startOne } = stage(t)
  const thread = await startOne(({ bus, log }) => {
    bus.on('request', (number) => bus.emit(`reply ${number}`, number))
    bus.on('listen', (name) => {
      bus.once(name, (value) => log.push(value))
    })
  })
  const replies = []
  const COUNT = 10_000
  for (let number = 0; number < COUNT; number++) {
    bus.once(`reply ${number}`, (value) => replies.push(value))
    bus.emit('request', number)
  }
  await bus.idle()
  await thread.run(({ bus }) => bus.idle())
  assert.equal(replies.length, COUNT)
  assert.ok(replies.every((value, index) => value === index))
  assert.deepEqual(bus.eventNames(), [])

  for (let number = 0; number < COUNT; number++) assert.equal(bus.emit(`nobody ${number}`, number), false)
  for (let number = 0; number < 100; number++) await bus.emitAndWait('listen', `later ${number}`)
  for (let number = 0; number < 100; number++) assert.equal(bus.emit(`later ${number}`, number), true)
  for (let number = 0; number < 100; number++) assert.equal(bus.emit(`later ${number}`, number), false)
  await bus.idle()
  assert.equal((await thread.run(({ log }) => log)).length, 100)
  assert.equal(await bus.request('request', 1), false, 'known routes stay')
})

test('the listeners of the emitter run in its async context, and those of others in none of it', async (t) => {
  const { bus, join } = stage(t)
  const storage = new AsyncLocalStorage()
  const seen = []
  bus.on('x', () => seen.push(['own', storage.getStore()]))
  join().on('x', () => seen.push(['other', storage.getStore()]))
  await storage.run('context', () => bus.emitAndWait('x'))
  assert.deepEqual(Object.fromEntries(seen), { own: 'context', other: undefined })
})
