'use strict'

// Liveness: a bus on a channel keeps its thread and its process alive at some times, and at others it does not.

const assert = require('node:assert/strict')
const path = require('node:path')
const { inProcess, stage, test } = require('../fixtures/stage.js')

test('a worker lives while its bus listens, unless told otherwise', {
  threadsOnly: 'listeners keep a worker, and no main thread',
}, async (t) => {
  const { bus, start } = stage(t)
  const live = async (setup) => {
    const [thread] = await start(1, setup)
    // A reply before the thread could have ended by itself.
    const reply = bus.request('alive').then(
      () => 'alive',
      ({ code }) => code,
    )
    return [thread, await reply]
  }
  const [listening, reply] = await live(({ bus, parentPort }) => {
    bus.on('alive', () => new Promise((resolve) => setTimeout(resolve, 20).unref()))
    bus.on('unref', () => {
      bus.unref()
    })
    parentPort.unref()
  })
  assert.equal(reply, 'alive', 'its timer does not keep it, so the bus does')
  bus.emit('unref')
  assert.equal(await listening.exited, 0)

  const [removing] = await live(({ bus, parentPort }) => {
    bus.on('alive', () => {})
    bus.once('removed', () => {
      bus.removeAllListeners()
    })
    parentPort.unref()
  })
  bus.emit('removed')
  assert.equal(await removing.exited, 0)

  const [idle] = await start(1, ({ bus, parentPort }) => {
    bus.on('x', () => {})
    bus.unref()
    parentPort.unref()
  })
  assert.equal(await idle.exited, 0)
  const [silent] = await start(1, ({ parentPort }) => parentPort.unref())
  assert.equal(await silent.exited, 0, 'a bus without listeners does not keep it')

  const stillHere = new Promise((resolve) => bus.once('still here', resolve))
  const [kept] = await start(1, ({ bus, parentPort }) => {
    bus.ref()
    parentPort.unref()
    setTimeout(() => bus.emit('still here'), 20).unref()
  })
  await stillHere
  await kept.terminate()
})

test('a process with a bus that is idle ends by itself, with any listeners', async () => {
  const sources = [
    '',
    "bus.on('x', () => {})",
    "bus.on('x', () => {}); bus.emitAndWait('x').then(() => bus.emit('x'))",
    "bus.ref(); bus.on('x', () => bus.unref()); new ParallelEventBus({ channel: 'process' }).emit('x')",
    "const other = new ParallelEventBus({ channel: 'process' }); other.on('x', () => {}); bus.emit('x')",
    "const worker = listening('bus.on(`x`, () => {}); parentPort.postMessage(1)'); worker.once('message', () => { worker.unref(); bus.emit('x') })",
  ]
  const ends = await Promise.all(sources.map((source) => inProcess(source)))
  for (const [index, { status, stderr }] of ends.entries()) {
    assert.deepEqual([status, stderr], [0, ''], sources[index])
  }
})

test('a process with an event on its way to another thread does not end before it is dealt with', async () => {
  for (const emit of ["bus.emit('slow')", "bus.emitAndWait('slow')", "bus.request('slow')"]) {
    const { stdout, stderr } = await inProcess(`
      const worker = listening(\`
        bus.on('slow', () => new Promise((resolve) => setTimeout(resolve, 100)))
        parentPort.postMessage(1)
      \`)
      worker.once('message', () => {
        worker.unref()
        ${emit}
        // This thread has read its messages. It may still have something to wait for.
        bus.on('here', () => {})
        bus.emit('here')
        process.on('exit', () => console.log('pending', bus.getStats().pending))
      })
    `)
    assert.deepEqual([stdout, stderr], ['pending 0\n', ''], emit)
  }
})

