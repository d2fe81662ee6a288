'use strict'

// Rust, as builds and tests need it: as a program, names the missing part and exits with 1.

const { spawnSync } = require('node:child_process')
const { readFileSync } = require('node:fs')
const path = require('node:path')

const INSTALL =
  process.platform === 'win32'
    ? 'Install Rust by rustup-init.exe from https://rustup.rs'
    : "Install Rust as https://rustup.rs says:\n  curl --proto '=https' --tlsv1.2 -sSf https://sh.rustup.rs | sh"

/** Returns why Rust cannot build this package, and the way out; null if it can. */
function missingRust() {
  const needed = neededVersion()
  const wanted = `Rust ${needed} or newer is needed to build @cynic/parallel-event-bus`
  const { error, stdout = '' } = spawnSync('cargo', ['--version'], { encoding: 'utf8' })
  if (error) return `${wanted}, and there is no cargo on the PATH.\n${INSTALL}\nThen run this again, in a new shell.`
  const [, found] = /^cargo (\d+\.\d+\.\d+)/.exec(stdout) ?? []
  if (found === undefined || isOlder(found, needed)) {
    const version = found === undefined ? 'cargo does not tell its version' : `this is Rust ${found}`
    return `${wanted}, and ${version}.\nUpdate it: rustup update stable\n${INSTALL.replace('Install', 'Or install')}`
  }
  return null
}

function neededVersion() {
  return /^rust-version = "(.*)"$/m.exec(readFileSync(path.join(__dirname, '../Cargo.toml'), 'utf8'))[1]
}

function isOlder(version, than) {
  return version.localeCompare(than, 'en', { numeric: true }) < 0
}

if (require.main === module) {
  const missing = missingRust()
  if (missing !== null) {
    console.error(missing)
    process.exitCode = 1
  }
}

module.exports = { missingRust }
