'use strict'

// Events for listeners in another process: the same calls, the same results.

const assert = require('node:assert/strict')
const { once } = require('node:events')
const { NoListenersError, deadLetter } = require('../..')
const { peers } = require('../fixtures/peers.js')
const { test, until } = require('../fixtures/stage.js')

test('an awaited event counts the listeners of every process', async (t) => {
  const { bus, start } = await peers(t)
  const listening = ({ bus, log }) => {
    bus.on('created', (...args) => void log.push(args))
    bus.on('created', () => {
      throw Object.assign(new TypeError('no'), { code: 'ERR_NO' })
    })
  }
  const there = [await start(listening), await start(listening)]
  bus.on('created', () => {})
  const order = { id: 1, at: new Date(5), tags: new Map([['a', new Set([1n])]]), bytes: Buffer.from('abc') }
  const { success, failed, errors } = await bus.emitAndWait('created', order, [undefined, -0])
  assert.deepEqual({ success, failed }, { success: 3, failed: 2 })
  assert.ok(errors.every((error) => error instanceof TypeError && error.code === 'ERR_NO'))
  for (const peer of there) {
    const [[came, list]] = await peer.run(({ log }) => log)
    assert.deepEqual({ ...came, bytes: Buffer.from(came.bytes) }, order)
    assert.ok(Object.is(list[1], -0))
  }
  assert.equal(bus.getStats().pending, 0)
})

test('emit says whether anyone listens, and events come in order', async (t) => {
  const { bus, start } = await peers(t)
  assert.equal(bus.emit('number', 0), false)
  const there = await start(({ bus, log }) => bus.on('number', (number) => void log.push(number)))
  const numbers = Array.from({ length: 5_000 }, (_, index) => index)
  for (const number of numbers) {
    if (number % 7 === 0) bus.emitAndWait('number', number)
    else assert.equal(bus.emit('number', number), true)
  }
  await bus.idle()
  assert.deepEqual(await there.run(({ log }) => log), numbers)
  assert.equal(bus.getStats().listenersFailed, 0)
})

test('shapes and words are known to the other process whenever they are published', async (t) => {
  const { bus, start } = await peers(t)
  const there = await start(({ bus, log }) => bus.on('item', (item) => void log.push(item)))
  const items = Array.from({ length: 300 }, (_, id) => ({
    id,
    [`key ${id % 9}`]: 'a word',
    status: ['paid', 'open'][id % 2],
  }))
  for (const item of items) bus.emit('item', item)
  await bus.idle()
  assert.deepEqual(await there.run(({ log }) => log), items)
})

test('a request has the value, or the error, of one listener in another process', async (t) => {
  const { bus, start } = await peers(t)
  await start(({ bus }) => {
    bus.on('double', async ({ value }) => ({ value: 2 * value }))
    bus.on('fail', () => Promise.reject(new RangeError('out of range')))
    bus.on('large', () => new Uint8Array(3_000_000).fill(7))
  })
  assert.deepEqual(await bus.request('double', { value: 21 }), { value: 42 })
  await assert.rejects(bus.request('fail'), { name: 'RangeError', message: 'out of range' })
  const large = await bus.request('large')
  assert.ok(large.length === 3_000_000 && large.every((byte) => byte === 7))
  await assert.rejects(bus.request('nobody'), NoListenersError)
})

test('the listeners of both sides request of each other', async (t) => {
  const { bus, start } = await peers(t)
  await start(({ bus }) => bus.on('there', async (depth) => (depth === 0 ? 'done' : bus.request('here', depth - 1))))
  bus.on('here', (depth) => bus.request('there', depth))
  assert.equal(await bus.request('there', 0), 'done')
})

