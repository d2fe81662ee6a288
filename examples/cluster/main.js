'use strict'

// npm run demo:cluster [-- nats://host:port]
//
// The SHA-256 of the files of this project: here alone; by processes over a Unix socket; and by processes over a NATS
// server, as they could be on two machines. One of the processes is killed in the middle. The digests are the same, and
// every request is accounted for. Without a URL a server of the tests is started, if they have fetched one.

const { fork } = require('node:child_process')
const { once } = require('node:events')
const { mkdtempSync, readdirSync, rmSync } = require('node:fs')
const os = require('node:os')
const path = require('node:path')
const { ParallelEventBus, connect } = require('@cynic/parallel-event-bus')
const { digestOf } = require('./digest.js')
const { withServer } = require('./server.js')

const FOLDER = path.join(__dirname, '../../lib')
const WORKER = require.resolve('./worker.js')
const WORKERS = 2
/** Requests in all: the files are gone through again and again. */
const REQUESTS = 4_000
const IN_FLIGHT = 100

function filesOf(folder) {
  const entries = readdirSync(folder, { withFileTypes: true, recursive: true })
  return entries
    .filter((entry) => entry.isFile())
    .map(({ parentPath, path: old, name }) => path.join(parentPath ?? old, name))
}

/** Shares the requests among processes, and kills one in the middle. Resolves to the digests, by file, and the account. */
async function share(url, files) {
  const channel = `digests ${process.pid}`
  const link = await connect(url, { channels: [channel], name: 'main' })
  // The requests reject with the error that the handler is told.
  const bus = new ParallelEventBus({ channel, onError() {} })
  const workers = Array.from({ length: WORKERS }, (_, number) => fork(WORKER, [url, channel, `machine ${number + 1}`]))
  await Promise.all(workers.map((worker) => once(worker, 'message')))
  await link.synced()
  const digests = new Map()
  const account = { requests: 0, digested: 0, gone: 0, byWorker: {} }
  let next = 0
  const runner = async () => {
    while (next < REQUESTS) {
      const file = files[next++ % files.length]
      if (next === REQUESTS / 2) workers[0].kill('SIGKILL')
      await digest(file)
    }
  }
  /** A digest may be computed twice, so a request whose process has died is made again. That is not for the bus to say. */
  const digest = async (file) => {
    account.requests++
    try {
      const { digest, by } = await bus.request('digest', file)
      account.digested++
      account.byWorker[by] = (account.byWorker[by] ?? 0) + 1
      digests.set(file, digest)
    } catch (error) {
      if (error.code !== 'ERR_PEER_GONE') throw error
      account.gone++
      await digest(file)
    }
  }
  await Promise.all(Array.from({ length: IN_FLIGHT }, runner))
  const { unsettled } = await link.close()
  for (const worker of workers) worker.kill()
  await bus.close()
  return { digests, account: { ...account, unsettled } }
}

function assertSame(expected, digests) {
  for (const [file, digest] of expected) {
    if (digests.get(file) !== digest) throw new Error(`another digest of ${file}`)
  }
}

function told(title, { requests, digested, gone, unsettled, byWorker }) {
  const shares = Object.entries(byWorker).map(([name, count]) => `${name} ${count}`)
  return `${title}: ${requests} requests = ${digested} digests + ${gone} whose process had died; ${unsettled} unsettled; ${shares.join(', ')}`
}

/** Calls `print` with each line of the report. */
async function main(url, print = console.log) {
  const files = filesOf(FOLDER)
  const expected = new Map(files.map((file) => [file, digestOf(file)]))
  print(`${files.length} files, ${REQUESTS} requests`)
  const directory = mkdtempSync(path.join(os.tmpdir(), 'peb-demo-'))
  try {
    const over = await share(`unix:${directory}`, files)
    assertSame(expected, over.digests)
    print(told('over a Unix socket, machine 1 killed in the middle', over.account))
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
  await withServer(url, async (at, missing) => {
    if (at === undefined) return print(`over NATS: left out, ${missing}`)
    const over = await share(at, files)
    assertSame(expected, over.digests)
    print(told('over NATS, machine 1 killed in the middle', over.account))
  })
  print('the digests are the same')
}

module.exports = { main }

if (require.main === module) main(process.argv[2])
