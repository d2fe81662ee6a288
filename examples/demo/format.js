'use strict'

// Numbers, names and colours, as the demo shows them.

const COLOURS = { bold: 1, green: 32, yellow: 33, cyan: 36 }

function count(number) {
  return Math.round(number).toLocaleString('en-US')
}

function plural(number, noun) {
  return `${count(number)} ${noun}${number === 1 ? '' : 's'}`
}

/** Milliseconds, in the unit one would say them in, to about three digits. */
function duration(ms) {
  if (ms >= 10_000) return `${(ms / 1000).toFixed(1)} s`
  if (ms >= 1000) return `${(ms / 1000).toFixed(2)} s`
  return ms >= 100 ? `${ms.toFixed(0)} ms` : `${ms.toFixed(2)} ms`
}

function megabytes(bytes) {
  return `${(bytes / 1e6).toFixed(1)} MB`
}

/** A file name may contain anything, line breaks and escape sequences included. */
function printable(name) {
  return name.replace(/\p{C}/gu, '?')
}

/** Colours a text, or leaves it alone. */
function painter(enabled) {
  return enabled ? (colour, text) => `\x1b[${COLOURS[colour]}m${text}\x1b[0m` : (_colour, text) => text
}

module.exports = { count, plural, duration, megabytes, printable, painter }
