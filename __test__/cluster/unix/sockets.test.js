'use strict'

// Links over Unix sockets or named pipes of Windows: the directory, and the files that are left in it.

const assert = require('node:assert/strict')
const { randomBytes } = require('node:crypto')
const { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } = require('node:fs')
const net = require('node:net')
const os = require('node:os')
const path = require('node:path')
const { Worker } = require('node:worker_threads')
const { connect } = require('../../..')
const { WINDOWS, dial, serve } = require('../../fixtures/entries.js')
const { peers, rejected } = require('../../fixtures/peers.js')
const { test, until } = require('../../fixtures/stage.js')

const PACKAGE = path.join(__dirname, '../../..')

function directory(t) {
  const made = mkdtempSync(path.join(os.tmpdir(), 'peb-'))
  t.after(() => rmSync(made, { recursive: true, force: true }))
  return made
}

/** Permissions of Windows are none that Node can tell or change. */
const OF_WINDOWS = WINDOWS && 'on Windows permissions are inherited'

test('a directory that cannot be made is named, and a link that is refused has no channel', async (t) => {
  const own = directory(t)
  writeFileSync(path.join(own, 'file'), '')
  const below = path.join(own, 'file', 'below')
  const error = await rejected(connect(`unix:${below}`, { channels: ['orders'] }), 'ERR_LINK_FAILED')
  assert.match(error.message, /cannot make the directory .*below/)
  const link = await connect(`unix:${path.join(own, 'new')}`, { channels: ['orders'] })
  await link.close()
})

test('a directory is for its owner, and one for everybody is refused', { skip: OF_WINDOWS }, async (t) => {
  const own = directory(t)
  const [made, open] = [path.join(own, 'made'), path.join(own, 'open')]
  mkdirSync(open)
  chmodSync(open, 0o777)
  const error = await rejected(connect(`unix:${open}`, { channels: ['orders'] }), 'ERR_LINK_FAILED')
  assert.match(error.message, /everybody may write into .*open \(mode 777\).*chmod o-w/)
  const link = await connect(`unix:${made}`, { channels: ['orders'] })
  assert.equal(statSync(made).mode & 0o777, 0o700)
  assert.equal(statSync(path.join(made, readdirSync(made)[0])).mode & 0o777, 0o600)
  await link.close()
})

test('a path that is too long for a socket is refused', { skip: WINDOWS && 'pipes are elsewhere' }, async () => {
  const url = `unix:/${'x'.repeat(200)}`
  const error = await rejected(connect(url, { channels: ['orders'] }), 'ERR_INVALID_ARG_VALUE')
  assert.match(error.message, /a directory of sockets may have \d+/)
})

test('a directory may be written as the path of a URL', async (t) => {
  const made = await peers(t)
  const pathname = path.posix.join('/', made.directory.replaceAll('\\', '/'))
  const there = await made.start(() => {}, { url: `unix://${pathname}` })
  assert.deepEqual(
    made.link.peers().map(({ name }) => name),
    [there.name],
  )
})

test('sockets of processes that were killed are swept', async (t) => {
  const made = await peers(t)
  const there = await made.start()
  there.kill()
  await there.exited
  assert.equal(made.entries.length, 2)
  await made.start()
  assert.equal(made.entries.length, 2)
})

test('a link of a thread ends with the thread', async (t) => {
  const made = await peers(t)
  const source = `
    const { parentPort } = require('node:worker_threads')
    const { connect } = require(${JSON.stringify(PACKAGE)})
    connect(${JSON.stringify(made.url)}, { channels: ['of a thread'] }).then(() => parentPort.postMessage('up'))
    parentPort.on('message', () => {})`
  const worker = new Worker(source, { eval: true })
  await new Promise((resolve) => worker.once('message', resolve))
  assert.equal(readdirSync(made.directory).length, 2)
  await worker.terminate()
  await until(() => readdirSync(made.directory).length === 1, 'its socket is gone')
  const link = await connect(made.url, { channels: ['of a thread'] })
  await link.close()
})

test('a message that is too long ends the connection, and does no harm', async (t) => {
  const made = await peers(t)
  const large = dial(path.join(made.directory, made.entries[0]))
  large.on('error', () => {}).resume()
  large.write(Buffer.from([0, 0, 0, 64]))
  await new Promise((resolve) => large.on('close', resolve))
  await made.start(({ bus }) => bus.on('x', () => {}))
  assert.equal((await made.bus.emitAndWait('x')).success, 1)
})

test('a link that is closed takes its socket along', async (t) => {
  const made = await peers(t)
  const there = await made.start()
  assert.deepEqual(await there.run(({ link }) => link.close()), { unsettled: 0 })
  assert.equal(made.entries.length, 1)
})

test('a process that was stopped when others came is found when it goes on', async (t) => {
  const made = directory(t)
  const greetings = []
  const server = net.createServer((socket) => {
    socket.on('error', () => {}).once('data', () => greetings.push(socket))
  })
  t.after(() => server.close())
  await serve(server, path.join(made, `${randomBytes(16).toString('hex')}.peb`))
  const link = await connect(`unix:${made}`, { channels: ['stopped'] })
  await link.synced()
  await until(() => greetings.length === 2, 'it is connected to again')
  for (const socket of greetings) socket.destroy()
  await link.close()
})
