'use strict'

// Delivers files, some of them at a time, and notes for each when its listeners ran and what they came to.

const { now } = require('./clock.js')

/**
 * Calls `deliver` with an event for each file: `{ file, start, end, skipped, spans, results }`, the last two by listener
 * and for it to fill. Resolves to `{ time, cpu, events }`: milliseconds, also of all threads together on the CPU, and
 * the events by file. A file that could not be read is skipped.
 */
async function measure(files, deliver, { inFlight, onFile }) {
  const events = new Map()
  const start = now()
  const cpu = process.cpuUsage()
  await someAtATime(inFlight, files, async (file) => {
    const event = { file, start: now(), end: 0, skipped: false, spans: {}, results: {} }
    events.set(file, event)
    try {
      await deliver(event)
    } catch (error) {
      if (!isUnreadable(error)) throw error
      event.skipped = true
    }
    event.end = now()
    onFile()
  })
  const { user, system } = process.cpuUsage(cpu)
  return { time: now() - start, cpu: (user + system) / 1000, events }
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

/** What a failed system call throws: the file vanished, or may not be read. Anything else is a bug. */
function isUnreadable(error) {
  return typeof error?.syscall === 'string'
}

/** Throws for the failures of one file; a bug before a file that could not be read. */
function throwWorst(errors) {
  if (errors.length > 0) throw errors.find((error) => !isUnreadable(error)) ?? errors[0]
}

module.exports = { measure, someAtATime, throwWorst }
