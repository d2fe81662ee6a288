'use strict'

// Numbers of tests by their results, and the summary of them.

/** @typedef {{ tests: number, pass: number, fail: number, skipped: number, todo: number }} Counts */

/** @returns {Counts} */
function countsOf({ pass = 0, fail = 0, skipped = 0, todo = 0 }) {
  return { tests: pass + fail + skipped + todo, pass, fail, skipped, todo }
}

/** A line for each part, and the totals in the words of node's own test runner: logs are searched for them. */
function summary(results, { quick }) {
  const sum = (key) => results.reduce((total, result) => total + result[key], 0)
  const fail = sum('fail')
  const width = Math.max(...results.map(({ name }) => name.length))
  return [
    '',
    ...results.map((result) => lineOf(result, width)),
    '',
    ...Object.keys(countsOf({})).map((key) => `# ${key} ${sum(key)}`),
    '',
    ...(quick ? ['The slow tests were left out: npm test runs them.'] : []),
    `${fail > 0 ? `${fail} failed, see above` : 'All passed'}. It took ${duration(sum('took'))}.`,
  ].join('\n')
}

function lineOf({ name, took, pass, fail, skipped, todo }, width) {
  const others = [
    [fail, 'failed'],
    [skipped, 'skipped'],
    [todo, 'known to fail'],
  ]
  const told = [`${pass} passed`, ...others.filter(([count]) => count > 0).map(([count, what]) => `${count} ${what}`)]
  return `${name.padEnd(width)}${duration(took).padStart(8)}   ${told.join(', ')}`
}

/** In minutes; below one, in seconds. */
function duration(ms) {
  return ms < 60_000 ? `${(ms / 1000).toFixed(0)} s` : `${(ms / 60_000).toFixed(1)} min`
}

module.exports = { countsOf, summary }
