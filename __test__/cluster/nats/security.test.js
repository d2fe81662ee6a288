'use strict'

// The clients that may connect, the servers that they trust, and the errors of a refusal. No message has a secret.

const assert = require('node:assert/strict')
const { execFileSync } = require('node:child_process')
const { once } = require('node:events')
const { mkdtempSync, rmSync, writeFileSync } = require('node:fs')
const net = require('node:net')
const os = require('node:os')
const path = require('node:path')
const { inspect } = require('node:util')
const { connect, linkState } = require('../../..')
const { NO_SERVER, natsServer } = require('../../fixtures/nats-server.js')
const { newKey, operator } = require('../../fixtures/nkeys.js')
const { peers, rejected } = require('../../fixtures/peers.js')
const { test, until } = require('../../fixtures/stage.js')

const skip = NO_SERVER
const CHANNEL = 'orders'
const SECRET = 's3cr3t'

function folder(t) {
  const made = mkdtempSync(path.join(os.tmpdir(), 'peb-'))
  t.after(() => rmSync(made, { recursive: true, force: true }))
  return made
}

/** Asserts that a link is refused with this code, and that the words have no secret. */
async function refused(url, options, code, words, ...secrets) {
  const error = await rejected(connect(url, { channels: [CHANNEL], ...options }), code)
  assert.match(error.message, words)
  for (const secret of [SECRET, ...secrets]) assert.ok(!inspect(error, { depth: 9 }).includes(secret))
}

async function accepted(url, options) {
  const link = await connect(url, { channels: [CHANNEL], ...options })
  const shown = inspect(link, { depth: 9, showHidden: true })
  assert.ok(!shown.includes(SECRET))
  assert.equal(link.state, 'up')
  await link.close()
}

test('a host without an address, and one where nothing listens, are named at once', { skip }, async () => {
  await refused('nats://nowhere.invalid', {}, 'ERR_LINK_HOST_UNKNOWN', /nowhere\.invalid:4222: .*cannot be resolved/)
  const listening = net.createServer().listen(0, '127.0.0.1')
  await once(listening, 'listening')
  const { port } = listening.address()
  await new Promise((resolve) => listening.close(resolve))
  const at = `127.0.0.1:${port}`
  await refused(`nats://u:${SECRET}@${at}`, {}, 'ERR_LINK_REFUSED', new RegExp(`^${at}: connection refused`))
  await refused([`nats://${at}`, 'nats://nowhere.invalid'], {}, 'ERR_LINK_REFUSED', /refused.*; nowhere\.invalid/)
})

test('a token proves who connects', { skip }, async (t) => {
  const { port, url } = await natsServer(t, `authorization { token: ${SECRET} }`)
  await accepted(url, { token: SECRET })
  await accepted(`nats://${SECRET}@127.0.0.1:${port}`)
  await refused(url, { token: `${SECRET}!` }, 'ERR_LINK_UNAUTHORIZED', /does not accept the token/)
  await refused(url, {}, 'ERR_LINK_UNAUTHORIZED', /wants to know who connects, by token/)
})

test('a user and a password prove who connects', { skip }, async (t) => {
  const { port, url } = await natsServer(t, `authorization { user: ann, password: "${SECRET}%" }`)
  await accepted(url, { user: 'ann', pass: `${SECRET}%` })
  await accepted(`nats://ann:${SECRET}%25@127.0.0.1:${port}`)
  await refused(url, { user: 'ann', pass: SECRET }, 'ERR_LINK_UNAUTHORIZED', /does not accept user and pass/)
})

test('an nkey proves who connects', { skip }, async (t) => {
  const [key, other] = [newKey('user'), newKey('user')]
  const { url } = await natsServer(t, `authorization { users: [{ nkey: ${key.public} }] }`)
  await accepted(url, { nkey: key.seed })
  await refused(url, { nkey: other.seed }, 'ERR_LINK_UNAUTHORIZED', /does not accept the nkey/, other.seed)
  await refused(url, { nkey: SECRET }, 'ERR_LINK_UNAUTHORIZED', /or it is no seed/)
})

test('credentials prove who connects, and are read anew for each connection', { skip }, async (t) => {
  const [own, other] = [operator(), operator()]
  const file = path.join(folder(t), 'user.creds')
  const server = await natsServer(t, own.config)
  const options = { credentials: file }
  await refused(server.url, options, 'ERR_LINK_FILE', /options\.credentials, .*user\.creds, cannot be read/)
  writeFileSync(file, SECRET)
  await refused(server.url, options, 'ERR_LINK_FILE', /user\.creds, has no JWT/)
  writeFileSync(file, other.credentials)
  await refused(
    server.url,
    options,
    'ERR_LINK_UNAUTHORIZED',
    /does not accept the credentials/,
    other.credentials.slice(60, 90),
  )
  writeFileSync(file, own.credentials)
  const { bus, link } = await peers(t, { url: server.url, ...options })
  const errors = []
  bus.on(linkState, ({ error }) => void errors.push(error?.code))
  await server.stop()
  server.configure(other.config)
  await server.start()
  await until(() => errors.includes('ERR_LINK_UNAUTHORIZED'), 'the refusal is told of')
  assert.equal(link.state, 'away')
  writeFileSync(file, other.credentials)
  await until(() => link.state === 'up', 'the new credentials are read')
})