test('long arguments come whole, up to the largest event', async (t) => {
  const { bus, errors, start } = await peers(t, { maxEvent: 1_000_000 })
  const there = await start(({ bus }) => bus.on('bytes', () => {}), { maxEvent: 1_000_000 })
  for (const size of [0, 1, 16_383, 16_384, 16_385, 262_143, 262_144, 262_145, 980_000]) {
    const { success } = await bus.emitAndWait('bytes', new Uint8Array(size), 'é'.repeat(size / 100))
    assert.equal(success, 1, `${size} bytes`)
  }
  const { failed, errors: failures } = await bus.emitAndWait('bytes', new Uint8Array(1_000_001))
  assert.deepEqual([failed, failures[0].code, failures[0].peer.name], [1, 'ERR_EVENT_TOO_LARGE', there.name])
  const lost = once(bus, deadLetter)
  bus.emit('bytes', new Uint8Array(1_000_001))
  const [{ event, listeners, error }] = await lost
  assert.deepEqual([event, listeners, error.code], ['bytes', 1, 'ERR_EVENT_TOO_LARGE'])
  assert.ok(errors.length > 0)
})

test('what cannot leave its process is refused by its name, before anyone gets the event', async (t) => {
  const { bus, start } = await peers(t)
  const heard = []
  bus.on('shared', (value) => void heard.push(value))
  const there = await start(({ bus, log }) => {
    bus.on('shared', (value) => void log.push(value))
    bus.on('reply', () => new SharedArrayBuffer(8))
  })
  const refused = { name: 'DataCloneError', message: /SharedArrayBuffer.*another process/ }
  assert.throws(() => bus.emit('shared', { deep: [new SharedArrayBuffer(8)] }), refused)
  await assert.rejects(bus.emitAndWait('shared', new SharedArrayBuffer(8)), refused)
  await assert.rejects(bus.request('reply'), refused)
  await bus.idle()
  assert.deepEqual([heard, await there.run(({ log }) => log)], [[], []])
})

test('a once listener gets one event, whichever process it comes from', async (t) => {
  const { bus, start } = await peers(t)
  const setup = ({ bus, log }) => bus.once('ready', (who) => void log.push(who))
  const there = await start(setup)
  const other = await start()
  const emitting = [
    bus.emitAndWait('ready', 'here'),
    other.run(({ bus }) => bus.emitAndWait('ready', 'other')),
    there.run(({ bus }) => bus.emitAndWait('ready', 'there')),
  ]
  const outcomes = await Promise.all(emitting)
  assert.equal(
    outcomes.reduce((sum, { success }) => sum + success, 0),
    1,
  )
  assert.ok(outcomes.every(({ failed }) => failed === 0))
  assert.equal((await there.run(({ log }) => log)).length, 1)
  await until(() => bus.emit('ready') === false, 'its removal is known')
})

test('of a group each event goes to one, in any process', async (t) => {
  const { bus, start } = await peers(t)
  const scoring = ({ bus, log }) => {
    bus.on('score', (item) => void log.push(item), { group: 'scorers' })
  }
  const there = [await start(scoring), await start(scoring)]
  const here = []
  bus.on('score', (item) => void here.push(item), { group: 'scorers' })
  for (let item = 0; item < 300; item++) bus.emit('score', item)
  await bus.idle()
  const logs = [here, ...(await Promise.all(there.map((peer) => peer.run(({ log }) => log))))]
  assert.ok(
    logs.every((log) => log.length > 0),
    `${logs.map((log) => log.length)} events each`,
  )
  assert.deepEqual(
    logs.flat().sort((one, other) => one - other),
    Array.from({ length: 300 }, (_, item) => item),
  )
})

test('a full mailbox in another process refuses, and emitters are held up', async (t) => {
  const { bus, errors, start } = await peers(t)
  const there = await start(async ({ ParallelEventBus, channel, log }) => {
    const small = new ParallelEventBus({ channel, mailbox: { maxMessages: 4 } })
    small.on('held', () => new Promise((resolve) => log.push(resolve)))
  })
  for (let number = 0; number < 6; number++) bus.emit('held', number)
  assert.equal(bus.needsDrain, true)
  await until(() => errors.length === 2, 'the losses are told of')
  const [[event, error]] = errors
  assert.deepEqual([event, error.code, error.peer.name], ['held', 'ERR_MAILBOX_FULL', there.name])
  assert.match(error.message, /thread 0 of process there 1 is full \(4 events/)
  const drained = bus.drained()
  await there.run(async ({ log, until }) => {
    await until(() => log.length === 4)
    for (const resolve of log) resolve()
  })
  await drained
  await bus.idle()
  assert.equal(bus.getStats().listenersFailed, 2)
})
