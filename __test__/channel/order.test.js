'use strict'

// The order in which listeners get events: that of their emission, for all events of one thread, from any of its buses,
// to any of its buses or of those of another thread.

const assert = require('node:assert/strict')
const { AsyncLocalStorage } = require('node:async_hooks')
const { ParallelEventBus } = require('../..')
const { inProcess, stage, test } = require('../fixtures/stage.js')

/** Far more events than cross alone before a burst is recognised. */
const MANY = 400
const HOUR = 3_600_000

/** Every way in which an event goes to listeners elsewhere: in batches, written down in a burst, as dispatches. */
const listening = ({ bus, log, ParallelEventBus, channel }) => {
  const second = new ParallelEventBus({ channel })
  for (const [name, each] of Object.entries({ first: bus, second })) {
    each.on('plain', (number) => log.push([name, number]))
    each.on('bounded', (number) => log.push([name, number]), { timeout: 3_600_000 })
  }
  bus.on('grouped', (number) => log.push(['first', number]), { group: 'g' })
}

/** Emits by turns, in all ways. Returns the events that the listeners of `listening` get. */
function emitByTurns(buses, count) {
  const heard = []
  const ways = [
    (bus, number) => bus.emit('plain', number),
    (bus, number) => bus.emit('plain', { number }),
    (bus, number) => bus.emit('bounded', number),
    (bus, number) => bus.emit('grouped', number),
    (bus, number) => void bus.emitAndWait('plain', number),
    (bus, number) => void bus.request('grouped', number),
    (bus, number) => bus.with({ timeout: HOUR }).emit('plain', number),
    (bus, number) => bus.emit('plain', new Map([[number, 'x'.repeat(9000)]])),
  ]
  for (let number = 0; number < count; number++) {
    // Long runs of one way, too, for bursts.
    const way = number % 100 < 40 ? 0 : number % ways.length
    ways[way](buses[number % buses.length], number)
    const value = way === 1 ? { number } : way === 7 ? new Map([[number, 'x'.repeat(9000)]]) : number
    heard.push(['first', value])
    if (way !== 3 && way !== 5) heard.push(['second', value])
  }
  return heard
}

test('two buses of a thread are heard by another thread in the order of emission, by each of its buses', async (t) => {
  const { bus, join, startOne } = stage(t)
  const thread = await startOne(listening)
  const buses = [bus, join(), join()]
  const heard = emitByTurns(buses, 3 * MANY)
  await Promise.all(buses.map((each) => each.idle()))
  assert.deepEqual(await thread.run(({ log }) => log), heard)
})

test('a burst is heard by several buses of a thread event by event', async (t) => {
  const { bus, startOne } = stage(t)
  const thread = await startOne(listening)
  for (let number = 0; number < MANY; number++) bus.emit('plain', number)
  await bus.idle()
  const heard = Array.from({ length: MANY }, (_, number) => [
    ['first', number],
    ['second', number],
  ])
  assert.deepEqual(await thread.run(({ log }) => log), heard.flat())
})

/** Two buses of this thread that hear all of each other and of themselves. */
function hearing(t) {
  const { bus, join } = stage(t)
  const other = join()
  const heard = { bus: [], other: [] }
  for (const [name, each] of Object.entries({ bus, other })) each.on('x', (number) => heard[name].push(number))
  return { bus, other, heard, join }
}

function numbers(count) {
  return Array.from({ length: count }, (_, number) => number)
}

const WAYS = {
  emit: (bus, number) => bus.emit('x', number),
  emitAndWait: (bus, number) => void bus.emitAndWait('x', number),
  'with a timeout': (bus, number) => bus.with({ timeout: HOUR }).emit('x', number),
  'with a signal': (bus, number) => bus.with({ signal: new AbortController().signal }).emit('x', number),
}

for (const [way, emit] of Object.entries(WAYS)) {
  test(`both buses of a thread hear the events of both in the order of emission: ${way}`, async (t) => {
    const { bus, other, heard } = hearing(t)
    emit(bus, 0)
    emit(other, 1)
    emit(bus, 2)
    // By turns of any length, so that some of it is written down in a burst.
    let last = bus
    for (let number = 3; number < MANY; number++) {
      if (number % 7 === 0 || number % 64 === 0) last = last === bus ? other : bus
      emit(last, number)
    }
    await Promise.all([bus.idle(), other.idle()])
    assert.deepEqual(heard, { bus: numbers(MANY), other: numbers(MANY) })
  })
}

test('so it is where events are for one of a group, for once listeners, or requests', async (t) => {
  const { bus, join } = stage(t)
  const [other, third] = [join(), join()]
  const heard = []
  third.on('grouped', (number) => heard.push(number), { group: 'g' })
  third.on('x', (number) => heard.push(number))
  for (let number = 0; number < MANY; number += 4) {
    third.once('once', (value) => heard.push(value))
    bus.emit('grouped', number)
    third.emit('x', number + 1)
    other.request('grouped', number + 2)
    bus.emit('once', number + 3)
  }
  await Promise.all([bus.idle(), other.idle(), third.idle()])
  assert.deepEqual(heard, numbers(MANY))
})