/** Makes certificates: of an authority, of a server for a host name, and of a client. */
function certificates(t) {
  const made = folder(t)
  const openssl = (...args) => execFileSync('openssl', args, { cwd: made, stdio: 'ignore' })
  const authority = (name) => {
    const subject = ['-subj', `/CN=${name}`, '-keyout', `${name}.key`, '-out', `${name}.pem`]
    openssl('req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2', ...subject)
  }
  const certificate = (name, altName) => {
    writeFileSync(path.join(made, `${name}.ext`), `subjectAltName=${altName}\n`)
    const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', `${name}.key`]
    openssl('req', '-new', ...key, '-subj', `/CN=${name}`, '-out', `${name}.csr`)
    const of = ['-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial', '-extfile', `${name}.ext`]
    openssl('x509', '-req', '-in', `${name}.csr`, ...of, '-days', '2', '-out', `${name}.pem`)
  }
  authority('ca')
  authority('other')
  certificate('server', 'IP:127.0.0.1')
  certificate('elsewhere', 'DNS:elsewhere.example')
  certificate('client', 'DNS:client')
  return (name) => path.join(made, name)
}

test('a server proves who it is, and wants the same of clients where it says so', { skip }, async (t) => {
  const file = certificates(t)
  const config = (name, verify) => `
    tls { cert_file: "${file(`${name}.pem`)}", key_file: "${file(`${name}.key`)}", ca_file: "${file('ca.pem')}", verify: ${verify} }`
  const [ca, cert, key] = ['ca.pem', 'client.pem', 'client.key'].map(file)
  const plain = await natsServer(t, config('server', false))
  const secure = plain.url.replace('nats:', 'tls:')
  await accepted(secure, { tls: { ca } })
  await accepted(plain.url, { tls: { ca } })
  await refused(secure, {}, 'ERR_LINK_TLS', /unknown issuer: name its CA as options\.tls\.ca/)
  await refused(secure, { tls: { ca: file('other.pem') } }, 'ERR_LINK_TLS', /unknown issuer/)
  await refused(
    secure,
    { tls: { ca: file('none.pem') } },
    'ERR_LINK_FILE',
    /options\.tls\.ca, .*none\.pem, cannot be read/,
  )
  const mutual = await natsServer(t, config('server', true))
  await accepted(mutual.url, { tls: { ca, cert, key } })
  await refused(mutual.url, { tls: { ca } }, 'ERR_LINK_TLS', /options\.tls\.cert/)
  const elsewhere = await natsServer(t, config('elsewhere', false))
  await refused(elsewhere.url, { tls: { ca } }, 'ERR_LINK_TLS', /another host name/)
})

test('TLS that is wanted of a server that has none is missed', { skip }, async (t) => {
  const { url } = await natsServer(t)
  const error = await connect(url.replace('nats:', 'tls:'), { channels: [CHANNEL] }).catch((error) => error)
  assert.match(error.code, /^ERR_LINK_/)
})

test('a subject that is not allowed is named, whether it is heard or sent to', { skip }, async (t) => {
  const users = (permissions) =>
    `authorization { users: [{ user: ann, password: ${SECRET}, permissions: ${permissions} }] }`
  const who = { user: 'ann', pass: SECRET, space: 'prod' }
  const deaf = await natsServer(t, users('{ publish: ">", subscribe: ["peb1.prod.orders.to.>"] }'))
  await refused(deaf.url, who, 'ERR_LINK_FORBIDDEN', /to subscribe to the subject peb1\.prod\.orders\.all/)
  const mute = await natsServer(t, users('{ publish: ["peb1.prod.orders.to.>"], subscribe: ">" }'))
  await refused(mute.url, who, 'ERR_LINK_FORBIDDEN', /to publish on the subject peb1\.prod\.orders\.all/)
  const enough = await natsServer(t, users('{ publish: ["peb1.prod.orders.>"], subscribe: ["peb1.prod.orders.>"] }'))
  await accepted(enough.url, who)
  await refused(enough.url, { ...who, space: 'test' }, 'ERR_LINK_FORBIDDEN', /peb1\.test\.orders/)
})

test('a subject that is not allowed any more is told of, once', { skip }, async (t) => {
  const config = (allowed) =>
    `authorization { users: [{ user: ann, password: ${SECRET}, permissions: { publish: "${allowed}", subscribe: ">" } }] }`
  const server = await natsServer(t, config('>'))
  const { bus } = await peers(t, { url: server.url, user: 'ann', pass: SECRET, peerTimeout: 300 })
  const changes = []
  bus.on(linkState, (change) => void changes.push(change))
  server.configure(config('none'))
  server.signal('SIGHUP')
  await until(() => changes.some(({ error }) => error?.code === 'ERR_LINK_FORBIDDEN'), 'it is told of')
  const { error } = changes.find(({ error }) => error?.code === 'ERR_LINK_FORBIDDEN')
  assert.match(error.message, /to publish on the subject peb1\.default\./)
  assert.ok(!inspect(changes, { depth: 9 }).includes(SECRET))
})
