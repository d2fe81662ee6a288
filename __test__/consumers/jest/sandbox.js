'use strict'

// A test file that is run many times in one process: each has an event delivered in its sandbox, and looks how many
// sandboxes are in memory. There is no other than its own.

/* global expect, test */

const { runInThisContext } = require('node:vm')
const { ParallelEventBus } = require('@cynic/parallel-event-bus')

const MOST = 1
const own = runInThisContext('({ seen: globalThis.seen ??= [], WeakRef, gc })')

test('sandboxes of earlier files are not kept', async () => {
  const bus = new ParallelEventBus()
  bus.on('x', () => 5)
  expect(await bus.request('x')).toBe(5)
  own.seen.push(new own.WeakRef(globalThis))
  for (let turn = 0; turn < 10; turn++) {
    own.gc()
    await new Promise((resolve) => setImmediate(resolve))
  }
  expect(own.seen.filter((sandbox) => sandbox.deref()).length).toBeLessThanOrEqual(MOST)
})
