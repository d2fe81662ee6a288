'use strict'

// When a success criterion is met: on results that are made up, so that no clock has a part in it.

const assert = require('node:assert/strict')
const { test } = require('node:test')
const { criteriaOf } = require('@cynic/core/migration')

const MIB = 2 ** 20
const GOOD = { expected: 100, missing: 0, repeated: 0, disordered: 0, failed: 0 }
const [LATENCY, ERRORS, LOSSES, MEMORY] = [0, 1, 2, 3]

/** Results of a bus whose emit took 10 ms before, and 1 ms after, with anything else that is given. */
function results({ emits = [[1], [1], [1]], tally = GOOD, failures = {}, growth = { before: 0, after: 0 } } = {}) {
  const side = (emit, counted) => ({ emit, done: [99], tally: counted })
  const latency = [3, 5, 10].map((listeners, at) => {
    return { kind: 'cpu', listeners, rounds: [{ before: side([10], GOOD), after: side(emits[at], tally) }] }
  })
  const failing = { events: 100, thrown: 1, unhandled: 0, tally: { ...GOOD, failed: 2, missing: 8 } }
  const memoryOf = (grown) => ({ events: 1, start: { heapUsed: MIB }, end: { heapUsed: MIB + grown }, tally: GOOD })
  return {
    latency,
    burst: [],
    failures: { before: failing, after: { ...failing, ...failures } },
    memory: { before: memoryOf(growth.before), after: memoryOf(growth.after) },
  }
}

function met(criterion, given) {
  return criteriaOf(results(given))[criterion].met
}

test('emit has to wait less by more than 30 %, with each number of listeners', () => {
  assert.equal(met(LATENCY, { emits: [[1], [1], [6.9]] }), true)
  // Medians: one slow event of three is none.
  assert.equal(met(LATENCY, { emits: [[1], [1], [1, 1, 99]] }), true)
  assert.equal(met(LATENCY, { emits: [[1], [1], [7]] }), false)
  assert.equal(met(LATENCY, { emits: [[8], [1], [1]] }), false)
})

test('no more calls may fail or be left out than before, and no more errors get to the emitter', () => {
  const tally = (failed, missing) => ({ tally: { ...GOOD, failed, missing } })
  assert.equal(met(ERRORS, { failures: tally(10, 0) }), true)
  assert.equal(met(ERRORS, { failures: tally(2, 9) }), false)
  assert.equal(met(ERRORS, { failures: tally(11, 0) }), false)
  assert.equal(met(ERRORS, { failures: { thrown: 0, unhandled: 1 } }), true)
  assert.equal(met(ERRORS, { failures: { unhandled: 1 } }), false)
})

test('no call of a listener may be missing, repeated or out of order', () => {
  assert.equal(met(LOSSES), true)
  for (const wrong of ['missing', 'repeated', 'disordered']) {
    assert.equal(met(LOSSES, { tally: { ...GOOD, [wrong]: 1 } }), false)
  }
})

test('the heap may grow by 1 MiB more than before', () => {
  assert.equal(met(MEMORY, { growth: { before: -MIB, after: MIB } }), true)
  assert.equal(met(MEMORY, { growth: { before: -MIB, after: MIB + 1 } }), false)
  assert.equal(met(MEMORY, { growth: { before: MIB, after: 2 * MIB } }), true)
  assert.equal(met(MEMORY, { growth: { before: MIB, after: 2 * MIB + 1 } }), false)
})
