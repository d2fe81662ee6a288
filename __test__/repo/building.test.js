'use strict'

// The errors of a build where Rust is missing or too old, and the versions it needs.

const assert = require('node:assert/strict')
const { spawnSync } = require('node:child_process')
const { mkdtempSync, readFileSync, rmSync, writeFileSync } = require('node:fs')
const { tmpdir } = require('node:os')
const path = require('node:path')
const { test } = require('node:test')
const { scripts } = require('../../package.json')

const root = path.join(__dirname, '../..')
const read = (file) => readFileSync(path.join(root, file), 'utf8')
const [, needed] = /^rust-version = "(.*)"$/m.exec(read('Cargo.toml'))

/** Runs the check that each build begins with, where `cargo` prints something, or is not there. */
function check(t, printed) {
  const folder = mkdtempSync(path.join(tmpdir(), 'cargo-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const cargo = `#!/bin/sh\necho '${printed}'\n`
  if (printed !== undefined) writeFileSync(path.join(folder, 'cargo'), cargo, { mode: 0o755 })
  const env = { ...process.env, PATH: folder, Path: folder }
  const { status, stdout, stderr } = spawnSync(process.execPath, ['scripts/rust.js'], {
    cwd: root,
    env,
    encoding: 'utf8',
  })
  assert.equal(stdout, '')
  return { status, lines: stderr.split('\n') }
}

test('every build begins with the check', () => {
  assert.match(scripts.build, /^node scripts\/rust\.js && napi build /)
  assert.equal(scripts.prepare, 'npm run build')
})

test('without Rust, the first line says which is needed, and the next ones how to get it', (t) => {
  const { status, lines } = check(t)
  assert.equal(status, 1)
  assert.equal(
    lines[0],
    `Rust ${needed} or newer is needed to build @cynic/parallel-event-bus, and there is no cargo on the PATH.`,
  )
  assert.match(lines.slice(1, 3).join('\n'), /https:\/\/.*rustup\.rs/)
})

test('so it does where Rust is too old, or does not tell', { skip: process.platform === 'win32' }, (t) => {
  const [major, minor] = needed.split('.').map(Number)
  const old = `${major}.${minor - 1}.9`
  const { status, lines } = check(t, `cargo ${old} (abcdef 2020-01-01)`)
  assert.equal(status, 1)
  assert.match(lines[0], new RegExp(`^Rust ${needed} or newer is needed .*, and this is Rust ${old}\\.$`))
  assert.match(lines[1], /rustup update stable/)
  assert.equal(check(t, 'no such thing').status, 1)
})

test('Rust of the version that is needed, or a newer one, will do', { skip: process.platform === 'win32' }, (t) => {
  const [major, minor] = needed.split('.').map(Number)
  for (const version of [`${needed}.0`, `${major}.${minor + 20}.0`, `${major}.100.0-nightly`, `${major + 1}.0.0`]) {
    assert.deepEqual(check(t, `cargo ${version} (abcdef 2026-01-01)`), { status: 0, lines: [''] }, version)
  }
})

test('every file that tells a version of Rust tells the same', () => {
  for (const file of ['README.md', 'CONTRIBUTING.md', 'docs/integration.md', 'lib/native.js']) {
    const told = Array.from(read(file).matchAll(/Rust (\d+\.\d+) or newer/g), ([, version]) => version)
    assert.ok(told.length > 0, file)
    assert.deepEqual(new Set(told), new Set([needed]), file)
  }
})
