'use strict'

// Publishes the packages of `stage.js`: first those of the platforms, then the one that names them. A version that
// is there already is left alone, so that a release that broke off can be run again.
//
//   node scripts/release/publish.js <staged folder> [options of npm publish: --dry-run, --provenance]

const { spawnSync } = require('node:child_process')
const { readdirSync, readFileSync } = require('node:fs')
const path = require('node:path')

const [staged, ...options] = process.argv.slice(2)
if (staged === undefined) throw new Error('usage: publish.js <staged folder> [options of npm publish]')

for (const folder of [...readdirSync(path.join(staged, 'npm')).map((name) => path.join(staged, 'npm', name)), staged]) {
  const { name, version } = JSON.parse(readFileSync(path.join(folder, 'package.json'), 'utf8'))
  if (isPublished(name, version)) {
    console.log(`${name}@${version} is there already`)
    continue
  }
  const { status } = spawnSync('npm', ['publish', '--access', 'public', ...options], { cwd: folder, stdio: 'inherit' })
  if (status !== 0) process.exit(1)
}

function isPublished(name, version) {
  const { status, stdout } = spawnSync('npm', ['view', `${name}@${version}`, 'version'], { encoding: 'utf8' })
  return status === 0 && stdout.trim() === version
}
