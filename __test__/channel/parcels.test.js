'use strict'

// The long parts of a message that does not cross: they are dropped, whatever kept it from crossing. Counted in calls of
// the engine.

const assert = require('node:assert/strict')
const { after } = require('node:test')
const { BroadcastChannel } = require('node:worker_threads')
const native = require('../../native.js')

/** Parcels of this thread that were neither attached to a message nor dropped. */
const open = new Set()
/** Whether the next event with long arguments has settled before it starts. */
let hasSettled = false
const kept = { ...native }
const opens =
  (keep) =>
  (...args) => {
    const parcel = keep(...args)
    open.add(parcel)
    return parcel
  }
const closes = (end) => (thread, parcel) => {
  open.delete(parcel)
  return end(thread, parcel)
}
Object.assign(native, {
  keepBytes: opens(kept.keepBytes),
  keepText: opens(kept.keepText),
  attachParcel: closes(kept.attachParcel),
  dropParcel: closes(kept.dropParcel),
  unpackEvent(...args) {
    const unpacked = kept.unpackEvent(...args)
    return hasSettled ? null : unpacked
  },
})
after(() => Object.assign(native, kept))
// After that, or it could have taken the functions out.
const { stage: staged, test } = require('../fixtures/stage.js')

function stage(t) {
  open.clear()
  return staged(t)
}

const LONG = Buffer.alloc(100_000, 7)
const WAYS = {
  emit: (bus, ...args) => bus.emit('x', ...args),
  emitAndWait: (bus, ...args) => bus.emitAndWait('x', ...args),
  request: (bus, ...args) => bus.request('x', ...args),
}

/** Has the runtime refuse what is posted, as it refuses an object that was marked so meanwhile. */
async function refusingPosts(run) {
  const { postMessage } = BroadcastChannel.prototype
  BroadcastChannel.prototype.postMessage = () => {
    throw new DOMException('refused', 'DataCloneError')
  }
  try {
    await run()
  } finally {
    BroadcastChannel.prototype.postMessage = postMessage
  }
}

for (const [name, emit] of Object.entries(WAYS)) {
  test(`${name}: long parts beside handles that cannot be posted are dropped`, async (t) => {
    const { bus, startOne } = stage(t)
    await startOne(({ bus }) => bus.on('x', ({ length }) => length))
    await refusingPosts(() =>
      assert.rejects(async () => emit(bus, LONG, new SharedArrayBuffer(8)), { name: 'DataCloneError' }),
    )
    assert.deepEqual(open, new Set())
    assert.equal(await bus.request('x', LONG), LONG.length)
  })

  test(`${name}: long parts are dropped where a getter behind them closes the bus`, async (t) => {
    const { join, startOne } = stage(t)
    await startOne(({ bus }) => bus.on('x', () => {}))
    for (const beside of [[], [new SharedArrayBuffer(8)]]) {
      const bus = join()
      // So that a burst begins.
      for (let event = 0; event < 40; event++) bus.emit('x', event)
      const closing = {
        get close() {
          bus.close()
          return 1
        },
      }
      await Promise.resolve(emit(bus, LONG, ...beside, closing)).catch(() => {})
      await bus.close()
      assert.deepEqual(open, new Set())
    }
  })
}

test('long parts of a reply beside handles that cannot be posted are dropped, and that is the failure', async (t) => {
  const { bus, startOne } = stage(t)
  const thread = await startOne(({ bus, channel, ParallelEventBus }) => {
    const asking = new ParallelEventBus({ channel })
    bus.on('go', () => asking.request('x').catch(({ name }) => name))
  })
  bus.on('x', () => [LONG, new SharedArrayBuffer(8)])
  await refusingPosts(async () => assert.equal(await bus.request('go'), 'DataCloneError'))
  assert.deepEqual(open, new Set())
  assert.ok(thread)
})

test('an event with long arguments that has settled before it starts is not heard, and later ones are', async (t) => {
  const { bus, startOne } = stage(t)
  const heard = []
  await startOne(({ bus, channel, ParallelEventBus }) => {
    const emitting = new ParallelEventBus({ channel })
    bus.on('go', (long) => emitting.emit('x', long))
  })
  bus.on('x', ({ length }) => heard.push(length))
  hasSettled = true
  await bus.emitAndWait('go', LONG)
  await bus.emitAndWait('go', LONG.subarray(1))
  hasSettled = false
  await bus.emitAndWait('go', Buffer.alloc(50_000))
  await bus.emitAndWait('go', 'next')
  assert.deepEqual(heard.at(-1), 4)
  assert.ok(!heard.includes(LONG.length))
})
