'use strict'

// When a success criterion is met: on results that are made up, so that no clock has a part in it.

const assert = require('node:assert/strict')
const { test } = require('node:test')
const { criteriaOf } = require('@cynic/core/migration')

const KIB = 2 ** 10
const MIB = 2 ** 20
const GOOD = { expected: 100, missing: 0, repeated: 0, disordered: 0, failed: 0, reached: [0, 0, 0, 20] }
const [EMIT, DELIVERY, ERRORS, LOSSES, MEMORY] = [0, 1, 2, 3, 4]

/** Readings that grow evenly by so many bytes from the first third to the last one. */
function readingsOf({ heapUsed = 0, rss = 0 } = {}, count = 12) {
  const share = (index) => index / (count - Math.floor(count / 3))
  return Array.from({ length: count }, (_, index) => ({
    heapUsed: MIB + Math.round(heapUsed * share(index)),
    rss: 50 * MIB + Math.round(rss * share(index)),
  }))
}

/**
 * Results of a bus with an emit that took 10 ms before, and 1 ms after, and with listeners that were done after 12 and
 * 12.1 ms, with anything else that is given.
 */
function results({ emit = [1], allDone = [12.1], tally = GOOD, before = GOOD, failures = {}, memory = {} } = {}) {
  const latency = ['cpu', 'wait'].flatMap((kind) =>
    [3, 5, 10].map((listeners) => {
      const worst = kind === 'cpu' && listeners === 10
      const after = { emit: worst ? emit : [1], allDone: worst ? allDone : [12.1], tally }
      return { kind, listeners, rounds: [{ before: { emit: [10], allDone: [12], tally: before }, after }] }
    }),
  )
  const failing = { events: 100, thrown: 1, unhandled: 0, tally: { ...GOOD, failed: 2, missing: 8 } }
  const isolated = { ...failing, thrown: 0, tally: { ...GOOD, failed: 2 } }
  const kept = { interval: 1000, readings: readingsOf(), tally: GOOD }
  return {
    probed: { before: { tally: GOOD }, after: { tally: GOOD } },
    latency,
    burst: [],
    failures: { before: failing, after: { ...isolated, ...failures } },
    memory: { before: { ...kept, ...memory.before }, after: { ...kept, ...memory.after } },
  }
}

function met(criterion, given) {
  return criteriaOf(results(given))[criterion].met
}

test('a migration with the expected gains meets all', () => {
  assert.deepEqual(
    criteriaOf(results()).map(({ met }) => met),
    [true, true, true, true, true],
  )
})

test('emit has to wait less by more than 30 %, with each number of listeners', () => {
  assert.equal(met(EMIT, { emit: [6.9] }), true)
  // Medians: one slow event of three is none.
  assert.equal(met(EMIT, { emit: [1, 1, 99] }), true)
  assert.equal(met(EMIT, { emit: [7] }), false)
})

test('the last listener may settle later by 10 % and 1 ms in the median, by 50 % and 1 ms at the 90th percentile', () => {
  const fifth = (late) => [...new Array(8).fill(12), late, late]
  assert.equal(met(DELIVERY, { allDone: [14.1] }), true)
  assert.equal(met(DELIVERY, { allDone: [14.3] }), false)
  assert.equal(met(DELIVERY, { allDone: fifth(18.9) }), true)
  assert.equal(met(DELIVERY, { allDone: fifth(19.1) }), false)
})

test('neither is met where an event did not arrive, before or after', () => {
  const lossy = { ...GOOD, missing: 1 }
  for (const given of [{ tally: lossy }, { before: lossy }]) {
    assert.deepEqual([met(EMIT, given), met(DELIVERY, given)], [false, false])
  }
  const unmeasured = results()
  for (const row of unmeasured.latency) row.rounds = []
  const [emit, delivery] = criteriaOf(unmeasured)
  assert.deepEqual([emit.met, delivery.met], [false, false])
})

test('no more calls may fail than before, none may be left out, and no more errors get to the emitter', () => {
  const tally = (failed, missing) => ({ tally: { ...GOOD, failed, missing } })
  assert.equal(met(ERRORS, { failures: tally(10, 0) }), true)
  assert.equal(met(ERRORS, { failures: tally(11, 0) }), false)
  assert.equal(met(ERRORS, { failures: tally(2, 1) }), false)
  assert.equal(met(ERRORS, { failures: { thrown: 0, unhandled: 1 } }), true)
  assert.equal(met(ERRORS, { failures: { thrown: 1, unhandled: 1 } }), false)
})

test('no call of a listener may be missing, repeated or out of order, also beside one that fails', () => {
  assert.equal(met(LOSSES), true)
  for (const wrong of ['missing', 'repeated', 'disordered']) {
    const tally = { ...GOOD, [wrong]: 1 }
    assert.equal(met(LOSSES, { tally }), false)
    assert.equal(met(LOSSES, { failures: { tally } }), false)
  }
})

test('memory is stable if the heap grows by 512 KiB at most, and resident memory by 8 MiB', () => {
  const grown = (bytes) => ({ memory: { after: { readings: readingsOf(bytes) } } })
  assert.equal(met(MEMORY, grown({ heapUsed: 512 * KIB, rss: 8 * MIB })), true)
  assert.equal(met(MEMORY, grown({ heapUsed: 512 * KIB + 100 })), false)
  assert.equal(met(MEMORY, grown({ rss: 8 * MIB + 100 })), false)
  assert.equal(met(MEMORY, grown({ heapUsed: -MIB })), true)
  assert.match(criteriaOf(results())[MEMORY].numbers, /12 readings, 1000 events apart.*bound 0\.5.*bound 8/)
})

test('that memory grew before, too, does not make it stable', () => {
  const readings = readingsOf({ heapUsed: 2 * MIB })
  assert.equal(met(MEMORY, { memory: { before: { readings } } }), true)
  assert.equal(met(MEMORY, { memory: { before: { readings }, after: { readings } } }), false)
})

test('memory is not stable by two readings, nor by one that is low, nor where nothing was delivered', () => {
  assert.equal(met(MEMORY, { memory: { after: { readings: readingsOf({}, 6) } } }), true)
  assert.equal(met(MEMORY, { memory: { after: { readings: readingsOf({}, 5) } } }), false)
  const growing = readingsOf({ heapUsed: 4 * MIB })
  growing[11] = growing[0]
  assert.equal(met(MEMORY, { memory: { after: { readings: growing } } }), false)
  for (const tally of [
    { ...GOOD, missing: 1 },
    { ...GOOD, expected: 0 },
  ]) {
    assert.equal(met(MEMORY, { memory: { after: { tally } } }), false)
  }
})
