'use strict'

// `connect`: the options that it takes, those that it refuses, and the files that it leaves in the directory.

const assert = require('node:assert/strict')
const { execFile } = require('node:child_process')
const { randomBytes } = require('node:crypto')
const { once } = require('node:events')

const path = require('node:path')
const { promisify } = require('node:util')

const { connect, linkState } = require('../..')
const { peers, rejected } = require('../fixtures/peers.js')
const { test, until } = require('../fixtures/stage.js')

const PACKAGE = path.join(__dirname, '../..')

test('arguments that make no sense are refused, with the way out', async () => {
  const url = 'unix:/nowhere'
  const channels = ['orders']
  const cases = [
    [[], 'ERR_INVALID_ARG_TYPE', /"url" argument must be of type string/],
    [['/run/app', { channels }], 'ERR_INVALID_ARG_VALUE', /'unix:' and a directory/],
    [['redis://user:secret@host', { channels }], 'ERR_INVALID_ARG_VALUE', /begins with 'redis:'/],
    [['unix:run/app', { channels }], 'ERR_INVALID_ARG_VALUE', /absolute path/],
    [[url], 'ERR_INVALID_ARG_TYPE', /"options" argument/],
    [[url, {}], 'ERR_INVALID_ARG_TYPE', /"options.channels" property must be an instance of Array/],
    [[url, { channels: [] }], 'ERR_INVALID_ARG_VALUE', /must name a channel/],
    [[url, { channels: [''] }], 'ERR_INVALID_ARG_VALUE', /'options.channels\[0\]' must not be empty/],
    [[url, { channels: [1] }], 'ERR_INVALID_ARG_TYPE', /options.channels\[0\]/],
    [[url, { chanels: channels }], 'ERR_INVALID_ARG_VALUE', /Did you mean 'channels'\?/],
    [[url, { channels, peerTimeout: 0 }], 'ERR_OUT_OF_RANGE', /options.peerTimeout/],
    [[url, { channels, space: '' }], 'ERR_INVALID_ARG_VALUE', /options.space/],
    [[url, { channels, maxUnacknowledged: { byte: 1 } }], 'ERR_INVALID_ARG_VALUE', /Did you mean 'bytes'\?/],
    [[url, { channels, maxEvent: 2 ** 40 }], 'ERR_OUT_OF_RANGE', /options.maxEvent/],
    [[[], { channels }], 'ERR_INVALID_ARG_VALUE', /must name a server/],
    [[[url, url], { channels }], 'ERR_INVALID_ARG_VALUE', /one directory, or servers only/],
    [[url, { channels, token: 'secret' }], 'ERR_INVALID_ARG_VALUE', /'options.token' is for servers/],
    [['nats:/secret', { channels }], 'ERR_INVALID_ARG_VALUE', /must have a host/],
    [['nats://host/secret', { channels }], 'ERR_INVALID_ARG_VALUE', /must have a host/],
    [['nats://secret%@host', { channels }], 'ERR_INVALID_ARG_VALUE', /%25/],
    [['nats://u:secret@host', { channels, token: 'secret' }], 'ERR_INVALID_ARG_VALUE', /beside options.token/],
    [[['nats://u:secret@a', 'nats://b'], { channels }], 'ERR_INVALID_ARG_VALUE', /one user or token in all/],
    [['nats://a', { channels, token: 'secret', nkey: 'secret' }], 'ERR_INVALID_ARG_VALUE', /beside options.token/],
    [['nats://a', { channels, user: 'secret' }], 'ERR_INVALID_ARG_VALUE', /'options.pass' must be given/],
    [['nats://a', { channels, pass: Buffer.from('secret') }], 'ERR_INVALID_ARG_TYPE', /options.pass/],
    [['nats://a', { channels, credentials: 'secret' }], 'ERR_INVALID_ARG_VALUE', /absolute path of a file/],
    [['nats://a', { channels, tls: { cert: '/a' } }], 'ERR_INVALID_ARG_VALUE', /'options.tls.key' must be given/],
    [['nats://a', { channels, tls: { cA: '/a' } }], 'ERR_INVALID_ARG_VALUE', /Did you mean 'ca'\?/],
  ]
  for (const [args, code, message] of cases) {
    const error = await rejected(connect(...args), code)
    assert.match(error.message, message)
    assert.doesNotMatch(error.message, /secret/)
  }
})

test('a link that is refused has its channels no longer when that is known', async () => {
  for (let count = 0; count < 300; count++) {
    await rejected(connect(`unix:${__filename}/below`, { channels: ['refused'] }), 'ERR_LINK_FAILED')
  }
})

test('a channel has one link, until that is closed', async (t) => {
  const { channel, link, url } = await peers(t)
  const error = await rejected(connect(url, { channels: ['other', channel] }), 'ERR_CHANNEL_LINKED')
  assert.match(error.message, new RegExp(`'${channel}'`))
  await link.close()
  const again = await connect(url, { channels: [channel] })
  await again.close()
})

