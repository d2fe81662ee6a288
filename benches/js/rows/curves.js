'use strict'

// Rows that are points of a curve: the same thing in different numbers.

/** They are many, and have no goals: each is shorter than others. */
function shorter(settings) {
  if (settings.quick) return settings
  return { ...settings, rowMs: settings.rowMs / 4, warmUpMs: settings.warmUpMs / 2, minRounds: 5 }
}

/** The name of a point in the results: `curve`, and `x` where it is on it. */
function point(curve, x, what) {
  return { id: `${curve}-${x}`, what, curve, x }
}

/** `1 listener`, `100 000 listeners`. */
function inFull(count, noun) {
  const plural = count === 1 || noun.startsWith('in ') ? '' : 's'
  return `${count.toLocaleString('en').replaceAll(',', ' ')} ${noun}${plural}`
}

module.exports = { shorter, point, inFull }
