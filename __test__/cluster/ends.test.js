'use strict'

// Ends: of a process, of a thread in one, of a link. All that was under way settles, once, and says why.

const assert = require('node:assert/strict')
const { once } = require('node:events')
const { writeFileSync } = require('node:fs')
const path = require('node:path')
const { PeerGoneError, deadLetter, peerExit, peerJoin, stall, threadExit } = require('../..')
const { CANNOT_BE_STOPPED } = require('../fixtures/entries.js')
const { peers } = require('../fixtures/peers.js')
const { test, until } = require('../fixtures/stage.js')

/** Listeners that never settle, and one that blocks its process. */
function doomed({ bus, log }) {
  bus.on('hang', () => {
    log.push('hang')
    return new Promise(() => {})
  })
  bus.on('block', () => {
    bus.emit('blocked')
    for (;;);
  })
}

test('a process that is killed settles at once all that it owed', async (t) => {
  const { bus, errors, start } = await peers(t)
  const there = await start(doomed)
  const left = once(bus, peerExit)
  const lost = []
  bus.on(deadLetter, (about) => void lost.push(about))
  const waiting = [bus.emitAndWait('hang', 1), bus.emitAndWait('hang', 2)]
  const requested = bus.request('hang').catch((error) => error)
  bus.emit('hang', { number: 3 })
  await there.run(async ({ log, link, until }) => {
    await until(() => log.length === 4)
    // The words that they have started have come, too.
    await link.synced()
  })
  there.kill()
  for (const outcome of await Promise.all(waiting)) {
    const { success, failed, errors } = outcome
    assert.deepEqual({ success, failed }, { success: 0, failed: 1 })
    assert.ok(errors[0] instanceof PeerGoneError)
    assert.deepEqual([errors[0].code, errors[0].event, errors[0].peer.name], ['ERR_PEER_GONE', 'hang', there.name])
    assert.equal(errors[0].started, 'unknown')
  }
  const error = await requested
  assert.deepEqual([error.code, error.started], ['ERR_PEER_GONE', true], 'a request tells of its start')
  const [{ peer }] = await left
  assert.equal(peer.name, there.name)
  await bus.idle()
  await until(() => lost.length >= 3, 'the losses are told of')
  const untracked = lost.find(({ args }) => args?.[0]?.number === 3)
  assert.deepEqual([untracked.event, untracked.listeners, untracked.peer.name], ['hang', 1, there.name])
  assert.equal(bus.emit('hang'), false)
  assert.ok(errors.length >= 3)
})

test('a process that is killed while it is blocked settles all the same', async (t) => {
  const { bus, start } = await peers(t)
  const begun = once(bus, 'blocked')
  const there = await start(doomed)
  const blocked = bus.emitAndWait('block')
  await begun
  const behind = Array.from({ length: 50 }, () => bus.emitAndWait('hang'))
  bus.once(stall, () => there.kill())
  for (const { errors } of await Promise.all([blocked, ...behind])) assert.equal(errors[0].code, 'ERR_PEER_GONE')
  await bus.idle()
})

test('a blocked process is a stall, and its events time out on time', async (t) => {
  const peerTimeout = 1500
  const { bus, link, start } = await peers(t, { peerTimeout })
  const begun = once(bus, 'blocked')
  const there = await start(doomed)
  const stalls = []
  bus.on(stall, (about) => void stalls.push(about))
  void bus.emitAndWait('block')
  await begun
  const { errors } = await bus.with({ timeout: 50 }).emitAndWait('hang')
  assert.equal(errors[0].code, 'ERR_LISTENER_TIMEOUT')
  await until(() => stalls.at(-1)?.ms > peerTimeout, 'it is stuck for longer than a peer may be silent')
  const { peer, threadId } = stalls.at(-1)
  assert.deepEqual([peer.name, threadId], [there.name, 0])
  assert.equal(link.peers().length, 1)
})

test('what was sent to a killed process is given to nobody else, and the rest of a group is', async (t) => {
  const { bus, start } = await peers(t)
  const there = await start(({ bus, log }) => {
    bus.on(
      'task',
      (task) => {
        log.push(task)
        return new Promise(() => {})
      },
      { group: 'workers' },
    )
  })
  const tasks = Array.from({ length: 20 }, (_, task) => bus.emitAndWait('task', task))
  const started = await there.run(async ({ log, until }) => {
    await until(() => log.length === 20)
    return log
  })
  const here = []
  bus.on('task', (task) => void here.push(task), { group: 'workers' })
  there.kill()
  const outcomes = await Promise.all(tasks)
  for (const [task, { failed }] of outcomes.entries()) assert.equal(failed === 1, started.includes(task))
  assert.deepEqual(here, [])
  assert.equal((await bus.emitAndWait('task', 'next')).success, 1)
})

