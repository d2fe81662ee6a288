'use strict'

// The peers of the rows: their packages, the versions that are installed, and whether this Node runs them.

const { readFileSync } = require('node:fs')
const path = require('node:path')
const { satisfies } = require('semver')

const MODULES = path.join(__dirname, '../../node_modules')

/** What a contestant's name begins with, and the folder of its package. What Node brings itself is not here. */
const FOLDERS = {
  eventemitter2: 'eventemitter2',
  eventemitter3: 'eventemitter3',
  'emittery 1': 'emittery-1',
  'emittery 2': 'emittery',
  hookable: 'hookable',
  piscina: 'piscina',
  tapable: 'tapable',
  tinypool: 'tinypool',
  workerpool: 'workerpool',
}

/** The installed version of each. */
function versions() {
  return Object.fromEntries(Object.entries(FOLDERS).map(([name, folder]) => [name, manifest(folder).version]))
}

/** Why this Node can not run a contestant; null if it can. */
function whySkipped(contestant) {
  const name = Object.keys(FOLDERS).find((each) => contestant.startsWith(each))
  if (name === undefined) return null
  const needed = manifest(FOLDERS[name]).engines?.node ?? '*'
  return satisfies(process.version, needed) ? null : `needs Node ${needed}, this is ${process.version}`
}

function manifest(folder) {
  return JSON.parse(readFileSync(path.join(MODULES, folder, 'package.json'), 'utf8'))
}

module.exports = { versions, whySkipped }
