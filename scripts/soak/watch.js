'use strict'

// The watchers of a soak: buses that record times and propagate, metrics, and a trace in some rounds. Their reports are
// checked.

const { mkdtempSync, readFileSync, rmSync } = require('node:fs')
const { tmpdir } = require('node:os')
const path = require('node:path')
const { ParallelEventBus } = require('../..')
const { readTrace } = require('../../__test__/fixtures/chrome-trace.js')

/** Counts that may not fall. Those that are differences of two may, for a moment. */
const SUMS = ['emitted', 'unheard', 'failed', 'timedOut', 'refused', 'lost']
/** Largest size of a trace. Some are larger, and are cut. */
const MOST_BYTES = 8 * 2 ** 20
const HEADERS = { soak: 'ü' }

/** A `propagate` that checks the headers and waits that come. Buses without one have no headers. */
function propagating(checks) {
  return {
    inject: () => HEADERS,
    extract(headers, run, { waited }) {
      if (headers.soak !== undefined && headers.soak !== HEADERS.soak) checks.violated('headers', headers)
      if (waited !== undefined && !(waited >= 0)) checks.violated('a wait', waited)
      return run()
    },
  }
}

/** The metrics of channels, as one thread sees them. */
class Numbers {
  #checks
  /** @type {Map<string, object>} the last totals of each channel */
  #last = new Map()

  constructor(checks) {
    this.#checks = checks
  }

  async look(bus) {
    this.check(await ParallelEventBus.metrics(bus))
  }

  /** @param {import('../..').Metrics} metrics */
  check({ channel, total, events, threads }) {
    const last = this.#last.get(channel)
    for (const name of SUMS) {
      if (last !== undefined && total[name] < last[name]) this.#checks.violated(`${name} falls`, { last, total })
    }
    this.#last.set(channel, total)
    for (const [name, { wait, run }] of Object.entries(events)) {
      for (const times of [wait, run]) if (times !== undefined) this.#checkTimes(name, times)
    }
    for (const thread of threads) {
      const { running, queued, queuedBytes, stalledFor } = thread
      if (!(running >= 0 && queued >= 0 && queuedBytes >= 0 && stalledFor >= 0)) {
        this.#checks.violated('numbers of a thread', thread)
      }
    }
  }

  #checkTimes(event, times) {
    const { p50, p90, p99, p999, max } = times
    const rises = p50 <= p90 && p90 <= p99 && p99 <= p999 && p999 <= max
    if (!rises) this.#checks.violated(`times of ${event}`, times)
  }
}

/** Begins a trace. Returns a function that ends it, and checks the file. */
function tracing(checks) {
  const folder = mkdtempSync(path.join(tmpdir(), 'soak-trace-'))
  const trace = ParallelEventBus.trace({ file: path.join(folder, 'trace.json'), maxBytes: MOST_BYTES })
  return async () => {
    await trace.close()
    try {
      // Threads end in the middle of things, and some listeners never come to their end.
      readTrace(readFileSync(trace.file, 'utf8'), { isWhole: false })
    } catch (error) {
      checks.violated('a trace', error)
    }
    rmSync(folder, { recursive: true })
  }
}

module.exports = { Numbers, propagating, tracing }
