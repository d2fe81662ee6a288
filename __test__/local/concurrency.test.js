'use strict'

// `concurrency`: how many calls of a listener run at once. What is beyond waits its turn, and is still queued.

const assert = require('node:assert/strict')
const { AsyncLocalStorage } = require('node:async_hooks')
const { execFileSync } = require('node:child_process')
const path = require('node:path')
const { setImmediate: turn } = require('node:timers/promises')
const test = require('node:test')
const { ParallelEventBus } = require('../..')

const numbers = (count) => Array.from({ length: count }, (_, number) => number)

/** A listener whose calls end when they are told to. */
function patient() {
  const calls = []
  const listener = (value) =>
    new Promise((resolve, reject) => {
      calls.push({ value, end: resolve, fail: reject })
    })
  return { calls, listener, values: () => calls.map(({ value }) => value) }
}

/** Lets everything happen that does not wait for something else. */
async function settle() {
  for (let turns = 0; turns < 10; turns++) await turn()
}

test('no more calls of a listener run at once than it says; the others wait, in order', async () => {
  const bus = new ParallelEventBus()
  const { calls, listener, values } = patient()
  bus.on('x', listener, { concurrency: 2 })
  const outcomes = numbers(5).map((number) => bus.emitAndWait('x', number))
  await settle()
  assert.deepEqual(values(), [0, 1])
  calls[1].end()
  await settle()
  assert.deepEqual(values(), [0, 1, 2])
  calls[0].fail(new Error('on purpose'))
  await settle()
  assert.deepEqual(values(), [0, 1, 2, 3], 'a failure gives its place to the next one')
  assert.equal(bus.getStats().pending, 3)
  for (const at of [2, 3, 4]) {
    calls[at].end()
    await settle()
  }
  const settled = await Promise.all(outcomes)
  assert.deepEqual(
    settled.map(({ success }) => success),
    [0, 1, 1, 1, 1],
  )
  assert.equal(bus.getStats().pending, 0)
})

test('a listener that waits does not hold up the other listeners of its event, nor other events', async () => {
  const bus = new ParallelEventBus()
  const { calls, listener } = patient()
  const heard = []
  bus.on('x', listener, { concurrency: 1 })
  bus.on('x', (number) => heard.push(number))
  bus.on('y', () => heard.push('y'))
  for (const number of numbers(3)) bus.emit('x', number)
  bus.emit('y')
  await settle()
  assert.deepEqual(heard, [0, 1, 2, 'y'])
  assert.equal(calls.length, 1)
  for (const at of numbers(3)) {
    calls[at].end()
    await settle()
  }
  await bus.idle()
})

test('calls that are done when they return, throw, or whose result only looks like a promise give their place', async () => {
  const bus = new ParallelEventBus({ onError() {} })
  const order = []
  const results = [() => 1, () => Promise.reject(new Error('x')), () => ({ then: (done) => done(1) })]
  bus.on(
    'x',
    (number) => {
      order.push(number)
      if (number % 4 === 3) throw new Error('on purpose')
      return results[number % 4]()
    },
    { concurrency: 1 },
  )
  const outcomes = await Promise.all(numbers(40).map((number) => bus.emitAndWait('x', number)))
  assert.deepEqual(order, numbers(40))
  assert.equal(outcomes.filter(({ failed }) => failed === 1).length, 20)
})

test('a request waits for its turn, and gets its own value', async () => {
  const bus = new ParallelEventBus()
  bus.on('twice', (number) => turn(2 * number), { concurrency: 1 })
  assert.deepEqual(await Promise.all(numbers(9).map((number) => bus.request('twice', number))), [
    ...numbers(9).map((number) => 2 * number),
  ])
})

test('an abort and a timeout take out what waits', async () => {
  const bus = new ParallelEventBus({ onError() {} })
  const { calls, listener, values } = patient()
  bus.on('x', listener, { concurrency: 1 })
  bus.on('x', () => {})
  const first = bus.emitAndWait('x', 'first')
  await settle()
  const controller = new AbortController()
  const aborted = bus.with({ signal: controller.signal }).emitAndWait('x', 'aborted')
  const late = bus.with({ timeout: 1 }).emitAndWait('x', 'late')
  const last = bus.emitAndWait('x', 'last')
  await settle()
  controller.abort()
  await assert.rejects(aborted, { name: 'AbortError' })
  // On a slow machine the other listener has not been called by then either.
  const { errors } = await late
  assert.deepEqual([...new Set(errors.map(({ code }) => code))], ['ERR_LISTENER_TIMEOUT'])
  await settle()
  assert.equal(bus.getStats().pending, 2, 'what was taken out is not pending')
  calls[0].end()
  await first
  await settle()
  assert.deepEqual(values(), ['first', 'last'])
  calls[1].end()
  await last
})

