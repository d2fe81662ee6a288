'use strict'

// npm, as scripts and tests call it.

const { execFileSync } = require('node:child_process')

const windows = process.platform === 'win32'

/** Runs npm in a folder, and returns what it printed. Node starts `npm.cmd` by a shell alone. */
function npm(cwd, args, options) {
  const how = { cwd, encoding: 'utf8', shell: windows, stdio: ['ignore', 'pipe', 'inherit'], ...options }
  return execFileSync(windows ? 'npm.cmd' : 'npm', args, how)
}

/** What `npm pack` tells of each package that it packs. Builds nothing: what is packed is what is there. */
function pack(cwd, ...args) {
  return Object.values(JSON.parse(npm(cwd, ['pack', '--json', '--ignore-scripts', ...args])))
}

module.exports = { npm, pack }
