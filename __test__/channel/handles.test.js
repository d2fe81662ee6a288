'use strict'

// Objects that only the runtime can clone, such as a SharedArrayBuffer, cross to other threads with events, values and errors:
// in order, settled once, and nothing of it stays.

const assert = require('node:assert/strict')
const { createSecretKey, subtle } = require('node:crypto')
const { BlockList, SocketAddress } = require('node:net')
const { createHistogram } = require('node:perf_hooks')
const { ParallelEventBus } = require('../..')
const { WAYS, inProcess, keepBusyUntil, stage, test, turn, until } = require('../fixtures/stage.js')

/** For threads: adds 1 to the first word of each argument. */
const adding = ({ bus, data }) => {
  bus.on('add', ({ memory }) => Atomics.add(new Int32Array(memory), 0, 1), data)
}
const word = (memory) => Atomics.load(new Int32Array(memory), 0)
const BIG = 65_536

for (const { way, options } of WAYS) {
  test(`memory is shared with every thread that listens, ${way}`, {
    threadsOnly: 'handles of a process cannot leave it',
  }, async (t) => {
    const { bus, start } = stage(t)
    await start(3, adding, { data: options })
    const memory = new SharedArrayBuffer(8)
    assert.equal(bus.emit('add', { memory }), true)
    assert.deepEqual(await bus.emitAndWait('add', { memory }), { success: 3, failed: 0, errors: [] })
    await bus.idle()
    assert.equal(word(memory), 6)
    assert.equal(bus.getStats().listenersInvoked, 6)
  })
}

test('everything that the runtime clones by a handle means the same in the other thread', {
  threadsOnly: 'handles of a process cannot leave it',
}, async (t) => {
  const { bus, startOne } = stage(t)
  await startOne(({ bus }) => {
    bus.on('bounce', (value) => value)
    bus.on('describe', async ({ key, crypto, blob, file, module, list, address }) => [
      key.export().toString(),
      crypto.algorithm.name,
      await blob.text(),
      file?.name,
      WebAssembly.Module.exports(module).length,
      list.check('10.0.0.1'),
      address.port,
    ])
  })
  const list = new BlockList()
  list.addAddress('10.0.0.1')
  const histogram = createHistogram()
  const value = {
    key: createSecretKey(Buffer.from('secret')),
    crypto: await subtle.generateKey({ name: 'HMAC', hash: 'SHA-256' }, true, ['sign']),
    blob: new Blob(['text']),
    module: new WebAssembly.Module(Uint8Array.of(0, 97, 115, 109, 1, 0, 0, 0)),
    list,
    address: new SocketAddress({ address: '10.0.0.1', port: 80 }),
  }
  assert.deepEqual(await bus.request('describe', value), ['secret', 'HMAC', 'text', undefined, 0, true, 80])
  const back = await bus.request('bounce', { ...value, histogram, blobs: new Map([[value.blob, [value.blob]]]) })
  assert.ok(value.key.equals(back.key))
  assert.equal(back.blobs.get(back.blob)[0], back.blob, 'one object stays one')
  histogram.record(5)
  assert.equal(back.histogram.max, 5, 'it is the same histogram')
})

test('values of requests and errors bring them back', {
  threadsOnly: 'handles of a process cannot leave it',
}, async (t) => {
  const { bus, startOne } = stage(t)
  await startOne(({ bus }) => {
    bus.on('make', (number) => {
      const memory = new SharedArrayBuffer(4)
      return { bytes: new Uint8Array(memory).fill(number), memory }
    })
    bus.on('fail', async (number) => {
      throw Object.assign(new Error('no'), {
        code: 'E',
        memory: new SharedArrayBuffer(number),
        cause: new Blob(['why']),
      })
    })
  })
  const replies = await Promise.all([1, 2, 3].map((number) => bus.request('make', number)))
  assert.deepEqual(
    replies.map(({ bytes, memory }) => [bytes[3], bytes.buffer === memory]),
    [1, 2, 3].map((number) => [number, true]),
  )
  const error = await bus.request('fail', 7).catch((error) => error)
  assert.deepEqual([error.code, error.memory.byteLength, await error.cause.text()], ['E', 7, 'why'])
  const { errors } = await bus.emitAndWait('fail', 8)
  assert.equal(errors[0].memory.byteLength, 8)
  assert.equal(bus.emit('fail', 9), true, 'nobody hears of its error but the thread')
  await bus.idle()
})

