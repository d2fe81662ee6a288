'use strict'

// Numbers of a channel that leaves the process: events that were sent to threads of others count as theirs.

const assert = require('node:assert/strict')
const { Registry } = require('prom-client')
const { collect } = require('../../prometheus.js')
const { ParallelEventBus } = require('../../index.js')
const { peers } = require('../fixtures/peers.js')
const { test, until } = require('../fixtures/stage.js')

test('the threads of other processes are told apart by their process', async (t) => {
  const { bus, link, start } = await peers(t)
  const there = await start(({ bus, log }) => {
    bus.on('quick', () => {})
    bus.on('held', () => new Promise((resolve) => log.push(resolve)))
  })
  await Promise.all([1, 2, 3].map(() => bus.emitAndWait('quick')))
  bus.emit('held')
  await there.run(({ log, until }) => until(() => log.length > 0))
  const [{ id, name }] = link.peers()

  const { threads, events } = await ParallelEventBus.metrics(bus)
  const { received, running, queued, busy, ...of } = threads.find(({ peer }) => peer !== undefined)
  assert.deepEqual([of.threadId, of.peer], [0, { id, name }])
  assert.deepEqual([received, running + queued, busy], [4, 1, undefined])
  assert.equal(events.quick.delivered, 3)

  const register = new Registry()
  collect(bus, { register })
  const text = await register.metrics()
  assert.match(text, new RegExp(`thread_events_received_total\\{.*peer="${id}",peer_name="${name}".*\\} 4`))
  await there.run(({ log }) => log[0]())
  await until(() => bus.getStats().pending === 0, 'it settles')
})
