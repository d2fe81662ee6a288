'use strict'

// Percentiles of times, beside those of Node's own histogram (HdrHistogram, to 3 digits), on times that nobody chose: the
// clock of the bus is one that goes on as a test says.

const assert = require('node:assert/strict')
const { createHistogram, performance } = require('node:perf_hooks')
const { test } = require('node:test')
const fc = require('fast-check')
const { ParallelEventBus } = require('../..')

const NS_PER_MS = 1e6
const PERCENTILES = { p50: 50, p90: 90, p99: 99, p999: 99.9 }
/** A percentile is the middle of a bucket of 1/16 of its times at most, and of 1/8 µs at least. Node's own is right to 0.1 %. */
const SHARE = 1 / 32 + 0.001
const LEAST_MS = 1e-4

const A_DAY = 86_400_000 * NS_PER_MS

/** Whole nanoseconds, as Node's histogram takes them: of each size as many, up to a day, and to a day in all. */
const some = fc.array(
  fc
    .tuple(fc.integer({ min: 1, max: 46 }), fc.double({ min: 1, max: 2, noNaN: true, maxExcluded: true }))
    .map(([size, part]) => Math.max(1, Math.round(2 ** (size - 1) * part)))
    .map((ns) => Math.min(ns, A_DAY)),
  { minLength: 1, maxLength: 300 },
)
const times = some.map((all) => {
  let sum = 0
  return all.filter((ns) => {
    const fits = sum + ns <= A_DAY
    if (fits) sum += ns
    return fits
  })
})

/** Resolves to the metrics of an event whose listener took so many nanoseconds each time. */
async function metricsOf(all) {
  const bus = new ParallelEventBus({ recordTiming: true })
  let clock = 0
  bus.on('x', (ns) => {
    clock += ns / NS_PER_MS
  })
  Object.defineProperty(performance, 'now', { value: () => clock, configurable: true })
  try {
    for (const ns of all) bus.emit('x', ns)
    await bus.idle()
  } finally {
    // That of its prototype is back.
    delete performance.now
  }
  return (await ParallelEventBus.metrics(bus)).events.x
}

/** Asserts that times are those that Node's histogram has of the same ones. */
function assertAlike(ours, all) {
  const theirs = createHistogram()
  for (const ns of all) theirs.record(Math.max(1, Math.round(ns)))
  const assertNear = (name, found, ns) => {
    const expected = ns / NS_PER_MS
    assert.ok(Math.abs(found - expected) <= expected * SHARE + LEAST_MS, `${name}: ${found}, and of Node ${expected}`)
  }
  assert.equal(ours.count, all.length)
  for (const [name, percentile] of Object.entries(PERCENTILES)) {
    // Node rounds ranks. So it is asked for the rank.
    const rank = Math.ceil((percentile / 100) * all.length)
    assertNear(name, ours[name], theirs.percentile(Math.min(100, (100 * rank) / all.length)))
  }
  assertNear('max', ours.max, theirs.max)
  const mean = all.reduce((sum, ns) => sum + ns / all.length, 0) / NS_PER_MS
  assert.ok(Math.abs(ours.mean - mean) <= mean * 1e-6 + 1e-6, `${ours.mean}, and the mean is ${mean}`)
}

/** For each number, the sum of those before it: all were emitted at once, and wait for each other. */
function sumsBefore(numbers) {
  let sum = 0
  return numbers.map((number) => {
    sum += number
    return sum - number
  })
}

const isNode = process.versions.bun === undefined && process.versions.deno === undefined

test('percentiles of waits and runs are those of the histogram of perf_hooks', { skip: !isNode }, async () => {
  await fc.assert(
    fc.asyncProperty(times, async (all) => {
      const { wait, run } = await metricsOf(all)
      assertAlike(run, all)
      assertAlike(wait, sumsBefore(all))
    }),
    { numRuns: 150 },
  )
})