test('events with and without handles keep their order', {
  threadsOnly: 'handles of a process cannot leave it',
}, async (t) => {
  const { bus, startOne } = stage(t)
  const thread = await startOne(({ bus, log }) => bus.on('x', (number) => log.push(number)))
  const memory = new SharedArrayBuffer(4)
  for (let number = 0; number < 2000; number++) {
    if (number % 7 === 0) bus.emit('x', number, memory)
    else bus.emit('x', number)
  }
  await bus.idle()
  assert.deepEqual(await thread.run(({ log }) => log), [...new Array(2000).keys()])
})

test('an emitter that blocks at once is not waited for', {
  threadsOnly: 'handles of a process cannot leave it',
}, async (t) => {
  const { bus, start } = stage(t)
  await start(2, adding)
  const memory = new SharedArrayBuffer(4)
  bus.emit('add', { memory })
  keepBusyUntil(() => word(memory) === 2, 'both threads have written')
})

test('other buses of the thread get objects of their own, in order', async (t) => {
  const { bus, join } = stage(t)
  const [first, second] = [join(), join()]
  const got = []
  first.on('x', (number, memory) => got.push([number, memory]))
  second.on('x', (_number, memory) => got.push(['second', memory]))
  const memory = new SharedArrayBuffer(4)
  bus.emit('x', 1, memory)
  bus.emit('x', 2)
  first.on('ask', (given) => ({ given }))
  const { given } = await bus.request('ask', memory)
  await bus.idle()
  assert.deepEqual(
    got.map(([number]) => number),
    [1, 'second', 2, 'second'],
  )
  new Uint8Array(memory)[0] = 9
  for (const each of [got[0][1], got[1][1], given]) {
    assert.equal(new Uint8Array(each)[0], 9)
    assert.notEqual(each, memory)
  }
  assert.notEqual(got[0][1], got[1][1])
})

test('several buses of another thread get objects of their own', {
  threadsOnly: 'handles of a process cannot leave it',
}, async (t) => {
  const { bus, startOne } = stage(t)
  const thread = await startOne(({ bus, ParallelEventBus, channel, log }) => {
    for (const each of [bus, new ParallelEventBus({ channel })]) each.on('x', (memory) => log.push(memory))
  })
  const memory = new SharedArrayBuffer(4)
  await bus.emitAndWait('x', memory)
  assert.deepEqual(await thread.run(({ log: [one, other] }) => [one === other, one.byteLength, other.byteLength]), [
    false,
    4,
    4,
  ])
})

test('listeners of the bus itself get what was emitted', {
  threadsOnly: 'handles of a process cannot leave it',
}, async (t) => {
  const { bus, startOne } = stage(t)
  await startOne(adding)
  const memory = new SharedArrayBuffer(4)
  let got
  bus.on('add', (value) => {
    got = value.memory
  })
  bus.emit('add', { memory })
  await bus.idle()
  assert.equal(got, memory)
  assert.equal(word(memory), 1)
})

test('lost events come back to their emitter with them', {
  threadsOnly: 'handles of a process cannot leave it',
}, async (t) => {
  const { bus, cells, startOne, reported } = stage(t)
  cells.name('busy', 'go')
  const thread = await startOne(adding, { options: { mailbox: { maxMessages: 2 } } })
  const dead = []
  bus.on(ParallelEventBus.deadLetter, (about) => dead.push(about))
  thread.tell(({ cells }) => {
    cells.add('busy')
    cells.block('go')
    process.exit()
  })
  await cells.reach('busy')
  const memories = [1, 2, 3, 4].map(() => new SharedArrayBuffer(4))
  for (const memory of memories) bus.emit('add', { memory })
  cells.set('go', 1)
  await reported()
  assert.deepEqual(dead.map(({ error }) => error.code).sort(), [
    'ERR_MAILBOX_FULL',
    'ERR_MAILBOX_FULL',
    'ERR_THREAD_EXITED',
    'ERR_THREAD_EXITED',
  ])
  for (const { args } of dead) new Uint8Array(args[0].memory)[0]++
  assert.deepEqual(memories.map(word), [1, 1, 1, 1])
})

