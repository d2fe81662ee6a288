'use strict'

// Events with a key, and bounded queues, where a group has members in several processes.

const assert = require('node:assert/strict')
const { CANNOT_BE_STOPPED } = require('../fixtures/entries.js')
const { peers } = require('../fixtures/peers.js')
const { test, until } = require('../fixtures/stage.js')

const working = ({ bus, log }) => bus.on('job', (number) => void log.push(number), { group: 'workers' })

test('events of a key that are in flight go to one process, in order', async (t) => {
  const { bus, start } = await peers(t)
  const working = ({ bus, log, until }) => {
    const run = (number) => {
      log.push(number)
      // It is in flight until all have come.
      return number === 0 ? until(() => log.length === 500) : undefined
    }
    bus.on('job', run, { group: 'workers' })
  }
  const there = [await start(working), await start(working)]
  const keyed = bus.with({ key: 'account 7' })
  const outcomes = Array.from({ length: 500 }, (_, number) => keyed.emitAndWait('job', number))
  const counts = await Promise.all(outcomes)
  assert.ok(counts.every(({ success, failed }) => success === 1 && failed === 0))
  const came = await Promise.all(there.map((peer) => peer.run(({ log }) => log)))
  const numbers = Array.from({ length: 500 }, (_, number) => number)
  assert.deepEqual(
    came.sort((one, other) => one.length - other.length),
    [[], numbers],
  )
})

test('what a killed process had not been sent of a key goes to another one, in order', {
  skip: CANNOT_BE_STOPPED,
}, async (t) => {
  const { bus, link, launch, start } = await peers(t, {
    maxUnacknowledged: { messages: 8, bytes: 1 << 16 },
    peerTimeout: 60_000,
  })
  const dies = await start(working)
  dies.kill('SIGSTOP')
  const keyed = bus.with({ key: 1 })
  const outcomes = Array.from({ length: 200 }, (_, number) => keyed.emitAndWait('job', number, 'x'.repeat(10_000)))
  const stays = launch(working)
  await stays.ready
  await until(() => link.peers().some(({ name, listeners }) => name === stays.name && listeners > 0), 'it is known')
  dies.kill()
  const counts = await Promise.all(outcomes)
  const lost = counts.flatMap(({ errors }, number) => (errors.length > 0 ? [number] : []))
  const done = await stays.run(({ log }) => log)
  assert.ok(counts.every(({ success, failed }) => success + failed === 1))
  assert.ok(done.length > 0 && lost.length > 0, `${done.length} moved, ${lost.length} were lost`)
  const numbers = Array.from({ length: 200 }, (_, number) => number)
  assert.deepEqual([...lost, ...done], numbers, 'what was sent is lost, and the rest comes in order')
})
