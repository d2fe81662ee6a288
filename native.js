'use strict'

// Loads the binary of this platform: that of a checkout, which lies beside this file, or that of the package for the
// platform. Each path is written out, so that bundlers and tracers of files find it.

const BINARIES = {
  'darwin-arm64': [
    () => require('./parallel-event-bus.darwin-arm64.node'),
    () => require('@cynic/parallel-event-bus-darwin-arm64'),
  ],
  'darwin-x64': [
    () => require('./parallel-event-bus.darwin-x64.node'),
    () => require('@cynic/parallel-event-bus-darwin-x64'),
  ],
  // A binary for the other C library does not load, so the right one need not be known.
  'linux-arm64': [
    () => require('./parallel-event-bus.linux-arm64-gnu.node'),
    () => require('@cynic/parallel-event-bus-linux-arm64-gnu'),
    () => require('./parallel-event-bus.linux-arm64-musl.node'),
    () => require('@cynic/parallel-event-bus-linux-arm64-musl'),
  ],
  'linux-x64': [
    () => require('./parallel-event-bus.linux-x64-gnu.node'),
    () => require('@cynic/parallel-event-bus-linux-x64-gnu'),
    () => require('./parallel-event-bus.linux-x64-musl.node'),
    () => require('@cynic/parallel-event-bus-linux-x64-musl'),
  ],
  'win32-x64': [
    () => require('./parallel-event-bus.win32-x64-msvc.node'),
    () => require('@cynic/parallel-event-bus-win32-x64-msvc'),
  ],
}

/** Returns the exports of the first binary that loads. Else throws why one does not, or that none is there. */
function load() {
  const { NAPI_RS_NATIVE_LIBRARY_PATH } = process.env
  if (NAPI_RS_NATIVE_LIBRARY_PATH) return require(NAPI_RS_NATIVE_LIBRARY_PATH)
  let refusal = null
  let absence = null
  for (const binary of BINARIES[`${process.platform}-${process.arch}`] ?? []) {
    try {
      return binary()
    } catch (error) {
      if (error.code === 'MODULE_NOT_FOUND') absence = error
      else refusal ??= error
    }
  }
  throw refusal ?? absence ?? Object.assign(new Error('no binary is built for it'), { code: 'MODULE_NOT_FOUND' })
}

module.exports = load()
