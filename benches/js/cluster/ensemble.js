'use strict'

// The processes of a row, the server between them, and this process's end of each link.

const { fork, spawn } = require('node:child_process')
const { once } = require('node:events')
const { existsSync, mkdtempSync, readFileSync, rmSync } = require('node:fs')
const os = require('node:os')
const path = require('node:path')
const { setTimeout: wait } = require('node:timers/promises')
const { ParallelEventBus, connect } = require('@cynic/parallel-event-bus')
const { connect: connectByHand, createInbox } = require('@nats-io/transport-node')
const { server } = require('../../../scripts/cluster/servers.js')

const PROCESS = require.resolve('./process.js')
const POLL_MS = 10

/** Returns the binary of the newest server that can be had. */
function binary() {
  const found = [server('newest'), server('oldest')]
  const { binary } = found.find(({ missing }) => missing === undefined) ?? {}
  if (binary === undefined) throw new Error(found.map(({ missing }) => missing).join('; '))
  return binary
}

/** Starts a server on a free port, in this folder. Returns its process and its URL. */
async function startServer(folder) {
  const program = binary()
  const child = spawn(program, ['-a', '127.0.0.1', '-p', '-1', '--ports_file_dir', folder], { stdio: 'ignore' })
  process.once('exit', () => child.kill())
  const file = path.join(folder, `${path.basename(program)}_${child.pid}.ports`)
  while (!existsSync(file) || !readFileSync(file, 'utf8').trimEnd().endsWith('}')) await wait(POLL_MS)
  return { child, url: JSON.parse(readFileSync(file, 'utf8')).nats[0] }
}

/** Calls `measure` with this many other processes, which end after it. */
async function withEnsemble(count, measure) {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'peb-bench-'))
  const { child, url } = await startServer(folder)
  const urls = { nats: url, unix: `unix:${path.join(folder, 'sockets')}` }
  const [channel, subject] = [`bench-${process.pid}`, `bench.${process.pid}`]
  const others = Array.from({ length: count }, () => fork(PROCESS, [JSON.stringify({ urls, channel, subject })]))
  const links = []
  const ensemble = { children: others, subject }
  try {
    await Promise.all(others.map((other) => once(other, 'message')))
    for (const [name, at] of Object.entries(urls)) {
      const link = await connect(at, { channels: [`${channel}-${name}`] })
      links.push(link)
      ensemble[name] = new ParallelEventBus({ channel: `${channel}-${name}` })
      await link.synced()
      if (link.peers().length !== count) throw new Error(`${link.peers().length} of ${count} processes were met`)
    }
    ensemble.client = await connectByHand({ servers: url })
    ensemble.replies = repliesOf(ensemble.client)
    return await measure(ensemble)
  } finally {
    for (const link of links) await link.close()
    await ensemble.client?.close()
    for (const other of others) other.kill()
    child.kill()
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Returns a function that publishes an event, and resolves when so many have replied: as it is done by hand. */
function repliesOf(client) {
  const inbox = createInbox()
  const waiting = new Map()
  let last = 0
  client.subscribe(`${inbox}.*`, {
    callback(_, { subject }) {
      const id = subject.slice(inbox.length + 1)
      const about = waiting.get(id)
      if (--about.missing > 0) return
      waiting.delete(id)
      about.resolve()
    },
  })
  return (subject, value, count) =>
    new Promise((resolve) => {
      const id = String(++last)
      waiting.set(id, { missing: count, resolve })
      client.publish(subject, JSON.stringify(value), { reply: `${inbox}.${id}` })
    })
}

module.exports = { withEnsemble }
