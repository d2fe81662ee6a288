'use strict'

// Threads that come and go in hundreds, and end in every way, under fire: nothing is lost unsaid, nothing comes twice,
// nothing hangs, and nothing is left.

const assert = require('node:assert/strict')
const { ParallelEventBus } = require('../..')
const native = require('../../native.js')
const { stage, test, turn, until } = require('../fixtures/stage.js')

const THREADS = 500
const AT_ONCE = 8
const ENDS = ['exit', 'uncaught', 'rejection', 'loop', 'natural', 'close', 'terminate', 'terminate at once']
/** Running out of memory takes long, so one in so many does. */
const RARE = 50
const MOST_EVENTS = 2_000_000
const GONE = 'ERR_THREAD_EXITED'

/** Listens in every way, emits, and ends after some events. The calls for each event are counted under its number. */
function visitor({ bus, cells, die, parentPort, turn, data: { number, end, patience, memory } }) {
  const calls = new Int32Array(memory)
  let left = patience
  const heard = (id) => {
    Atomics.add(calls, id, 1)
    if (--left !== 0) return
    if (end === 'close') bus.close()
    else die[end]?.()
  }
  const heardLater = async (id) => {
    await turn()
    heard(id)
  }
  bus.on('plain', heard)
  bus.on('plain', heardLater)
  bus.on('grouped', heard, { group: 'g' })
  bus.on('grouped', heardLater, { group: 'h' })
  bus.on('requested', heard)
  bus.once('once', (id) => {
    Atomics.add(calls, id, 1)
    cells.add(number)
  })
  for (let count = 0; count < 5; count++) {
    cells.add(1000 + number)
    bus.emit('hello', number, count)
  }
  bus.emitAndWait('hello', number, 5)
  parentPort.unref()
}

/** Starts threads and sees them end, so many at once. */
async function churn({ launch }, memory, onEnd) {
  let started = 0
  const live = async () => {
    while (started < THREADS) {
      const number = started++
      const end = number % RARE === RARE - 1 ? 'memory' : ENDS[number % ENDS.length]
      const thread = launch(visitor, {
        data: { number, end, patience: 1 + (number % 23), memory },
        resourceLimits: end === 'memory' ? { maxOldGenerationSizeMb: 16 } : undefined,
      })
      const ready = thread.ready.catch(() => {})
      if (end !== 'terminate at once') await ready
      if (end === 'loop' || end.startsWith('terminate')) {
        for (let turns = 0; turns < number % 40; turns++) await turn()
        await thread.terminate()
      }
      await thread.exited
      onEnd()
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, live))
}

