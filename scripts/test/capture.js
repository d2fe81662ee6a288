'use strict'

const { spawn } = require('node:child_process')
const { once } = require('node:events')
const path = require('node:path')

const root = path.join(__dirname, '../..')

/** Runs a program in the checkout. Resolves to `{ status, output }`: its exit code, and its output on both streams. */
async function capture(program, args) {
  const child = spawn(program, args, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (chunk) => {
      output += chunk
    })
  }
  const [status] = await once(child, 'close')
  return { status, output }
}

module.exports = { capture, root }
