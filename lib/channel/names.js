'use strict'

// Names of channels, events and groups as the engine has them: in UTF-8, which has no unpaired surrogates. A name with
// one is written in ASCII, so that names that differ here differ there.

/** Begins an escaped name. It is no character, so few names begin with it; those are escaped, too. */
const ESCAPED = '\u{10ffff}'

/** Returns the name under which the engine knows a channel, an event or a group. */
function toEngine(name) {
  // JSON escapes unpaired surrogates.
  return name.isWellFormed() && !name.startsWith(ESCAPED) ? name : ESCAPED + JSON.stringify(name)
}

/** Returns the name here for a name of the engine. */
function fromEngine(name) {
  return name.startsWith(ESCAPED) ? JSON.parse(name.slice(ESCAPED.length)) : name
}

module.exports = { fromEngine, toEngine }
