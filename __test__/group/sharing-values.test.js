'use strict'

// An event that another thread takes over brings all that it came with: what lies apart, what only the runtime can clone,
// and what was moved.

const assert = require('node:assert/strict')
const { createSecretKey } = require('node:crypto')
const { stage, test, until } = require('../fixtures/stage.js')

/** Members that are held up by a `long` job until the cell `go` says otherwise, and look at what other jobs bring. */
const members = ({ bus, cells, threadId }) => {
  bus.on('job', (name, brought) => {
    if (name === 'long') {
      cells.set('held', threadId)
      cells.block('go')
      return undefined
    }
    const seen = {
      buffer: () => [brought.length, brought[0], brought.at(-1)],
      shared: () => Atomics.add(new Int32Array(brought), 0, 1) >= 0,
      key: () => brought.export().toString(),
      moved: () => [brought.byteLength, new Uint8Array(brought)[1]],
    }
    return [threadId, seen[name]()]
  })
}

const IN_GROUP = { options: { group: 'workers' } }
const EVENTS = 6

const shared = new SharedArrayBuffer(4)
const longMoved = () => {
  const buffer = new ArrayBuffer(2 ** 20)
  new Uint8Array(buffer)[1] = 7
  return buffer
}

/** What an event brings, and what its listener says to it. */
const KINDS = {
  'a buffer of 1 MiB': ['buffer', () => Buffer.alloc(2 ** 20, 5), [2 ** 20, 5, 5]],
  'shared memory': ['shared', () => shared, true],
  'a key': ['key', () => createSecretKey('secret', 'utf8'), 'secret'],
  'a long buffer that moves': ['moved', longMoved, [2 ** 20, 7]],
  'a short buffer that moves': ['moved', () => Uint8Array.of(1, 7, 3).buffer, [3, 7]],
}

for (const [kind, [name, make, seen]] of Object.entries(KINDS)) {
  const request = (bus) => {
    const brought = make()
    const bounds = name === 'moved' ? { transfer: [brought] } : {}
    return bus.with(bounds).request('job', name, brought)
  }

  for (const late of [false, true]) {
    test(`an event with ${kind} is taken over whole by a member that ${late ? 'joins later' : 'was there'}`, {
      threadsOnly: 'what was sent to a process is given to nobody else',
    }, async (t) => {
      const { bus, cells, start, startOne } = stage(t)
      cells.name('held', 'go')
      const threads = await start(late ? 1 : 2, members, IN_GROUP)
      const long = bus.request('job', 'long')
      await until(() => cells.get('held') > 0)
      const before = new Int32Array(shared)[0]
      const requests = Array.from({ length: EVENTS }, () => request(bus))
      if (late) threads.push(await startOne(members, IN_GROUP))
      const other = threads.find(({ id }) => id !== cells.get('held'))
      assert.deepEqual(await Promise.all(requests), Array(EVENTS).fill([other.id, seen]))
      if (name === 'shared') assert.equal(new Int32Array(shared)[0] - before, EVENTS)
      cells.set('go', 1)
      await long
    })
  }
}

test('an event that was read, and waits for what it brings, is taken over', {
  threadsOnly: 'what was sent to a process is given to nobody else',
}, async (t) => {
  const { bus, cells, startOne } = stage(t)
  const late = ({ bus, cells, threadId }) => {
    bus.on(
      'job',
      (shared) => {
        cells.add(threadId)
        if (Atomics.add(new Int32Array(shared), 0, 1) === 0) cells.block('go')
        return threadId
      },
      { concurrency: 1 },
    )
  }
  cells.name('go')
  const first = await startOne(late, IN_GROUP)
  const shared = new SharedArrayBuffer(4)
  const requests = Array.from({ length: 4 }, () => bus.request('job', shared))
  await cells.reach(first.id)
  // Those that wait at the gate of the first one have been read there.
  const other = await startOne(late, IN_GROUP)
  await cells.reach(other.id, 3)
  cells.set('go', 1)
  assert.deepEqual(await Promise.all(requests), [first.id, other.id, other.id, other.id])
  assert.equal(new Int32Array(shared)[0], 4)
})
