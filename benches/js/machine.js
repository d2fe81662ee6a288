'use strict'

// The machine and the versions behind the numbers: they mean little without them.

const { execFileSync } = require('node:child_process')
const os = require('node:os')
const path = require('node:path')
const manifest = require('../../package.json')
const { versions } = require('./peers.js')

const ROOT = path.join(__dirname, '../..')

function machine() {
  return {
    cpu: os.cpus()[0]?.model ?? 'unknown',
    cores: os.availableParallelism(),
    memoryMiB: Math.round(os.totalmem() / 2 ** 20),
    /** Of the last minute, when the run began: above 0, somebody else was at work. */
    load: os.loadavg()[0],
    os: `${os.type()} ${os.release()} ${process.arch}`,
    node: process.version,
    v8: process.versions.v8,
    packages: { '@cynic/parallel-event-bus': manifest.version, ...versions() },
    commit: commit(),
    date: new Date().toISOString(),
  }
}

/** Ends in `-dirty` when the working tree differs from it; null outside a checkout. */
function commit() {
  const args = ['describe', '--always', '--dirty', '--exclude=*', '--abbrev=12']
  try {
    return execFileSync('git', args, { cwd: ROOT, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim()
  } catch {
    return null
  }
}

module.exports = { machine }
