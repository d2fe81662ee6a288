'use strict'

// Names of three levels, `perception:human:state`, and patterns of them, with `*` for any level.

const LEVELS = 3
const ANY = '*'

/** Throws for anything but a name of three levels. */
function validateName(name) {
  if (!levelsOf(name)?.every((level) => level !== ANY)) {
    throw new TypeError(`"${name}" is not a name of ${LEVELS} levels, such as perception:human:state`)
  }
}

/** Throws for anything but a name or a pattern. */
function validatePattern(pattern) {
  if (levelsOf(pattern) === null) {
    throw new TypeError(`"${pattern}" is not a pattern of ${LEVELS} levels, such as perception:*:state`)
  }
}

function levelsOf(text) {
  const levels = typeof text === 'string' ? text.split(':') : []
  return levels.length === LEVELS && levels.every((level) => level !== '') ? levels : null
}

/** Every pattern that a name matches, itself first: eight of three levels. */
function patternsOf(name) {
  return levelsOf(name)
    .reduce(
      (patterns, level) =>
        patterns.flatMap((each) => [
          [...each, level],
          [...each, ANY],
        ]),
      [[]],
    )
    .map((levels) => levels.join(':'))
}

function matches(pattern, name) {
  const levels = levelsOf(name)
  return levelsOf(pattern).every((level, index) => level === ANY || level === levels[index])
}

module.exports = { validateName, validatePattern, patternsOf, matches }