test('an event that moves to a thread that listens since then is heard there', {
  threadsOnly: 'handles of a process cannot leave it',
}, async (t) => {
  const { bus, cells, startOne } = stage(t)
  cells.name('busy', 'go')
  const IN_GROUP = { data: { group: 'workers' } }
  const stuck = await startOne(adding, IN_GROUP)
  stuck.tell(({ cells }) => {
    cells.add('busy')
    cells.block('go')
    process.exit()
  })
  await cells.reach('busy')
  const memory = new SharedArrayBuffer(4)
  const outcomes = [1, 2, 3].map(() => bus.emitAndWait('add', { memory }))
  await startOne(adding, IN_GROUP)
  cells.set('go', 1)
  for (const outcome of outcomes) assert.deepEqual(await outcome, { success: 1, failed: 0, errors: [] })
  assert.equal(word(memory), 3)
})

test('events behind one that waits for its handles wait too', {
  threadsOnly: 'handles of a process cannot leave it',
}, async (t) => {
  const { bus, cells, startOne } = stage(t)
  cells.name('busy', 'go', 'ready', 'seen')
  const setup = ({ bus, log }) => {
    bus.on('job', (_memory, number) => log.push(number), { group: 'workers' })
    bus.on('x', (number) => log.push(number))
  }
  const stuck = await startOne(setup)
  stuck.tell(({ cells }) => {
    cells.add('busy')
    cells.block('go')
    process.exit()
  })
  await cells.reach('busy')
  bus.emit('job', new SharedArrayBuffer(4), 1)
  const other = await startOne(setup)
  cells.set('go', 1)
  await stuck.exited
  // This thread does not answer before the other one has read the next event.
  for (let number = 2; number < 10; number++) bus.emit('x', number)
  await until(() => bus.getStats().pending === 0)
  const log = await other.run(({ log }) => log)
  assert.deepEqual(
    log.filter((number) => number > 1),
    [2, 3, 4, 5, 6, 7, 8, 9],
  )
  assert.equal(log.length, 9)
})

test('what a thread emits before it ends arrives', {
  threadsOnly: 'handles of a process cannot leave it',
}, async (t) => {
  for (const end of ['exit', 'uncaught']) {
    const { bus, startOne } = stage(t)
    const events = 3000
    const thread = await startOne(() => {})
    const got = []
    bus.on('last', (memory) => got.push(memory.byteLength))
    thread.tell(
      ({ bus, die }, end, events) => {
        for (let size = 0; size < events; size++) bus.emit('last', new SharedArrayBuffer(size))
        die[end]()
      },
      end,
      events,
    )
    await thread.exited
    await until(() => got.length === events)
    assert.deepEqual(got, [...new Array(events).keys()])
  }
})

test('an event that moves when its emitter is gone fails by a name', {
  threadsOnly: 'handles of a process cannot leave it',
}, async (t) => {
  const { cells, startOne } = stage(t)
  cells.name('busy', 'go', 'failed')
  const IN_GROUP = { data: { group: 'workers' } }
  const stuck = await startOne(adding, IN_GROUP)
  const emitter = await startOne(() => {})
  stuck.tell(({ cells }) => {
    cells.add('busy')
    cells.block('go')
    process.exit()
  })
  await cells.reach('busy')
  await emitter.run(({ bus }) => bus.emit('add', { memory: new SharedArrayBuffer(4) }))
  await emitter.terminate()
  const last = await startOne(adding, IN_GROUP)
  cells.set('go', 1)
  await stuck.exited
  const code = await last.run(async ({ errors, until }) => {
    await until(() => errors.length > 0)
    return errors[0][1].code
  })
  assert.equal(code, 'ERR_HANDLES_GONE')
})

