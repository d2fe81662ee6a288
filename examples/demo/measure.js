'use strict'

// Delivers files, some of them at a time, and notes for each the times and the results of its listeners.

const { now } = require('./clock.js')

/**
 * @typedef {object} Event one file on its way: `spans` and `results` are by listener, and for `deliver` to fill
 * @property {{ path: string, size: number }} file
 * @property {number} start
 * @property {number} end
 * @property {boolean} skipped it could not be read
 * @property {Record<string, { start: number, end: number }>} spans
 * @property {Record<string, unknown>} results
 */

/**
 * Calls `deliver` with an event for each file. Resolves to `{ time, cpu, events }`: milliseconds on the clock
 * and of processor time of all threads together, and the events in the order of the files.
 */
async function measure(files, deliver, { inFlight, onFile }) {
  const events = files.map((file) => ({ file, start: 0, end: 0, skipped: false, spans: {}, results: {} }))
  const start = now()
  const cpu = process.cpuUsage()
  await someAtATime(inFlight, events, async (event) => {
    event.start = now()
    try {
      await deliver(event)
    } catch (error) {
      if (!isUnreadable(error)) throw error
      event.skipped = true
    }
    event.end = now()
    onFile()
  })
  const time = now() - start
  const { user, system } = process.cpuUsage(cpu)
  return { time, cpu: (user + system) / 1000, events }
}

/** `work` on every item, so many at a time. The first that fails is the last to be started. */
async function someAtATime(count, items, work) {
  const rest = iterate(items)
  const one = async () => {
    for (const item of rest) await work(item)
  }
  await Promise.all(Array.from({ length: count }, one))
}

/** A generator: a loop that is left by a failure ends it for all. */
function* iterate(items) {
  yield* items
}

/** Returns true for the error of a failed system call: the file vanished, or may not be read. Anything else is a bug. */
function isUnreadable(error) {
  return typeof error?.syscall === 'string'
}

/** Throws for the failures of one file; a bug before a file that could not be read. */
function throwWorst(errors) {
  if (errors.length > 0) throw errors.find((error) => !isUnreadable(error)) ?? errors[0]
}

module.exports = { isUnreadable, measure, someAtATime, throwWorst }
