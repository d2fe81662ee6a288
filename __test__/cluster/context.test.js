'use strict'

// Listeners with a context, for events that were emitted in another process.

const assert = require('node:assert/strict')
const { peers } = require('../fixtures/peers.js')
const { test, until } = require('../fixtures/stage.js')

/** Runs until its signal aborts, and remembers the parts of the context that can be told. */
function working({ bus, log }) {
  const run = ({ event, threadId, peer, id, signal }) => {
    log.push({ event, threadId, peer, hasId: Number.isSafeInteger(id) && id > 0, isAborted: signal.aborted })
    return new Promise((resolve) => {
      signal.addEventListener('abort', () => {
        const { name, code, message, peer } = signal.reason
        log.push({ name, code, message, peer })
        resolve()
      })
    })
  }
  bus.on('job', run, { context: true })
}

const runs = ({ log, until }) => until(() => log.length > 0)
const ended = async ({ log, until }) => {
  await until(() => log.length > 1)
  return log
}

test('a listener is told who has emitted, and of an abort with its reason', async (t) => {
  const { bus, link, start } = await peers(t)
  const there = await start(working)
  const controller = new AbortController()
  const outcome = bus.with({ signal: controller.signal }).emitAndWait('job')
  await there.run(runs)
  controller.abort(Object.assign(new RangeError('enough'), { code: 'ERR_ENOUGH' }))
  await assert.rejects(outcome, { name: 'RangeError', message: 'enough' })
  const [context, reason] = await there.run(ended)
  const [{ id }] = await there.run(({ link }) => link.peers())
  assert.deepEqual(context, { event: 'job', threadId: 0, peer: { id, name: 'here' }, hasId: true, isAborted: false })
  assert.deepEqual(reason, { name: 'RangeError', code: 'ERR_ENOUGH', message: 'enough', peer: undefined })
  assert.equal(link.peers().length, 1)
  await until(() => bus.getStats().pending === 0, 'the event has settled there, too')
})

test('a listener is told that the time of its event is over', async (t) => {
  const { bus, start } = await peers(t)
  const there = await start(working)
  // It may be over before the listener is called.
  do {
    const { errors } = await bus.with({ timeout: 100 }).emitAndWait('job')
    assert.equal(errors[0].code, 'ERR_LISTENER_TIMEOUT')
  } while (await there.run(({ log }) => log.length === 0))
  const [, { name }] = await there.run(ended)
  assert.equal(name, 'ListenerTimeoutError')
})

test('a listener is told that the process of the emitter is gone', async (t) => {
  const { start } = await peers(t)
  const there = await start(working)
  const emitter = await start()
  emitter.tell(({ bus }) => bus.emitAndWait('job'))
  await there.run(runs)
  emitter.kill()
  const [context, reason] = await there.run(ended)
  assert.deepEqual([reason.code, reason.peer], ['ERR_PEER_GONE', context.peer])
  assert.equal(
    reason.message,
    "process there 2 is gone before the listener of its 'job' had settled, which had started",
  )
})

test('a listener is told that the thread of the emitter has ended, in another process', async (t) => {
  const { start } = await peers(t)
  const there = await start(working)
  const emitter = await start(({ channel, log, entry }) => {
    const { Worker } =
      process.getBuiltinModule?.('node:worker_threads') ?? process.mainModule.require('node:worker_threads')
    const source = `
      const { ParallelEventBus } = require(${JSON.stringify(entry)})
      const bus = new ParallelEventBus({ channel: ${JSON.stringify(channel)} })
      bus.emitAndWait('job')
    `
    log.push(new Worker(source, { eval: true }))
  })
  await there.run(runs)
  await emitter.run(({ log }) => log[0].terminate())
  const [, reason] = await there.run(ended)
  assert.equal(reason.code, 'ERR_THREAD_EXITED')
  assert.match(reason.message, /^thread \d+ of process there 2 ended before the listener of its 'job' had settled$/)
})
