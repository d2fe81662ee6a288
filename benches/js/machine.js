'use strict'

// Where and with what the numbers were made: they mean little without it.

const { execFileSync } = require('node:child_process')
const { readFileSync } = require('node:fs')
const os = require('node:os')
const path = require('node:path')

const ROOT = path.join(__dirname, '../..')

function machine() {
  return {
    cpu: os.cpus()[0]?.model ?? 'unknown',
    cores: os.availableParallelism(),
    memoryMiB: Math.round(os.totalmem() / 2 ** 20),
    /** Of the last minute, when the run began: above 0, somebody else was at work. */
    load: os.loadavg()[0],
    platform: `${process.platform}-${process.arch}`,
    node: process.version,
    v8: process.versions.v8,
    packages: {
      '@cynic/parallel-event-bus': version('package.json'),
      emittery: version('node_modules/emittery/package.json'),
      piscina: version('node_modules/piscina/package.json'),
      tinypool: version('node_modules/tinypool/package.json'),
    },
    commit: commit(),
    date: new Date().toISOString(),
  }
}

function version(file) {
  return JSON.parse(readFileSync(path.join(ROOT, file), 'utf8')).version
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