test(`${THREADS} threads join, listen, emit and end in every way`, {
  timeout: 300_000,
  threadsOnly: 'their listeners count calls in shared memory',
}, async (t) => {
  const scene = stage(t)
  const { bus, cells, errors } = scene
  const memory = new SharedArrayBuffer(4 * MOST_EVENTS)
  const calls = new Int32Array(memory)
  /** Listeners that events of this name did not reach. Of many events at once only their number is told. */
  let lost = 0
  const exits = []
  const hellos = Array.from({ length: THREADS }, () => [])
  bus.on(ParallelEventBus.deadLetter, ({ event, listeners }) => {
    if (event === 'plain') lost += listeners
  })
  bus.on(ParallelEventBus.threadExit, ({ threadId }) => exits.push(threadId))
  bus.on('hello', (number, count) => hellos[number].push(count))
  const before = native.counters()

  let lastId = 0
  let addressed = 0
  /** Emits an event by `emit`, and returns its number and how many listeners it was addressed to. */
  const send = (emit) => {
    const id = ++lastId
    const { listenersInvoked } = bus.getStats()
    const result = emit(id)
    const to = bus.getStats().listenersInvoked - listenersInvoked
    addressed += to
    return { id, to, result }
  }
  const plain = []
  const grouped = []
  const waited = []
  const waitFor = (event) => {
    const sent = send((id) => bus.emitAndWait(event, id))
    const { id, to, result } = sent
    if (event === 'plain') plain.push(sent)
    waited.push(
      result.then(({ success, failed, errors }) => {
        assert.deepEqual([success + failed, errors.length], [to, failed])
        for (const { code } of errors) assert.equal(code, GONE)
        const called = Atomics.load(calls, id)
        assert.ok(called >= success && called <= to, `${event} ${id}: ${called} calls, ${success} of ${to} done`)
      }),
    )
  }
  const request = () => {
    const { id, to, result } = send((id) =>
      bus.request('requested', id).then(
        () => null,
        ({ code }) => code,
      ),
    )
    waited.push(
      result.then((code) => {
        const called = Atomics.load(calls, id)
        if (code === null) assert.equal(called, 1)
        else assert.equal(code, to === 0 ? 'ERR_NO_LISTENERS' : GONE)
        assert.ok(called <= to)
      }),
    )
  }
  let ended = 0
  const fire = async () => {
    while (ended < THREADS) {
      for (let burst = 0; burst < 3; burst++) plain.push(send((id) => bus.emit('plain', id)))
      grouped.push(send((id) => bus.emit('grouped', id)))
      if (lastId % 3 === 0) plain.push(send((id) => bus.with({ timeout: 3_600_000 }).emit('plain', id)))
      for (const event of ['plain', 'grouped', 'once']) waitFor(event)
      request()
      assert.ok(lastId < MOST_EVENTS - 10)
      await (bus.needsDrain ? bus.drained() : turn())
    }
  }
  await Promise.all([fire(), churn(scene, memory, () => ended++)])
  await Promise.all(waited)
  await bus.idle()
  // Messages tell of lost events, and the last of them may not have been read yet.
  const sum = (numbers) => numbers.reduce((all, number) => all + number, 0)
  const toPlain = sum(plain.map(({ to }) => to))
  await until(() => toPlain <= sum(plain.map(({ id }) => Atomics.load(calls, id))) + lost, 'every loss was told of')

  for (const event of ['plain', 'grouped', 'once', 'requested']) assert.equal(bus.emit(event, 0), false, 'all are gone')
  const { pending, listenersFailed } = bus.getStats()
  t.diagnostic(`${lastId} events for ${addressed} listeners, of which ${listenersFailed} failed; ${exits.length} exits`)
  assert.ok(addressed > 10 * THREADS && listenersFailed > 0, 'threads did end under fire')
  // Each listener was called, or the emitter was told; both, where its thread ended before it could say that it was done.
  for (const { id, to } of plain) {
    const called = Atomics.load(calls, id)
    assert.ok(called <= to, `plain ${id}: ${called} of ${to} called`)
  }
  for (const { id, to } of grouped) assert.ok(Atomics.load(calls, id) <= to, `grouped ${id} came twice`)
  const called = calls.reduce((sum, count) => sum + count)
  assert.ok(called <= addressed && addressed <= called + listenersFailed)
  assert.equal(pending, 0)
  assert.deepEqual([...new Set(errors.map(([, { code }]) => code))], [GONE])

  for (let number = 0; number < THREADS; number++) {
    assert.ok(cells.get(number) <= 1, `the once listener of thread ${number} was called ${cells.get(number)} times`)
    const heard = hellos[number]
    assert.deepEqual(
      heard,
      heard.map((_, index) => index),
      'in order, and none twice',
    )
    // The thread may have ended between the count of an event and the event.
    const emitted = cells.get(1000 + number)
    assert.ok(heard.length >= emitted - 1, `thread ${number} emitted ${emitted}, of which ${heard.length} were heard`)
  }
  assert.equal(new Set(exits).size, exits.length, 'no end is told twice')
  await until(() => native.counters().timers <= before.timers)
  const living = (counters) => ({ ...counters, wakes: 0, visits: 0 })
  assert.deepEqual(living(native.counters()), living(before))
})
