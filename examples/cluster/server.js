'use strict'

// A NATS server for as long as something runs.

const { spawn } = require('node:child_process')
const { existsSync, mkdtempSync, readFileSync, rmSync } = require('node:fs')
const os = require('node:os')
const path = require('node:path')
const { setTimeout: wait } = require('node:timers/promises')
const { fetched } = require('../../scripts/cluster/servers.js')

const POLL_MS = 10

/** Calls `run` with the URL of a server: this one, or one of its own; without one with the reason why there is none. */
async function withServer(url, run) {
  if (url !== undefined) return run(url)
  const binary = fetched('newest') ?? fetched('oldest')
  if (binary === undefined) return run(undefined, 'there is no server: npm run test:cluster fetches one')
  const folder = mkdtempSync(path.join(os.tmpdir(), 'peb-demo-'))
  const child = spawn(binary, ['-a', '127.0.0.1', '-p', '-1', '--ports_file_dir', folder], { stdio: 'ignore' })
  try {
    const file = path.join(folder, `${path.basename(binary)}_${child.pid}.ports`)
    while (!existsSync(file) || !readFileSync(file, 'utf8').trimEnd().endsWith('}')) await wait(POLL_MS)
    return await run(JSON.parse(readFileSync(file, 'utf8')).nats[0])
  } finally {
    child.kill()
    rmSync(folder, { recursive: true, force: true })
  }
}

module.exports = { withServer }