test('a bus that is closed with such events in flight has them settled first', {
  threadsOnly: 'handles of a process cannot leave it',
}, async (t) => {
  const { join, startOne } = stage(t)
  await startOne(adding)
  const bus = join()
  const memory = new SharedArrayBuffer(4)
  const outcome = bus.emitAndWait('add', { memory })
  bus.emit('add', { memory })
  await bus.close()
  assert.equal((await outcome).success, 1)
  assert.equal(word(memory), 2)
})

test('what no runtime clones is refused before anybody got the event', async (t) => {
  const { bus, startOne } = stage(t)
  const thread = await startOne(({ bus, log }) => bus.on('x', (value) => log.push(value)))
  const { port1 } = new MessageChannel()
  t.after(() => port1.close())
  for (const emit of [
    () => bus.emit('x', [new SharedArrayBuffer(1), port1]),
    () => bus.emitAndWait('x', [port1]),
    () => bus.request('x', new ReadableStream()),
  ]) {
    await assert.rejects(async () => emit(), { name: 'DataCloneError' })
  }
  await bus.emitAndWait('x', 'next')
  assert.deepEqual(await thread.run(({ log }) => log), ['next'])
})

// Memory

/** Growth of this process in bytes, after a collection; shared memory is not in V8's heap. */
function grownFrom(before) {
  globalThis.gc()
  return process.memoryUsage().rss - before
}

/** Collects garbage in another thread, and here. */
async function collectIn(thread) {
  await thread.run(async ({ turn, errors }) => {
    errors.length = 0
    await turn()
    globalThis.gc()
    await turn()
  })
  globalThis.gc()
  await turn()
}

async function collected(bus, thread, act) {
  await act(200)
  await collectIn(thread)
  const { rss } = process.memoryUsage()
  for (let round = 0; round < 20; round++) {
    await act(500)
    await collectIn(thread)
  }
  await bus.idle()
  // All of it together has ten times as much.
  assert.ok(grownFrom(rss) < 64 * 2 ** 20, `${grownFrom(rss) / 2 ** 20} MiB more`)
}

test('of 10 000 events with handles nothing stays, in any thread', {
  threadsOnly: 'handles of a process cannot leave it',
}, async (t) => {
  const { bus, startOne } = stage(t)
  const thread = await startOne(adding)
  await collected(bus, thread, async (count) => {
    for (let number = 0; number < count; number++) {
      const memory = new SharedArrayBuffer(BIG)
      new Uint8Array(memory).fill(1)
      bus.emit('add', { memory })
    }
    await bus.idle()
  })
})

test('of 10 000 replies and errors with handles nothing stays, also of those that come too late', async (t) => {
  const { bus, startOne } = stage(t)
  const thread = await startOne((scope) => {
    const { bus } = scope
    const make = () => ({ memory: new Uint8Array(new SharedArrayBuffer(65_536)).fill(1) })
    bus.on('make', make)
    bus.on('fail', () => Promise.reject(Object.assign(new Error('no'), make())))
    scope.ends = []
    bus.on('late', () => new Promise((resolve) => scope.ends.push(() => resolve(make()))))
  })
  await collected(bus, thread, async (count) => {
    const outcomes = []
    for (let number = 0; number < count / 5; number++) {
      outcomes.push(bus.request('make'), bus.request('fail'), bus.emitAndWait('fail'))
    }
    await Promise.allSettled(outcomes)
    const controller = new AbortController()
    const late = []
    for (let number = 0; number < count / 5; number++) {
      late.push(bus.with({ signal: controller.signal }).request('late'), bus.with({ timeout: 1 }).request('late'))
    }
    const settled = Promise.allSettled(late)
    await thread.run(({ ends, until }, many) => until(() => ends.length >= many), late.length / 2)
    controller.abort()
    await settled
    await thread.run(({ ends, turn }) => {
      for (const end of ends.splice(0)) end()
      return turn()
    })
  })
})