test('an abort rejects at once, and what has not started there never does', async (t) => {
  const { bus, directory, link, start } = await peers(t)
  const there = await start(({ blockUntilThereIs, bus, log }) => {
    bus.on('first', blockUntilThereIs)
    bus.on('second', () => void log.push('second'))
  })
  const go = path.join(directory, 'go')
  const first = bus.emitAndWait('first', go)
  const controller = new AbortController()
  const second = bus.with({ signal: controller.signal }).emitAndWait('second')
  // It has come there.
  await link.synced()
  controller.abort(new Error('changed my mind'))
  await assert.rejects(second, { message: 'changed my mind' })
  // The word of that, too.
  await link.synced()
  writeFileSync(go, '')
  assert.equal((await first).success, 1)
  await bus.idle()
  assert.deepEqual(await there.run(({ log }) => log), [])
})

test('a thread that ends in another process is told of, and its process goes on', async (t) => {
  const { bus, start } = await peers(t)
  const ended = once(bus, threadExit)
  const there = await start(async ({ bus, channel }) => {
    const { Worker } =
      process.getBuiltinModule?.('node:worker_threads') ?? globalThis.process.mainModule.require('node:worker_threads')
    const source = `
      const { ParallelEventBus } = require(${JSON.stringify(process.argv[1].replace(/__test__.*/, ''))})
      const bus = new ParallelEventBus({ channel: ${JSON.stringify(channel)} })
      bus.on('work', () => process.exit(3))
      require('node:worker_threads').parentPort.postMessage('ready')`
    const worker = new Worker(source, { eval: true })
    await new Promise((resolve) => worker.once('message', resolve))
    bus.on('other', () => {})
  })
  const { errors } = await bus.emitAndWait('work')
  assert.deepEqual([errors[0].code, errors[0].peer.name], ['ERR_THREAD_EXITED', there.name])
  const [{ threadId, peer }] = await ended
  assert.deepEqual([threadId > 0, peer.name], [true, there.name])
  assert.equal((await bus.emitAndWait('other')).success, 1)
})

test('a bus that is closed in another process is addressed no more', async (t) => {
  const { bus, link, start } = await peers(t)
  const there = await start(({ bus }) => bus.on('x', () => {}))
  assert.equal((await bus.emitAndWait('x')).success, 1)
  await there.run(async ({ bus, link }) => {
    await bus.close()
    await link.synced()
  })
  assert.equal(bus.emit('x'), false)
  assert.equal(link.peers()[0].listeners, 0)
})

test('a link that is closed lets what is under way settle, and is nobody to the others', async (t) => {
  const made = await peers(t)
  const { bus, start } = made
  const there = await start(({ bus, log }) => {
    bus.on('held', () => new Promise((resolve) => log.push(resolve)))
    bus.on('x', () => {})
  })
  const left = once(bus, peerExit)
  const held = bus.emitAndWait('held')
  await there.run(({ log, until }) => until(() => log.length === 1))
  const closing = there.run(({ link }) => link.close())
  await until(() => bus.emit('x') === false, 'its listeners are withdrawn')
  await there.run(({ log }) => log[0]())
  assert.deepEqual(await held, { success: 1, failed: 0, errors: [] })
  assert.deepEqual(await closing, { unsettled: 0 })
  await left
  assert.deepEqual(await there.run(({ link }) => [link.state, link.peers()]), ['closed', []])
})

test('a link is closed in time though something does not settle, and says so', async (t) => {
  const { bus, link, start } = await peers(t)
  await start(doomed)
  const hanging = bus.emitAndWait('hang')
  assert.deepEqual(await link.close({ timeout: 30 }), { unsettled: 1 })
  assert.equal((await hanging).errors[0].code, 'ERR_PEER_GONE')
})

test('processes that come and go are told of by their names', async (t) => {
  const made = await peers(t)
  const { bus } = made
  const news = []
  bus.on(peerJoin, ({ peer }) => void news.push(`${peer.name} has joined`))
  bus.on(peerExit, ({ peer }) => void news.push(`${peer.name} has left`))
  const first = await made.start()
  first.kill()
  await until(() => news.length === 2, 'its end is told of')
  const second = await made.start()
  await second.run(({ link }) => link.close())
  await until(() => news.length === 4, 'its end is told of')
  assert.deepEqual(news, ['there 1 has joined', 'there 1 has left', 'there 2 has joined', 'there 2 has left'])
})

test('a process that was stopped for too long comes back with a new session', {
  skip: CANNOT_BE_STOPPED,
}, async (t) => {
  const { bus, start } = await peers(t, { peerTimeout: 300 })
  const there = await start(({ bus, log }) => bus.on('x', (value) => void log.push(value)), { peerTimeout: 300 })
  const left = once(bus, peerExit)
  there.kill('SIGSTOP')
  await left
  const joined = once(bus, peerJoin)
  there.kill('SIGCONT')
  await joined
  // On busy cores it may be silent for too long once more.
  do {
    await until(() => bus.emit('x', 'again'), 'its listeners are known again')
    await bus.idle()
  } while (!(await there.run(({ log }) => log)).includes('again'))
})
