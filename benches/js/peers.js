'use strict'

// The peers of the rows: their packages, the versions that are installed, and whether this Node runs them.

const { existsSync, readFileSync } = require('node:fs')
const path = require('node:path')
const { satisfies } = require('semver')

/** The beginning of a contestant's name, and the folder of its package. Node's own contestants are not here. */
const FOLDERS = {
  eventemitter2: 'eventemitter2',
  eventemitter3: 'eventemitter3',
  'emittery 1': 'emittery-1',
  'emittery 2': 'emittery',
  hookable: 'hookable',
  piscina: 'piscina',
  poolifier: 'poolifier',
  tapable: 'tapable',
  tinypool: 'tinypool',
  workerpool: 'workerpool',
}

/** The installed version of each. */
function versions() {
  return Object.fromEntries(Object.entries(FOLDERS).map(([name, folder]) => [name, manifest(folder).version]))
}

/** The reason why this Node cannot run a contestant; null if it can. */
function whySkipped(contestant) {
  const name = Object.keys(FOLDERS).find((each) => contestant.startsWith(each))
  if (name === undefined) return null
  const needed = manifest(FOLDERS[name]).engines?.node ?? '*'
  return satisfies(process.version, needed) ? null : `needs Node ${needed}, this is ${process.version}`
}

/** The package.json of a peer. Not by `require`: some do not export it. */
function manifest(folder) {
  const file = module.paths.map((modules) => path.join(modules, folder, 'package.json')).find(existsSync)
  if (file === undefined) throw new Error(`${folder} is not installed: npm install`)
  return JSON.parse(readFileSync(file, 'utf8'))
}

module.exports = { versions, whySkipped }