test('a queued event keeps its thread, while other buses of the thread come and go in that turn', async () => {
  const slow = (emitter) => `
    const other = new ParallelEventBus({ channel: 'of the thread' })
    const local = new ParallelEventBus()
    const [first, second] = [0, 1].map(() => new ParallelEventBus({ channel: 'both in it' }))
    for (const each of [local, second]) {
      each.on('slow', async () => {
        await new Promise((resolve) => setTimeout(resolve, 5))
        console.log('done')
      })
    }
    const emits = () => {
      ${emitter}.emit('slow')
      ${emitter}.idle().then(() => console.log('idle'))
      // In a worker its listeners would.
      second.unref()
    }
  `
  const ways = [
    'other.close(); emits()',
    'emits(); other.close()',
    'other.ref(); emits(); other.unref()',
    'emits(); other.ref(); other.unref()',
    "emits(); other.on('x', emits); other.removeAllListeners()",
    "emits(); other.once('x', () => {}); new ParallelEventBus({ channel: 'of the thread' }).emit('x'); other.close()",
    'emits(); Promise.resolve().then(() => other.ref()).then(() => other.unref())',
    'emits(); process.nextTick(() => other.close())',
  ]
  const inWorker = (program) => `new Worker(${JSON.stringify(program)}, { eval: true })`
  const required = `const { ParallelEventBus } = require(${JSON.stringify(path.join(__dirname, '../..'))})`
  const runs = ways.flatMap((way) => {
    const programs = ['local', 'first'].map((emitter) => `{ ${required}; ${slow(emitter)} ${way} }`)
    return [...programs, ...programs.map(inWorker)]
  })
  const ends = await Promise.all(runs.map((run) => inProcess(run)))
  for (const [index, { status, stdout, stderr }] of ends.entries()) {
    assert.deepEqual([status, stdout, stderr], [0, 'done\nidle\n', ''], runs[index])
  }
})

/** A burst is on when `rest` goes on, and another thread is done with the events that crossed. */
const burst = (rest) => `
  const other = new ParallelEventBus({ channel: 'of the thread' })
  const worker = listening(\`
    const cells = new Int32Array(new SharedArrayBuffer(8))
    bus.on('x', (slow) => {
      if (!slow) return undefined
      Atomics.store(cells, 0, 1)
      return new Promise((resolve) => setTimeout(resolve, 100)).then(() => Atomics.store(cells, 1, 1))
    })
    parentPort.postMessage(cells)
  \`)
  const isPending = () => bus.getStats().pending > 0
  worker.once('message', (cells) => setImmediate(() => {
    worker.unref()
    for (let number = 0; number < 200; number++) bus.emit('x', false)
    while (isPending());
    process.on('exit', () => console.log('slow', ...cells, 'pending', bus.getStats().pending))
    ${rest}
  }))
`

test('an event that was written down in a burst keeps the process, also after another bus has sent it', async () => {
  const { status, stdout } = await inProcess(
    burst(`
      bus.emit('x', true)
      other.ref()
      other.unref()
      while (Atomics.load(cells, 0) === 0);
      bus.idle().then(() => console.log('idle'))
    `),
  )
  assert.deepEqual([status, stdout], [0, 'idle\nslow 1 1 pending 0\n'])
})

test('a wait for pending events is over before the process ends, at every end of a turn', async () => {
  for (const ends of ['other.ref(); other.unref()', 'other.close()', '']) {
    const { status, stdout } = await inProcess(
      burst(`
        bus.emit('x', false)
        bus.idle().then(() => console.log('idle'))
        while (isPending());
        ${ends}
      `),
    )
    assert.deepEqual([status, stdout], [0, 'idle\nslow 0 0 pending 0\n'], ends)
  }
})

test('ref keeps a process that listens', async () => {
  const { stdout, status } = await inProcess(`
    bus.on('late', () => {
      console.log('heard')
      bus.unref()
    })
    bus.ref()
    const worker = listening("setTimeout(() => bus.emit('late'), 100)")
    worker.unref()
  `)
  assert.deepEqual([status, stdout], [0, 'heard\n'])
})