test('a listener that removes another one inside itself takes back the calls that wait, as queued ones', async () => {
  const bus = new ParallelEventBus()
  const { calls, listener, values } = patient()
  const other = (number) => {
    if (number === 2) bus.off('x', listener)
  }
  bus.on('x', listener, { concurrency: 1 })
  bus.on('x', other)
  const outcomes = numbers(4).map((number) => bus.emitAndWait('x', number))
  await settle()
  calls[0].end()
  await settle()
  calls[1].end()
  await settle()
  // With a synchronous emitter the third event reaches the first listener before the second removes it.
  calls[2].end()
  assert.deepEqual(
    (await Promise.all(outcomes)).map(({ success, failed }) => [success, failed]),
    [
      [2, 0],
      [2, 0],
      [2, 0],
      [1, 0],
    ],
  )
  assert.deepEqual(values(), [0, 1, 2])
})

test('a listener that removes itself when it has waited is not called for what waits behind', async () => {
  const bus = new ParallelEventBus()
  const heard = []
  const listener = async (number) => {
    heard.push(number)
    if (number === 1) bus.off('x', listener)
    await turn()
  }
  bus.on('x', listener, { concurrency: 1 })
  const outcomes = await Promise.all(numbers(4).map((number) => bus.emitAndWait('x', number)))
  assert.deepEqual(heard, [0, 1])
  assert.deepEqual(
    outcomes.map(({ success }) => success),
    [1, 1, 0, 0],
  )
})

test('a request whose listener was removed while it waited has no listener', async () => {
  const bus = new ParallelEventBus()
  const listener = async (number) => {
    if (number === 0) return turn()
    bus.off('x', listener)
    return number
  }
  bus.on('x', listener, { concurrency: 1 })
  const replies = numbers(3).map((number) => bus.request('x', number))
  await replies[0]
  assert.equal(await replies[1], 1)
  await assert.rejects(replies[2], { code: 'ERR_NO_LISTENERS' })
})

test('one that was removed and added again inside a listener was never away', async () => {
  const bus = new ParallelEventBus()
  const { calls, listener, values } = patient()
  bus.on('x', listener, { concurrency: 1 })
  bus.on('y', () => {
    bus.off('x', listener)
    bus.on('x', listener, { concurrency: 1 })
  })
  const first = [bus.emitAndWait('x', 0)]
  await settle()
  bus.emit('y')
  first.push(bus.emitAndWait('x', 1))
  await settle()
  for (const { end } of calls) end()
  await settle()
  for (const { end } of calls) end()
  await Promise.all(first)
  assert.deepEqual(values(), [0, 1])
})

test('an off outside of listeners leaves what waits, and close() finishes it', async () => {
  const bus = new ParallelEventBus()
  const { calls, listener, values } = patient()
  bus.on('x', listener, { concurrency: 1 })
  for (const number of numbers(3)) bus.emit('x', number)
  await settle()
  bus.off('x', listener)
  const closed = bus.close()
  for (const at of numbers(3)) {
    await settle()
    calls[at].end()
  }
  await closed
  assert.deepEqual(values(), numbers(3))
})

test('each registration counts its own calls', async () => {
  const bus = new ParallelEventBus()
  const { calls, listener } = patient()
  bus.on('x', listener, { concurrency: 1 })
  bus.on('x', listener, { concurrency: 2 })
  for (const number of numbers(4)) bus.emit('x', number)
  await settle()
  assert.equal(calls.length, 3)
  for (let ended = 0; ended < 8; ended++) {
    calls[ended].end()
    await settle()
  }
  await bus.idle()
})

test('what has waited is called in the async context of its emitter, with the bus as `this`', async () => {
  const bus = new ParallelEventBus()
  const storage = new AsyncLocalStorage()
  const seen = []
  bus.on(
    'x',
    async function () {
      seen.push([storage.getStore(), this === bus])
      await turn()
    },
    { concurrency: 1 },
  )
  for (const number of numbers(4)) storage.run(number, () => bus.emit('x'))
  await bus.idle()
  assert.deepEqual(
    seen,
    numbers(4).map((number) => [number, true]),
  )
})

test('the timeout of a listener counts from its call, not while it waits', async () => {
  const bus = new ParallelEventBus({ onError() {} })
  const { calls, listener } = patient()
  bus.on('x', listener, { concurrency: 1, timeout: 3_600_000 })
  const outcomes = numbers(2).map((number) => bus.emitAndWait('x', number))
  await settle()
  calls[0].end()
  await settle()
  calls[1].end()
  for (const { success } of await Promise.all(outcomes)) assert.equal(success, 1)
})

