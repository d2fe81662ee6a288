'use strict'

// The migration check, as a function and as a command: on the application's buses, and on those of a reader.

const assert = require('node:assert/strict')
const { execFile } = require('node:child_process')
const path = require('node:path')
const { test } = require('node:test')
const { check } = require('@cynic/core/migration')

const MAIN = require.resolve('../migration/main.js')
const BUSES = path.join(__dirname, 'fixtures/buses.mjs')
const CRITERIA = [
  'emit waits less by more than 30 %',
  'delivery no later',
  'no more errors',
  'no event lost',
  'memory stable',
]
const [, DELIVERY, , LOSSES, MEMORY] = CRITERIA
/** Those that are a matter of time, which a busy machine decides: criteria.test.js has them on numbers. */
const TIMED = 2

/** Resolves to the output, and which criteria are met. */
function run(...args) {
  return new Promise((resolve) => {
    execFile(process.execPath, [MAIN, ...args, '--quick'], { encoding: 'utf8' }, (error, stdout, stderr) => {
      const lines = stdout.matchAll(/^(met|not met) +([^:]+): (.*)$/gm)
      const criteria = Object.fromEntries(Array.from(lines, ([, verdict, name]) => [name, verdict === 'met']))
      resolve({ code: error?.code ?? 0, stdout, stderr, criteria })
    })
  })
}

test('delivery is measured from the emit to the last listener, on both sides', async () => {
  const { latency } = await check({ file: BUSES, name: 'DerivedBus' }, { quick: true })
  assert.deepEqual(
    latency.map(({ kind, listeners }) => `${listeners} ${kind}`),
    ['3 cpu', '5 cpu', '10 cpu', '3 wait', '5 wait', '10 wait'],
  )
  for (const { kind, listeners, ms, rounds } of latency) {
    for (const { before, after } of rounds) {
      assert.equal(before.emit.length, 2)
      for (const { emit, lastStart, allDone } of [...eventsOf(before), ...eventsOf(after)]) {
        assert.ok(emit > 0 && lastStart > 0 && lastStart <= allDone)
        // The work of the listeners before it: the effects of order are no matter of speed.
        if (kind === 'cpu') assert.ok(lastStart >= (listeners - 1) * ms && allDone >= listeners * ms)
      }
      for (const { emit, lastStart, allDone } of eventsOf(before)) {
        assert.ok(lastStart <= emit)
        if (kind === 'cpu') assert.ok(allDone <= emit)
      }
      for (const { emit, lastStart } of eventsOf(after)) assert.ok(emit <= lastStart)
    }
  }
})

function eventsOf({ emit, lastStart, allDone }) {
  return emit.map((ms, event) => ({ emit: ms, lastStart: lastStart[event], allDone: allDone[event] }))
}

for (const args of [
  ['@cynic/core', 'ServicesBus', '--on', 'subscribe', '--emit', 'publish'],
  [BUSES, 'holding'],
]) {
  test(`the success criteria of ${path.basename(args[0])} ${args[1]} are told`, async () => {
    const { code, stdout, stderr, criteria } = await run(...args)
    assert.equal(stderr, '')
    assert.deepEqual(Object.keys(criteria), CRITERIA)
    assert.deepEqual(Object.values(criteria).slice(TIMED), [true, true, true])
    assert.equal(code, Object.values(criteria).every(Boolean) ? 0 : 1)
    const number = ' +[\\d.]+ │'
    for (const listeners of [3, 5, 10]) {
      const rows = stdout.match(new RegExp(`${listeners} │ +2 ms of CPU │${number.repeat(8)}`, 'g'))
      assert.equal(rows.length, 3, 'of emit, last start and all done, four percentiles each side')
      assert.match(stdout, new RegExp(`│ +${listeners} │ +${listeners} │${number.repeat(2)}`))
    }
    // One of five listeners throws at each tenth event, which keeps an EventEmitter from calling the other four.
    assert.match(stdout, /│ +5 │ +1 │ +10 │ +0 │/)
    assert.match(stdout, /failure rate: .* │ +2.0 % │ +2.0 % │/)
    assert.match(stdout, /not made because of it +│ +8.0 % │ +0.0 % │/)
    assert.doesNotMatch(stdout, /does not deliver at once/)
  })
}

for (const [name, missed] of Object.entries({
  LossyBus: [LOSSES, MEMORY],
  ReusingBus: [LOSSES],
  SwappingBus: [LOSSES],
  LeakingBus: [MEMORY],
  GrowingBus: [MEMORY],
  LateBus: [DELIVERY],
  FirstBus: [...CRITERIA],
  SilentBus: CRITERIA,
  NoBus: CRITERIA,
})) {
  test(`of ${name}, not met: ${missed.join(', ')}`, async () => {
    const { code, stdout, stderr, criteria } = await run(BUSES, name)
    assert.deepEqual(Object.keys(criteria), CRITERIA)
    for (const each of missed) assert.equal(criteria[each], false, each)
    assert.equal(code, 1)
    assert.equal(stderr, '')
    assert.doesNotMatch(stdout, /NaN|Infinity|undefined|null/)
    // The distribution has the events that reached none of five listeners.
    if (missed === CRITERIA) assert.match(stdout, /│ +5 │ +0 │ +\d+ │ +[1-9]\d* │/)
  })
}

test('a class that holds a bus and is not given another one is noticed', async () => {
  const { code, stdout } = await run('@cynic/core', 'CoreBus', '--on', 'subscribe', '--emit', 'publish')
  assert.match(stdout, /does not deliver at once on EventEmitter either/)
  assert.equal(code, 1)
})

test('a module that cannot be checked is refused, with the reason', async () => {
  for (const [args, said] of [
    [['./missing.js'], /There is no module ".\/missing.js" here/],
    [[BUSES], /exports several things/],
    [[BUSES, 'Missing'], /There is no class or function "Missing"/],
    [[BUSES, 'Nothing'], /neither a class that extends EventEmitter or ParallelEventBus, nor a function/],
    [[BUSES, 'PlainBus', '--on', 'subscribe'], /The bus has no method "subscribe"/],
    [[], /^Usage: /],
    [[BUSES, 'PlainBus', '--unknown'], /^Usage: /],
  ]) {
    const { code, stdout, stderr } = await run(...args)
    assert.equal(code, 2)
    assert.equal(stdout, '')
    assert.match(stderr, said)
  }
})