test('so it is for events of listeners, and where others emit to the same buses', async (t) => {
  const { bus, other, heard, join } = hearing(t)
  const third = join()
  let next = 0
  third.on('go', () => {
    for (const each of [bus, other, bus, other]) each.emit('x', next++)
  })
  for (let round = 0; round < 50; round++) {
    third.emit('go')
    if (round % 3 === 0) await third.idle()
  }
  await Promise.all([third.idle(), bus.idle(), other.idle()])
  await Promise.all([bus.idle(), other.idle()])
  assert.deepEqual(heard, { bus: numbers(200), other: numbers(200) })
})

test('a handler of removeListener may emit while events of another bus are read', async (t) => {
  const { bus, other, heard } = hearing(t)
  const removed = []
  other.on('removeListener', (event) => {
    removed.push(event)
    other.emit('x', 'removed')
    bus.emit('x', 'removed')
  })
  for (let number = 0; number < 20; number++) {
    other.once('y', () => {})
    bus.emit('y')
    bus.emit('x', number)
    other.emit('x', number)
  }
  await Promise.all([bus.idle(), other.idle()])
  assert.equal(removed.length, 20)
  for (const each of [heard.bus, heard.other]) {
    assert.equal(each.filter((value) => value === 'removed').length, 40)
    assert.deepEqual(
      each.filter((value) => value !== 'removed'),
      numbers(20).flatMap((number) => [number, number]),
    )
  }
})

test('events that are read early are in no async context, and those of the bus in that of the emitter', async (t) => {
  const { bus, join } = stage(t)
  const other = join()
  const storage = new AsyncLocalStorage()
  const seen = []
  other.on('x', (number) => seen.push([number, storage.getStore()]))
  storage.run('first', () => bus.emit('x', 1))
  storage.run('second', () => other.emit('x', 2))
  bus.emit('x', 3)
  storage.run('third', () => other.emit('x', 4))
  await Promise.all([bus.idle(), other.idle()])
  assert.deepEqual(seen, [
    [1, undefined],
    [2, 'second'],
    [3, undefined],
    [4, 'third'],
  ])
})

test('an off inside a listener holds for queued events of both buses', async (t) => {
  const { bus, join } = stage(t)
  const other = join()
  const heard = []
  const removed = (number) => heard.push(['removed', number])
  other.on('x', (number) => {
    heard.push(number)
    other.off('x', removed)
  })
  other.on('x', removed)
  for (let number = 0; number < 6; number++) (number % 2 === 0 ? bus : other).emit('x', number)
  await Promise.all([bus.idle(), other.idle()])
  // The first event was addressed to both, and is delivered to both, or to one.
  assert.deepEqual(
    heard.filter((each) => !Array.isArray(each)),
    numbers(6),
  )
  assert.ok(heard.filter(Array.isArray).every(([, number]) => number === 0))
})

test('a process that ends delivers earlier events, and is not held up', async () => {
  const pair = `
    const other = new ParallelEventBus({ channel: 'process' })
    const heard = []
    other.on('x', (number) => heard.push(number))
    const emit = () => { bus.emit('x', 1); other.emit('x', 2); bus.emit('x', 3); other.emit('x', 4) }
    process.on('exit', () => console.log(heard.join()))
  `
  const ended = await inProcess(`${pair} emit()`)
  assert.deepEqual([ended.status, ended.stdout, ended.stderr], [0, '1,2,3,4\n', ''])
  // Events that come by way of the engine are not started in the exit event any more.
  const exited = await inProcess(`${pair} emit(); process.exit(0)`)
  assert.deepEqual([exited.status, exited.stdout], [0, '2,4\n'])
  const late = await inProcess(`${pair} process.on('exit', emit); bus.onError = () => {}`)
  assert.deepEqual([late.status, late.stdout], [0, '\n'])
})

test('buses of one thread that close wait for events on their way to them, and no other bus does', async (t) => {
  const { bus, other, heard } = hearing(t)
  const plain = new ParallelEventBus()
  const order = []
  plain.on('y', () => order.push('plain'))
  other.on('x', () => order.push('other'))
  bus.emit('x', 0)
  plain.emit('y')
  other.emit('x', 1)
  bus.emit('x', 2)
  await Promise.all([bus.close(), other.close(), plain.close()])
  assert.deepEqual(heard.other, [0, 1, 2])
  assert.equal(order.filter((each) => each === 'plain').length, 1)
})

test('a bus that alone emits to others of its thread calls the engine no more often', async (t) => {
  const native = require('../../native.js')
  const { bus, heard } = hearing(t)
  bus.emit('x', 0)
  await bus.idle()
  const { readLooped } = native
  t.after(() => Object.assign(native, { readLooped }))
  let reads = 0
  native.readLoopback = (...args) => {
    reads++
    return readLooped(...args)
  }
  for (let number = 1; number < MANY; number++) bus.emit('x', number)
  await bus.idle()
  assert.deepEqual(heard, { bus: numbers(MANY), other: numbers(MANY) })
  assert.equal(reads, 0)
})