test('a thread that looks at nothing collects no more than so much', {
  threadsOnly: 'handles of a process cannot leave it',
}, async (t) => {
  const { bus, cells, start } = stage(t)
  cells.name('busy', 'go')
  const [stuck] = await start(2, adding, { data: { group: 'workers' } })
  stuck.tell(({ cells }) => {
    cells.add('busy')
    cells.block('go')
  })
  await cells.reach('busy')
  // One for each: from now on all go to the other thread, one at a time.
  const first = [1, 2].map(() => bus.emitAndWait('add', { memory: new SharedArrayBuffer(4) }))
  await Promise.race(first)
  const { rss } = process.memoryUsage()
  const events = 12_000
  for (let number = 0; number < events; number++) {
    const memory = new SharedArrayBuffer(32_768)
    new Uint8Array(memory).fill(1)
    await bus.emitAndWait('add', { memory })
  }
  const all = events * 32_768
  assert.ok(grownFrom(rss) < 0.7 * all, `${grownFrom(rss) / all} of all`)
  cells.set('go', 1)
  await Promise.all(first)
  const memory = new SharedArrayBuffer(4)
  await Promise.all([1, 2, 3, 4].map(() => bus.emitAndWait('add', { memory })))
  assert.equal(word(memory), 4)
})

test('threads that end leave nothing in those that they have sent to', {
  threadsOnly: 'handles of a process cannot leave it',
}, async (t) => {
  const { bus, startOne } = stage(t)
  let collected = 0
  const registry = new FinalizationRegistry(() => collected++)
  bus.on('x', (memory) => registry.register(memory))
  const events = 300
  const threads = 5
  for (let number = 0; number < threads; number++) {
    const thread = await startOne(() => {})
    await thread.run(({ bus }, events) => {
      for (let event = 0; event < events; event++) bus.emit('x', new SharedArrayBuffer(8))
    }, events)
    await thread.terminate()
  }
  await until(() => {
    globalThis.gc()
    return collected === threads * events
  }, 'all of it is collected')
})

test('a thread that waits for nothing else lets the process end', async () => {
  const { status, stdout } = await inProcess(`
    listening("bus.on('x', (memory) => { new Uint8Array(memory)[0]++; bus.unref() }); parentPort.postMessage(1)").once('message', async () => {
      const memory = new SharedArrayBuffer(1)
      bus.emit('x', memory)
      await bus.idle()
      console.log(new Uint8Array(memory)[0])
    })
  `)
  assert.deepEqual([status, stdout], [0, '1\n'])
})

test('an event that is emitted just before the end of its process or thread is not lost', async () => {
  const { status, stdout } = await inProcess(`
    bus.on('x', (memory) => console.log(memory.byteLength))
    listening("bus.emit('x', new SharedArrayBuffer(3)); process.exit()")
    bus.ref()
    bus.once('x', () => bus.unref())
  `)
  assert.deepEqual([status, stdout], [0, '3\n'])
})

test('many threads that post to each other at once all get what they are sent', {
  threadsOnly: 'handles of a process cannot leave it',
}, async (t) => {
  const { bus, start } = stage(t)
  const threads = await start(4, ({ bus, threadId, cells }) => {
    bus.on('say', ({ key, blob, memory }) => {
      if (key.export().length === 6 && blob.size === 4) Atomics.add(new Int32Array(memory), 0, 1)
    })
    bus.on(`bounce ${threadId}`, (value) => value)
    bus.on('go', async (value, ids) => {
      for (let round = 0; round < 20; round++) {
        bus.emit('say', value)
        const back = await Promise.all(ids.map((id) => bus.request(`bounce ${id}`, value)))
        for (const { key, blob } of back) if (!key.equals(value.key) || blob.size !== 4) throw new Error('another one')
      }
      cells.add(threadId)
    })
  })
  const memory = new SharedArrayBuffer(4)
  const value = { key: createSecretKey(Buffer.from('secret')), blob: new Blob(['text']), memory }
  const ids = threads.map(({ id }) => id)
  assert.deepEqual(await bus.emitAndWait('go', value, ids), { success: 4, failed: 0, errors: [] })
  await Promise.all(threads.map((thread) => thread.run(({ bus }) => bus.idle())))
  assert.equal(word(memory), 4 * 20 * 4, 'each event was heard by each, the emitter included')
})
