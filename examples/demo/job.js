'use strict'

// Which files the demo works on, and how often.

/** In kilobytes. In smaller ones opening decides, not the work; a larger one alone would decide how long a run takes. */
const BY_DEFAULT = { smallest: 8, largest: 256 }
/** A directory that is named is taken as it is, but for files that would not fit into memory several at a time. */
const NAMED = { smallest: 0, largest: 16 * 1024 }

/** The files of the first run; the others take less, so that all of it takes about ten seconds. */
const FIRST_RUN_MS = 4000

/**
 * Returns `{ files, found, limits }`: the files within the `limits`, in kilobytes, the largest first, and the number
 * that was `found`. So the last files of a run are small, and no thread waits long for the last one of another.
 */
function choose(files, { named }) {
  const limits = named ? NAMED : BY_DEFAULT
  const fits = ({ size }) => size >= limits.smallest * 1024 && size <= limits.largest * 1024
  return { files: files.filter(fits).sort((one, other) => other.size - one.size), found: files.length, limits }
}

/** How often a run goes over files that take so many milliseconds one after another. */
function roundsFor(ms) {
  return Math.max(1, Math.round(FIRST_RUN_MS / ms))
}

/** The files, so many times over. */
function repeat(files, rounds) {
  return Array.from({ length: rounds }, () => files).flat()
}

module.exports = { choose, repeat, roundsFor }
