'use strict'

// The program whose trace is drawn: an order with two listeners here, and a score of each of its items, which two threads
// compute. It is its own module for `spawn`.

const { setTimeout: after } = require('node:timers/promises')
const { isMainThread } = require('node:worker_threads')
const { ParallelEventBus } = require('@cynic/parallel-event-bus')

const ITEMS = [14, 9, 17, 11, 13, 8]

function burn(ms) {
  const end = performance.now() + ms
  while (performance.now() < end);
}

function register(bus) {
  bus.on('score', function score(ms) {
    burn(ms)
  })
}

async function main() {
  const bus = new ParallelEventBus({ channel: 'shop' })
  await bus.spawn(__filename, { threads: 2 })
  bus.on('order', async function store() {
    await after(24)
  })
  bus.on('order', async function mail() {
    await after(15)
  })
  // Both threads have run the listener's code before.
  await Promise.all([bus.request('score', 1), bus.request('score', 1)])
  await after(20)
  await Promise.all([bus.emitAndWait('order'), ...ITEMS.map((ms) => bus.request('score', ms))])
  await bus.close()
}

module.exports = register
if (isMainThread) main()
