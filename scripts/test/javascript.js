'use strict'

// The tests in JavaScript, by node's own test runner: one process for each file, as many at a time as there are cores.

const os = require('node:os')
const path = require('node:path')
const { run } = require('node:test')
const { inspect } = require('node:util')
const { root } = require('./capture.js')
const { countsOf } = require('./summary.js')

/**
 * Runs test files. Each process gets this one's flags, such as --expose-gc. `skipped` is told of each test that was skipped
 * for a reason.
 */
async function runFiles(files, { report, progress, skipped = () => {} }) {
  const totals = {}
  const parents = []
  const printed = new Map()
  const failed = new Set()
  const heard = {
    'test:start': ({ name, nesting, file }) => {
      parents[nesting] = name
      progress(relative(file))
    },
    'test:pass': ({ name, skip }) => {
      if (typeof skip === 'string') skipped(name, skip)
    },
    'test:fail': (data) => {
      if (data.todo !== undefined || isOfParent(data)) return
      failed.add(data.file)
      report(failure(data, parents.slice(0, data.nesting)))
    },
    'test:stdout': ({ file, message }) => append(printed, file, message),
    'test:stderr': ({ file, message }) => append(printed, file, message),
    'test:diagnostic': ({ message }) => {
      const [, name, count] = /^(pass|fail|cancelled|skipped|todo) (\d+)$/.exec(message) ?? []
      if (name !== undefined) totals[name] = Number(count)
      else if (/^Error: /.test(message)) report(message)
    },
  }
  const stream = run({ files, concurrency: os.availableParallelism() })
  for await (const { type, data } of stream) heard[type]?.(data)
  for (const file of failed) {
    if (printed.has(file)) report(`${relative(file)} printed:\n${printed.get(file)}`)
  }
  return countsOf({ ...totals, fail: totals.fail + totals.cancelled })
}

/** True if a test failed because one inside of it did, which has a report of its own. */
function isOfParent({ details: { error } }) {
  return error.failureType === 'subtestsFailed'
}

/** A file with a failed process is a test with the name of that file. */
function failure({ name, file, line, column, details: { error } }, parents) {
  const ended = error.signal ? `by ${error.signal}` : `with ${error.exitCode}`
  if (path.resolve(root, name) === file) return `✖ ${relative(file)}: the process ended ${ended}`
  const where = line === undefined ? relative(file) : `${relative(file)}:${line}:${column}`
  return `✖ ${[...parents, name].join(' › ')}\n  ${where}\n${inspect(error.cause ?? error, { depth: 20 })}\n`
}

function append(map, key, text) {
  map.set(key, (map.get(key) ?? '') + text)
}

function relative(file) {
  return file === undefined ? '' : path.relative(root, file)
}

module.exports = { runFiles }
