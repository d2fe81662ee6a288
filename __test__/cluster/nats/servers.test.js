'use strict'

// Servers that are killed, end, hang, come back, and are several. Every event is accounted for.

const assert = require('node:assert/strict')
const { once } = require('node:events')
const { inspect } = require('node:util')
const { deadLetter, linkState, peerExit } = require('../../..')
const { NO_SERVER, Server, natsServer } = require('../../fixtures/nats-server.js')
const { peers } = require('../../fixtures/peers.js')
const { test, until } = require('../../fixtures/stage.js')

const skip = NO_SERVER
const turn = () => new Promise((resolve) => setImmediate(resolve))

/** Emits tasks, each for one of a group, and notes, each for everybody, until it is told to end. */
class Load {
  outcomes = []
  notes = 0
  #isOver = false
  #running

  constructor(bus) {
    this.bus = bus
    this.#running = this.#run()
  }

  async #run() {
    while (!this.#isOver) {
      for (let count = 0; count < 20; count++) {
        this.outcomes.push(this.bus.emitAndWait('task', this.outcomes.length))
        this.bus.emit('note', this.notes++)
      }
      await turn()
      if (this.bus.needsDrain) await this.bus.drained()
    }
  }

  /** Resolves when so many more were emitted. */
  async more(count) {
    const end = this.notes + count
    while (this.notes < end) await turn()
  }

  async end() {
    this.#isOver = true
    await this.#running
    await this.bus.idle()
    return Promise.all(this.outcomes)
  }
}

const working = ({ bus, log }) => {
  log.push([], [])
  bus.on('task', (task) => void log[0].push(task), { group: 'workers' })
  bus.on('note', (note) => void log[1].push(note))
}

/** Asserts that every event has reached its listeners, once, and in order. */
async function assertComplete(load, there) {
  const outcomes = await load.end()
  const failed = outcomes.filter(({ success }) => success !== 1)
  assert.equal(failed.length, 0, inspect(failed[0]))
  const logs = await Promise.all(there.map((peer) => peer.run(({ log }) => log)))
  const tasks = logs.flatMap(([tasks]) => tasks).sort((one, other) => one - other)
  assert.deepEqual(
    tasks,
    Array.from({ length: outcomes.length }, (_, task) => task),
    'each task started once',
  )
  const notes = Array.from({ length: load.notes }, (_, note) => note)
  for (const [, log] of logs) assert.deepEqual(log, notes, 'each note came once, and in order')
  assert.equal(load.bus.getStats().listenersFailed, 0)
}

for (const signal of ['SIGKILL', 'SIGTERM']) {
  test(`a server that ends by ${signal} and comes back under load loses nothing`, { skip }, async (t) => {
    const server = await natsServer(t)
    const { bus, link, start } = await peers(t, { url: server.url })
    const there = [await start(working), await start(working)]
    const states = []
    // Each reason is told beside the state.
    bus.on(linkState, ({ state }) => void (states.at(-1) !== state && states.push(state)))
    const load = new Load(bus)
    for (let run = 1; run <= 3; run++) {
      await load.more(2_000)
      await server.stop(signal)
      await until(() => link.state === 'away', 'the link is away')
      await load.more(500)
      await server.start()
      await until(() => link.state === 'up', 'the link is up')
    }
    await load.more(2_000)
    await assertComplete(load, there)
    assert.deepEqual(states, ['away', 'up', 'away', 'up', 'away', 'up'])
  })
}

test('a link that is away and up again says why', { skip }, async (t) => {
  const server = await natsServer(t)
  const { bus, link } = await peers(t, { url: server.url })
  const changes = []
  bus.on(linkState, (change) => void changes.push(change))
  await server.stop()
  await until(() => changes.length >= 2, 'the reason is told, and that the server cannot be reached')
  assert.deepEqual(
    changes.slice(0, 2).map(({ state, error }) => [state, error.code]),
    [
      ['away', 'ERR_LINK_FAILED'],
      ['away', 'ERR_LINK_REFUSED'],
    ],
  )
  assert.match(changes[1].error.message, new RegExp(`127\\.0\\.0\\.1:${server.port}: connection refused`))
  await server.start()
  await until(() => link.state === 'up', 'the link is up')
  await until(() => changes.at(-1).state === 'up', 'that is told')
  assert.deepEqual([changes.length, changes[2]], [3, { state: 'up' }], 'each reason is told once')
})

test('a server that hangs is not the death of the others', { skip }, async (t) => {
  const server = await natsServer(t)
  const { bus, link, start } = await peers(t, { url: server.url, peerTimeout: 1_000 })
  const there = await start(working, { peerTimeout: 1_000 })
  bus.on(peerExit, () => assert.fail('nobody has died'))
  const load = new Load(bus)
  await load.more(1_000)
  server.signal('SIGSTOP')
  await until(() => link.state === 'away', 'the link is away')
  server.signal('SIGCONT')
  await until(() => link.state === 'up', 'the link is up')
  await load.more(1_000)
  await assertComplete(load, [there])
})

test('a server that stays away for longer than linkTimeout takes the others along', { skip }, async (t) => {
  const server = await natsServer(t)
  const { bus, link, start } = await peers(t, { url: server.url, linkTimeout: 300 })
  await start(({ bus }) => bus.on('x', () => new Promise(() => {})))
  const outcome = bus.emitAndWait('x')
  const left = once(bus, peerExit)
  await server.stop()
  await left
  assert.equal((await outcome).errors[0].code, 'ERR_PEER_GONE')
  assert.deepEqual([link.state, link.peers(), bus.emit('x')], ['away', [], false])
  const error = await link.close({ timeout: 50 })
  assert.deepEqual(error, { unsettled: 0 })
})

