'use strict'

// Under load: a death in the middle, and a flood. Every event is accounted for.

const assert = require('node:assert/strict')
const { peerExit } = require('../..')
const { peers } = require('../fixtures/peers.js')
const { test } = require('../fixtures/stage.js')

test('a process that is killed under load loses no account, and nothing starts twice', async (t) => {
  const { bus, start } = await peers(t)
  const working = ({ bus, log }) => {
    bus.on('task', (task) => void log.push(task), { group: 'workers' })
    bus.on('heard', () => {})
  }
  const [stays, dies] = [await start(working), await start(working)]
  const outcomes = []
  for (let task = 0; task < 6_000; task++) {
    outcomes.push(bus.emitAndWait('task', task))
    bus.emit('heard', task)
    if (task === 3_000) dies.kill()
    if (task % 100 === 0) await new Promise((resolve) => setImmediate(resolve))
  }
  const counts = await Promise.all(outcomes)
  assert.ok(counts.every(({ success, failed }) => success + failed === 1))
  await bus.idle()
  const done = await stays.run(({ log }) => log)
  assert.equal(new Set(done).size, done.length, 'no task came twice')
  const lost = counts.flatMap(({ errors }, task) => (errors.length > 0 ? [[task, errors[0]]] : []))
  for (const [task, error] of lost) {
    assert.equal(error.code, 'ERR_PEER_GONE')
    assert.ok(error.started !== false && !done.includes(task), `task ${task} was given to another process`)
  }
  assert.ok(done.length >= 3_000 - lost.length)
  assert.equal(bus.getStats().pending, 0)
})

test('a flood of events takes nobody for dead, and all arrive in order', async (t) => {
  const { bus, link, start } = await peers(t)
  const there = await start(({ bus, log }) => {
    log.push(0, true)
    bus.on('drop', (number) => {
      log[1] &&= number === log[0]
      log[0]++
    })
  })
  bus.on(peerExit, () => assert.fail('nobody has died'))
  for (let number = 0; number < 100_000; number++) {
    bus.emit('drop', number)
    if (number % 256 === 0 && bus.needsDrain) await bus.drained()
  }
  await bus.idle()
  assert.deepEqual(await there.run(({ log }) => log), [100_000, true])
  assert.equal(bus.getStats().listenersFailed, 0)
  assert.equal(link.peers().length, 1)
})

test('both processes emit to each other without end of their own', async (t) => {
  const { bus, start } = await peers(t)
  let heard = 0
  bus.on('pong', () => void heard++)
  const there = await start(({ bus, log }) => {
    log.push(0)
    bus.on('ping', () => void log[0]++)
  })
  const flooding = there.run(async ({ bus }) => {
    for (let count = 0; count < 20_000; count++) {
      bus.emit('pong', count)
      if (count % 256 === 0 && bus.needsDrain) await bus.drained()
    }
    await bus.idle()
    return bus.getStats().listenersFailed
  })
  for (let count = 0; count < 20_000; count++) {
    bus.emit('ping', count)
    if (count % 256 === 0 && bus.needsDrain) await bus.drained()
  }
  await bus.idle()
  assert.equal(await flooding, 0)
  assert.deepEqual([heard, await there.run(({ log }) => log[0])], [20_000, 20_000])
})

test('a burst of 200 000 events takes nobody for dead', async (t) => {
  const count = 200_000
  const { bus, start } = await peers(t)
  const there = await start(async ({ ParallelEventBus, channel, log }) => {
    log.push(0)
    const wide = new ParallelEventBus({ channel, mailbox: { maxMessages: 200_000, maxBytes: 2 ** 30 } })
    wide.on('drop', () => void log[0]++)
  })
  bus.on(peerExit, () => assert.fail('nobody has died'))
  for (let number = 0; number < count; number++) bus.emit('drop', number)
  await bus.idle()
  const { listenersFailed } = bus.getStats()
  assert.deepEqual([await there.run(({ log }) => log[0]), listenersFailed], [count, 0])
})

test('processes that are blocked at both ends for longer than peerTimeout are peers', async (t) => {
  const peerTimeout = 500
  const { bus, link, start } = await peers(t, { peerTimeout })
  const there = await start(({ bus, log }) => bus.on('x', (number) => void log.push(number)), { peerTimeout })
  bus.on(peerExit, () => assert.fail('nobody has died'))
  const block = (ms) => {
    const end = Date.now() + ms
    while (Date.now() < end);
  }
  there.tell((_, ms) => {
    const end = Date.now() + ms
    while (Date.now() < end);
  }, 5_000)
  for (let number = 0; number < 50; number++) {
    bus.emit('x', number)
    block(100)
  }
  await bus.idle()
  assert.deepEqual((await there.run(({ log }) => log)).length, 50)
  assert.equal(link.peers().length, 1)
})

test('a link that is closed under load settles every event, and starts none twice', async (t) => {
  const { bus, start } = await peers(t)
  const there = await start(({ bus, log }) => bus.on('x', (number) => void log.push(number)))
  const outcomes = []
  let closing
  for (let number = 0; number < 5_000; number++) {
    outcomes.push(bus.emitAndWait('x', number))
    if (number === 2_500) closing = there.run(({ link }) => link.close())
    if (number % 50 === 0) await new Promise((resolve) => setImmediate(resolve))
  }
  assert.deepEqual(await closing, { unsettled: 0 })
  const settled = await Promise.all(outcomes)
  const done = settled.reduce((sum, { success }) => sum + success, 0)
  const log = await there.run(({ log }) => log)
  assert.deepEqual([settled.some(({ failed }) => failed > 0), log.length, new Set(log).size], [false, done, done])
  assert.ok(done > 0)
})
