'use strict'

// Packages from the registry that checks need and a checkout does not, in `.cache/`: installed once, and again when
// their versions change.

const { existsSync, mkdirSync, readFileSync, writeFileSync } = require('node:fs')
const path = require('node:path')
const { npm } = require('./npm.js')

const root = path.join(__dirname, '..')

/** Returns the folder in which `node_modules` has these packages. None of their scripts is run. */
function install(name, dependencies) {
  const folder = path.join(root, '.cache', name)
  const [manifest, done] = [path.join(folder, 'package.json'), path.join(folder, 'done')]
  const wanted = JSON.stringify({ private: true, dependencies })
  if (existsSync(done) && readFileSync(done, 'utf8') === wanted) return folder
  mkdirSync(folder, { recursive: true })
  writeFileSync(manifest, wanted)
  npm(folder, ['install', '--ignore-scripts', '--no-audit', '--no-fund', '--no-package-lock', '--loglevel=error'])
  writeFileSync(done, wanted)
  return folder
}

module.exports = { install, root }