test('while the server is away mailboxes are bounded, and timeouts run', { skip }, async (t) => {
  const server = await natsServer(t)
  const { bus, link, start } = await peers(t, { url: server.url })
  const there = await start(async ({ ParallelEventBus, channel, log }) => {
    const small = new ParallelEventBus({ channel, mailbox: { maxMessages: 100 } })
    small.on('x', (number) => void log.push(number))
  })
  await server.stop()
  await until(() => link.state === 'away', 'the link is away')
  const { errors } = await bus.with({ timeout: 20 }).emitAndWait('x', -1)
  assert.equal(errors[0].code, 'ERR_LISTENER_TIMEOUT')
  const lost = []
  bus.on(deadLetter, ({ listeners, error }) => void lost.push([listeners, error.code]))
  for (let number = 0; number < 300; number++) bus.emit('x', { number })
  assert.equal(bus.needsDrain, true)
  await until(() => bus.getStats().listenersFailed > 1, 'the losses are told of')
  await server.start()
  await bus.drained()
  await bus.idle()
  const failed = bus.getStats().listenersFailed
  const done = await there.run(({ log }) => log.filter((number) => number !== -1).length)
  // The event whose time is over counts as one that has failed.
  assert.equal(done + failed - 1, 300)
  assert.ok(lost.every(([, code]) => code === 'ERR_MAILBOX_FULL'))
})

const route = (port) =>
  `cluster { name: c, listen: "127.0.0.1:-1", routes: [${port ? `"nats://127.0.0.1:${port}"` : ''}] }`

test('a server of three that is lost loses nothing', { skip }, async (t) => {
  const first = await natsServer(t, route())
  const others = [await natsServer(t, route(first.clusterPort)), await natsServer(t, route(first.clusterPort))]
  const { bus, link, start } = await peers(t, { url: [first.url, others[0].url] })
  const there = [await start(working, { url: first.url }), await start(working, { url: others[1].url })]
  assert.equal(link.peers().length, 2)
  const load = new Load(bus)
  await load.more(1_000)
  await first.stop()
  await load.more(4_000)
  await assertComplete(load, there)
})

test('processes at a leaf node are peers of those at its hub', { skip }, async (t) => {
  const hub = await natsServer(t, 'leafnodes { listen: "127.0.0.1:-1" }')
  const leaf = new Server(`leafnodes { remotes: [{ url: "nats://127.0.0.1:${hub.leafPort}" }] }`)
  t.after(() => leaf.clear())
  await leaf.start()
  const { bus, start } = await peers(t, { url: hub.url })
  const there = await start(working, { url: leaf.url })
  await until(() => bus.emit('task', 'ready'), 'they have met')
  const { success } = await bus.emitAndWait('note', 1)
  assert.equal(success, 1)
  there.kill()
  const { errors, success: none } = await bus.emitAndWait('note', 2)
  assert.ok(none === 0 && (errors.length === 0 || errors[0].code === 'ERR_PEER_GONE'))
})

test('a consumer that the server finds slow is cut off, and loses nothing', { skip }, async (t) => {
  const server = await natsServer(t, 'write_deadline: "1s"')
  // More than the buffers of the sockets between hold.
  const [count, filler] = [30_000, 'x'.repeat(1_000)]
  const maxUnacknowledged = { bytes: 2 ** 27, messages: 2 ** 20 }
  const options = { url: server.url, peerTimeout: 20_000, maxUnacknowledged }
  const { bus, start } = await peers(t, options)
  const there = await start(({ ParallelEventBus, channel, log }) => {
    const wide = new ParallelEventBus({ channel, mailbox: { maxMessages: 2 ** 20, maxBytes: 2 ** 30 } })
    wide.on('note', ({ note }) => void log.push(note))
  }, options)
  bus.on(peerExit, () => assert.fail('nobody has died'))
  there.kill('SIGSTOP')
  for (let note = 0; note < count; note++) bus.emit('note', { note, filler })
  await until(() => /Slow Consumer/i.test(server.log), 'the server says so')
  there.kill('SIGCONT')
  await bus.idle()
  const log = await there.run(({ log }) => log)
  assert.deepEqual(
    log,
    Array.from({ length: count }, (_, note) => note),
  )
})

test('events are as long as they like, whatever the server takes at once', { skip }, async (t) => {
  const most = 4_096
  const { url } = await natsServer(t, `max_payload: ${most}`)
  const { bus, start } = await peers(t, { url, maxEvent: 100_000 })
  await start(({ bus }) => bus.on('size', ({ length }) => length), { maxEvent: 100_000 })
  const sizes = [0, 1, ...Array.from({ length: 120 }, (_, index) => most - 110 + index), 2 * most, 90_000]
  for (const size of sizes) assert.equal(await bus.request('size', new Uint8Array(size)), size)
  const { errors } = await bus.emitAndWait('size', new Uint8Array(100_001))
  assert.equal(errors[0].code, 'ERR_EVENT_TOO_LARGE')
})

test('a server that takes too little at once is refused, with the numbers', { skip }, async (t) => {
  const { url } = await natsServer(t, 'max_payload: 512')
  await assert.rejects(peers(t, { url }), {
    code: 'ERR_LINK_FAILED',
    message: /max_payload .* 512 bytes, and must be 1104/,
  })
})
