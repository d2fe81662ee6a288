'use strict'

// The engine: the exports of the binary, or an error with the way out of a missing or a wrong one.
//
// `native.js` beside `index.js` looks for the binary of this platform. Its error is the cause of the error here.
// If the process has loaded another copy of this package before, the engine is that copy's: see `copies.js`.

const { failure, sharedEngine } = require('./copies.js')
const { version, optionalDependencies = {}, napi } = require('../package.json')

/** The way to a binary that no package has. */
const BUILD = 'build it in a checkout of this version with `npm install && npm run build` (needs Rust 1.89 or newer)'
/** The way to start Node so that it loads addons. */
const ALLOW = 'start Node without --no-addons, and where there is --permission, with --allow-addons'
const ALLOW_IN_DENO = 'start Deno with --allow-read, --allow-env and --allow-ffi'

function load() {
  let engine
  try {
    engine = require('../native.js')
  } catch (error) {
    throw explained(error)
  }
  const found = engine.version?.() ?? 'unknown'
  if (found === version) return engine
  throw failure(
    'ERR_BINARY_VERSION',
    `the binary for ${platform()} is of version ${found}, and this is version ${version}; ${advice()}`,
  )
}

/** Returns the error for a missing engine. A failure for which Node has a code keeps that code. */
function explained(error) {
  // Deno's error for a missing permission; it names the permission.
  if (error?.name === 'NotCapable') {
    const reason = `the engine is an addon, and may not load: ${error.message}`
    return failure('ERR_DLOPEN_DISABLED', `${reason}; ${ALLOW_IN_DENO}`, error)
  }
  // Deno's error for a binary that does not load has no code.
  const { code = 'ERR_DLOPEN_FAILED', message } = error
  if (code === 'MODULE_NOT_FOUND')
    return failure('ERR_BINARY_NOT_FOUND', `there is no binary for ${platform()}; ${advice()}`, error)
  if (code === 'ERR_DLOPEN_DISABLED') return failure(code, `the engine is an addon, and may not load; ${ALLOW}`, error)
  return failure(code, `the binary for ${platform()} does not load: ${message}; ${advice()}`, error)
}

function advice() {
  const name = packageName()
  if (!(name in optionalDependencies)) return BUILD
  return `install ${name}@${version} (npm leaves it out with --omit=optional), or ${BUILD}`
}

function packageName() {
  return `@cynic/${napi.binaryName}-${platform()}`
}

/** Returns the platform as in the names of binaries: `linux-x64-gnu`, `darwin-arm64`, `win32-x64-msvc`. */
function platform() {
  const { platform, arch } = process
  if (platform === 'win32') return `${platform}-${arch}-msvc`
  return platform === 'linux' ? `${platform}-${arch}-${isGnu() ? 'gnu' : 'musl'}` : `${platform}-${arch}`
}

function isGnu() {
  // Deno wants a permission for the report, and is built for glibc alone.
  const report = process.versions.deno ? undefined : process.report?.getReport()
  return report === undefined || Boolean(report.header.glibcVersionRuntime)
}

module.exports = sharedEngine(load())
