'use strict'

// Copies of this package in one process: a dependency tree may have several. Each brings an engine, and two engines
// would silently have two channels of one name. So all copies of one version use one engine, in all threads and realms,
// and the channels of a process belong to one version.
//
// The first engine is the one to use. The operating system's list of loaded libraries says which one is first, and that
// list is the same for all copies.

const path = require('node:path')
const { version } = require('../package.json')

const ROOT = path.join(__dirname, '..')
/** An engine may be unloaded, and so lose its place, before it is asked to stay. That is rare, and does not go on. */
const MOST_TRIES = 10

/** Returns the engine that the copies of this version use. */
function sharedEngine(own) {
  return firstEngine(own, (engine) => engine.version === version)
}

let hasChannels = false

/** Throws where the channels of this process belong to copies of another version. */
function claimChannels(engine) {
  if (hasChannels) return
  // Engines of other versions have these functions, too: see `src/node/copies.rs`.
  const claim = `${version} ${ROOT}`
  const owner = firstEngine(engine, () => true).claimChannels(claim)
  const [ownersVersion] = owner.split(' ', 1)
  if (ownersVersion !== version) {
    const root = owner.slice(ownersVersion.length + 1)
    throw failure(
      'ERR_OTHER_VERSION',
      `the channels of this process belong to version ${ownersVersion} in ${root}, so version ${version} in ${ROOT} cannot have one; ` +
        'let all dependents take one version (npm ls @cynic/parallel-event-bus shows them)',
    )
  }
  hasChannels = true
}

/** Returns the first fitting engine that this process has loaded. */
function firstEngine(own, fits) {
  for (let tries = 0; tries < MOST_TRIES; tries++) {
    const found = own.engines().find(fits)
    if (found === undefined || found.isOwn) return own
    const engine = load(found)
    // An engine that was asked stays loaded, and so keeps its place.
    if (engine.engines().find(fits)?.isOwn) return engine
  }
  throw failure('ERR_OTHER_COPY', `the copy in ${ROOT} does not find the engine of the other copies`)
}

/** Loads an addon by Node's own `require`, which has one of each for a thread. Bundlers and test runners have theirs. */
function load({ path: file }) {
  try {
    const { createRequire } = require('node:module')
    return createRequire(__filename)(file)
  } catch (error) {
    throw failure('ERR_OTHER_COPY', `the copy in ${ROOT} is to use the engine ${file}, which does not load`, error)
  }
}

function failure(code, message, cause) {
  const error = new Error(`@cynic/parallel-event-bus: ${message}`, cause && { cause })
  error.code = code
  return error
}

module.exports = { claimChannels, failure, sharedEngine }