test('timers and I/O get their turns however many calls wait', async () => {
  const bus = new ParallelEventBus()
  const { calls, listener } = patient()
  let count = 0
  bus.on('x', (number) => (number === 0 ? listener(number) : void count++), { concurrency: 1 })
  for (const number of numbers(50_000)) bus.emit('x', number)
  await settle()
  assert.equal(count, 0)
  calls[0].end()
  let turns = 0
  while (count < 49_999) {
    await turn()
    turns++
  }
  assert.ok(turns > 2, `${turns} turns of the event loop`)
})

test('what waits and is not needed any more does not pile up', async () => {
  const bus = new ParallelEventBus({ onError() {} })
  const { calls, listener } = patient()
  bus.on('x', listener, { concurrency: 1 })
  bus.emit('x', 0)
  await settle()
  const before = process.memoryUsage().heapUsed
  for (let round = 0; round < 40; round++) {
    const controller = new AbortController()
    const bound = bus.with({ signal: controller.signal })
    const aborted = numbers(500).map(() => bound.emitAndWait('x', new Array(100).fill(round)).catch(() => {}))
    await settle()
    controller.abort()
    await Promise.all(aborted)
  }
  assert.equal(bus.getStats().pending, 1)
  globalThis.gc?.()
  const grown = process.memoryUsage().heapUsed - before
  // 20 000 events of 800 bytes and more were aborted.
  if (globalThis.gc !== undefined) assert.ok(grown < 8 * 2 ** 20, `${grown} bytes`)
  calls[0].end()
  await bus.idle()
  assert.equal(calls.length, 1)
})

test('a process that exits calls what waits', () => {
  const source = `
    const { ParallelEventBus } = require(${JSON.stringify(path.join(__dirname, '../..'))})
    const bus = new ParallelEventBus()
    bus.on('x', async (number) => { console.log(number); await new Promise(() => {}) }, { concurrency: 1 })
    for (let number = 0; number < 3; number++) bus.emit('x', number)
    setTimeout(() => process.exit(), 50)
  `
  assert.equal(execFileSync(process.execPath, ['-e', source], { encoding: 'utf8' }), '0\n1\n2\n')
})

test('concurrency is an integer of at least 1, or Infinity', () => {
  const bus = new ParallelEventBus()
  const on = (concurrency) => bus.on('x', () => {}, { concurrency })
  for (const wrong of [0, -1, 1.5, Number.NaN, Number.NEGATIVE_INFINITY]) {
    assert.throws(() => on(wrong), { code: 'ERR_OUT_OF_RANGE', name: 'RangeError' })
  }
  for (const wrong of ['1', null, {}, 1n]) assert.throws(() => on(wrong), { code: 'ERR_INVALID_ARG_TYPE' })
  assert.equal(bus.listenerCount('x'), 0)
  for (const right of [1, 2 ** 40, Number.POSITIVE_INFINITY, undefined]) on(right)
  assert.equal(bus.listenerCount('x'), 4)
})

test('what rawListeners shows behaves as the listener does when it is called by hand, full or not', async () => {
  const bus = new ParallelEventBus()
  const { calls, listener } = patient()
  const seen = []
  bus.on('x', listener, { concurrency: 1 })
  bus.on('y', (value) => `got ${value}`, { concurrency: 1, timeout: 10_000 })
  bus.once('z', (value) => `got ${value}`, { concurrency: 1 })
  bus.on('x', () => {
    const byHand = bus.rawListeners('x')[0]('by hand')
    seen.push(byHand instanceof Promise, bus.rawListeners('y')[0](1))
    byHand.then((value) => seen.push(value))
  })
  const outcome = bus.emitAndWait('x', 'emitted')
  await settle()
  assert.deepEqual(
    calls.map(({ value }) => value),
    ['emitted', 'by hand'],
  )
  calls[1].end('its value')
  await settle()
  assert.deepEqual(seen, [true, 'got 1', 'its value'])
  assert.equal(bus.rawListeners('z')[0](2), 'got 2')
  assert.equal(bus.listenerCount('z'), 0)
  calls[0].end()
  assert.deepEqual(await outcome, { success: 2, failed: 0, errors: [] })
  // A call by hand has taken no place, and left none.
  const outcomes = [bus.emitAndWait('x', 1), bus.emitAndWait('x', 2)]
  await settle()
  const emitted = () => calls.map(({ value }) => value).filter((value) => typeof value === 'number')
  assert.deepEqual(emitted(), [1])
  for (let at = 2; at < calls.length; at++) {
    calls[at].end()
    await settle()
  }
  assert.deepEqual(emitted(), [1, 2])
  await Promise.all(outcomes)
})