test('a link goes through its states, and buses hear of them', async (t) => {
  const { bus, link } = await peers(t)
  const states = []
  bus.on(linkState, ({ state }) => void states.push(state))
  assert.deepEqual([link.state, link.peers()], ['up', []])
  await link.synced()
  const closing = link.close()
  const again = link.close({ timeout: 5 })
  assert.deepEqual(await Promise.all([closing, again]), [{ unsettled: 0 }, { unsettled: 0 }])
  assert.equal(link.state, 'closed')
  await until(() => states.length === 2, 'both are told of')
  assert.deepEqual(states, ['closing', 'closed'])
  await rejected(link.synced(), 'ERR_LINK_CLOSED')
  assert.deepEqual(await link.close(), { unsettled: 0 })
  await assert.rejects(link.close({ timeouts: 1 }), { code: 'ERR_INVALID_ARG_VALUE' })
})

test('other spaces and other channels are apart', async (t) => {
  const { bus, link, start } = await peers(t, { space: 'one' })
  const listening = ({ bus }) => bus.on('x', () => {})
  await start(listening, { space: 'two' })
  await start(listening, { space: 'one', channels: ['another'] })
  assert.equal(bus.emit('x'), false)
  await start(listening, { space: 'one' })
  assert.equal((await bus.emitAndWait('x')).success, 1)
  for (const { version, state } of link.peers()) assert.deepEqual([version, state], ['1.0', 'joined'])
  const names = link.peers().map(({ name }) => name)
  // Processes that share a directory, but no channel, may know each other.
  assert.deepEqual([names.includes('there 1'), names.includes('there 3')], [false, true])
})

test('a process of another major version is no peer, and warned of once', async (t) => {
  const made = await peers(t)
  const warned = once(process, 'warning')
  const hello = Buffer.concat([Buffer.from('PEB'), Buffer.from([99, 0, 1]), Buffer.alloc(16, 7), Buffer.alloc(40)])
  const end = await made.speak([hello, hello])
  const [warning] = await warned
  assert.equal(warning.code, 'ERR_PEER_VERSION')
  assert.match(warning.message, /version 99 of the protocol, and this one 1/)
  assert.deepEqual(made.link.peers(), [])
  end()
})

test('nonsense does no harm', async (t) => {
  const made = await peers(t)
  const end = await made.speak(Array.from({ length: 50 }, (_, size) => randomBytes(size * 20)))
  const there = await made.start(({ bus }) => bus.on('x', () => {}))
  assert.equal((await made.bus.emitAndWait('x')).success, 1)
  assert.deepEqual(
    made.link.peers().map(({ name }) => name),
    [there.name],
  )
  end()
})

test('names of any kind go to other processes as they are', async (t) => {
  const names = ['with space', 'a.b.*.>', '💥', '\ud800', '', 'x'.repeat(1000), 'constructor']
  const { bus, start } = await peers(t)
  const there = await start(({ bus, log }) => {
    for (const name of ['with space', 'a.b.*.>', '💥', '\ud800', '', 'x'.repeat(1000), 'constructor']) {
      bus.on(name, () => void log.push(name))
    }
  })
  for (const name of names) assert.equal((await bus.emitAndWait(name)).success, 1, name)
  assert.deepEqual(await there.run(({ log }) => log), names)
})

test('twenty processes that join at once know each other', async (t) => {
  const made = await peers(t)
  const all = Array.from({ length: 20 }, () => made.launch(({ bus }) => bus.on('x', () => {})))
  await Promise.all(all.map(({ ready }) => ready))
  await made.link.synced()
  assert.equal((await made.bus.emitAndWait('x')).success, 20)
})

test('a link lets its process end, and ends with it', async (t) => {
  const { url } = await peers(t)
  const source = `
    const { ParallelEventBus, connect } = require(${JSON.stringify(PACKAGE)})
    connect(${JSON.stringify(url)}, { channels: ['orders'] }).then(async (link) => {
      const bus = new ParallelEventBus({ channel: 'orders' })
      bus.on('x', () => {})
      await link.synced()
      console.log(link.ref() === link, link.unref() === link)
    })`
  const { stdout } = await promisify(execFile)(process.execPath, ['-e', source])
  assert.equal(stdout, 'true true\n')
})

test('buses of every thread of a process are linked', async (t) => {
  const { bus, link, start } = await peers(t)
  const there = await start(({ bus }) => bus.on('echo', (value) => value))
  const pool = await bus.spawn(require.resolve('../fixtures/cluster-pool.js'), { threads: 2 })
  t.after(() => pool.close())
  await link.synced()
  const values = await there.run(({ bus }) => Promise.all([1, 2, 3, 4].map((value) => bus.request('work', value))))
  assert.deepEqual(values, [2, 3, 4, 5])
})

test('an ES module imports connect by its name', async () => {
  const module = await import('../../index.js')
  assert.equal(module.connect, connect)
  assert.equal(module.peerJoin, Symbol.for('@cynic/parallel-event-bus.peerJoin'))
})
