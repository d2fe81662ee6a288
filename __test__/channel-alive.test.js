'use strict'

// What a bus on a channel keeps alive, and what it does not: its thread, and the process.

const assert = require('node:assert/strict')
const { inProcess, stage, test } = require('./fixtures/stage.js')

test('a worker lives while its bus listens, unless told otherwise', async (t) => {
  const { bus, start } = stage(t)
  const live = async (setup) => {
    const [thread] = await start(1, setup)
    // Answered before the thread could have ended by itself.
    const answer = bus.request('alive').then(
      () => 'alive',
      ({ code }) => code,
    )
    return [thread, await answer]
  }
  const [listening, answer] = await live(({ bus, parentPort }) => {
    bus.on('alive', () => new Promise((resolve) => setTimeout(resolve, 20).unref()))
    bus.on('unref', () => {
      bus.unref()
    })
    parentPort.unref()
  })
  assert.equal(answer, 'alive', 'its timer does not keep it, so the bus does')
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

test('a process with a bus that is idle ends by itself, whatever it listens to', async () => {
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
        // That this thread has looked for what there is to do does not mean that it has nothing to wait for.
        bus.on('here', () => {})
        bus.emit('here')
        process.on('exit', () => console.log('pending', bus.getStats().pending))
      })
    `)
    assert.deepEqual([stdout, stderr], ['pending 0\n', ''], emit)
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
