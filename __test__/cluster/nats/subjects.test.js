'use strict'

// The names of subjects, of any kind, and messages of programs that are no peers.

const assert = require('node:assert/strict')
const { randomBytes, randomInt } = require('node:crypto')
const { ParallelEventBus, peerExit } = require('../../..')
const { NatsClient } = require('../../fixtures/nats-client.js')
const { NO_SERVER, natsServer } = require('../../fixtures/nats-server.js')
const { OVER_NATS, peers } = require('../../fixtures/peers.js')
const { test, until } = require('../../fixtures/stage.js')

const skip = NO_SERVER || (!OVER_NATS && 'the link is another one')

test('channels and spaces have names of any kind', { skip }, async (t) => {
  const names = ['with space', 'a.b', '*', '>', '$SYS', '💥', '=', 'é', 'x'.repeat(1_000), `${'x'.repeat(999)}y`, 'all']
  const channels = names.map((name) => `${name} ${process.pid}`.slice(-1_000))
  const server = await natsServer(t)
  const watching = await NatsClient.connect(server.port)
  t.after(() => watching.close())
  watching.subscribe('>')
  const options = { url: server.url, space: 'a space.*.>' }
  const { link, start } = await peers(t, { ...options, channels })
  await start(
    ({ ParallelEventBus, channels }) => {
      for (const channel of channels) new ParallelEventBus({ channel }).on('name', () => channel)
    },
    { ...options, channels },
  )
  await link.synced()
  for (const channel of channels) {
    const bus = new ParallelEventBus({ channel })
    t.after(() => bus.close())
    assert.equal(await bus.request('name'), channel)
  }
  const subjects = new Set(watching.messages.map(({ subject }) => subject))
  for (const subject of subjects)
    assert.match(
      subject,
      /^peb1\.a=20space=2E=2A=2E=3E\.[A-Za-z0-9_=-]{1,96}\.(all|to\.[0-9a-f]{32}(\.[0-9a-f]{32})?)$/,
    )
  const broadcast = Array.from(subjects).filter((subject) => subject.endsWith('.all'))
  assert.equal(broadcast.length, channels.length, 'each channel has a subject of its own')
})

test('messages that were changed, cut or made up do no harm to those who hear them', { skip }, async (t) => {
  const { bus, channel, server, start } = await peers(t)
  const hostile = await NatsClient.connect(server.port)
  t.after(() => hostile.close())
  hostile.subscribe(`peb1.default.${channel}.>`)
  await hostile.flush()
  await start(({ bus }) => bus.on('echo', (value) => value))
  for (let number = 0; number < 50; number++) assert.equal(await bus.request('echo', number), number)
  await until(() => hostile.messages.length > 100, 'there is something to be changed')
  const heard = hostile.messages.filter(({ data }) => data.length > 0)
  for (let number = 0; number < 5_000; number++) {
    const { subject, data } = heard[randomInt(heard.length)]
    const changed = Buffer.from(data)
    if (number % 3 === 0) hostile.publish(subject, changed.subarray(0, randomInt(changed.length)))
    else if (number % 3 === 1)
      hostile.publish(subject, Buffer.concat([changed.subarray(0, 22), randomBytes(randomInt(300))]))
    else {
      // Behind the name of its sender: with another name it is a message of an unknown process.
      for (let count = 0; count < 3; count++) changed[22 + randomInt(Math.max(1, changed.length - 22))] = randomInt(256)
      hostile.publish(subject, changed)
    }
  }
  await hostile.flush()
  // A peer may be taken for one that talks nonsense, and comes back. A message that was made up may have come in the place of
  // the one with the request, or with its reply.
  const limited = bus.with({ timeout: 2_000 })
  let answered
  while (answered !== 'still there') {
    answered = await limited.request('echo', 'still there').catch(() => {})
    await new Promise((resolve) => setImmediate(resolve))
  }
})

test('a process of another minor version is a peer', { skip }, async (t) => {
  const { channel, link, server, start } = await peers(t)
  const older = await NatsClient.connect(server.port)
  t.after(() => older.close())
  older.subscribe(`peb1.default.${channel}.>`)
  await older.flush()
  const there = await start()
  await until(() => older.messages.length > 0, 'a greeting was heard')
  const { data } = older.messages.find(({ data }) => data[5] === 1)
  // Its minor version, and another name.
  const hello = Buffer.from(data)
  hello[4] = 9
  hello.fill(7, 6, 22)
  older.publish(`peb1.default.${channel}.all`, hello)
  const asked = `peb1.default.${channel}.to.${'07'.repeat(16)}`
  await until(() => older.messages.some(({ subject }) => subject === asked), 'it is greeted')
  assert.deepEqual(
    link.peers().map(({ name }) => name),
    [there.name],
  )
})

test('a process that is killed is gone as soon as the server knows', { skip }, async (t) => {
  const options = { peerTimeout: 3_600_000 }
  const { bus, start } = await peers(t, options)
  const there = await start(({ bus }) => bus.on('hang', () => new Promise(() => {})), options)
  const left = new Promise((resolve) => bus.once(peerExit, resolve))
  const hanging = bus.emitAndWait('hang')
  there.kill()
  const { peer } = await left
  assert.equal(peer.name, there.name)
  assert.equal((await hanging).errors[0].code, 'ERR_PEER_GONE')
})

test('spaces on the same server are apart, also when their names are long', { skip }, async (t) => {
  const long = 'x'.repeat(500)
  const { bus, start } = await peers(t, { space: `${long}1` })
  await start(({ bus }) => bus.on('x', () => {}), { space: `${long}2` })
  assert.equal(bus.emit('x'), false)
})
