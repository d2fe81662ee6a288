'use strict'

// npm, as scripts and tests call it.

const { execFileSync } = require('node:child_process')

const windows = process.platform === 'win32'

/** Runs npm in a folder, and returns its output. Node starts `npm.cmd` by a shell alone. */
function npm(cwd, args, options) {
  const how = { cwd, encoding: 'utf8', shell: windows, stdio: ['ignore', 'pipe', 'inherit'], ...options }
  return execFileSync(windows ? 'npm.cmd' : 'npm', args, how)
}

/** Returns the report of `npm pack` on each package that it packs. It builds nothing, and packs the files that are there. */
function pack(cwd, ...args) {
  return Object.values(JSON.parse(npm(cwd, ['pack', '--json', '--ignore-scripts', ...args])))
}

module.exports = { npm, pack }
