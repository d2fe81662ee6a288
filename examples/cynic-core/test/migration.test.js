'use strict'

// The migration check as a command: on the application's buses, and on those of a reader.

const assert = require('node:assert/strict')
const { execFile } = require('node:child_process')
const path = require('node:path')
const { test } = require('node:test')

const MAIN = require.resolve('../migration/main.js')
const BUSES = path.join(__dirname, 'fixtures/buses.mjs')
const CRITERIA = ['emit waits less by more than 30 %', 'no more errors', 'no event lost', 'memory stable']

/** Resolves to the output, and which criteria are met. */
function check(...args) {
  return new Promise((resolve) => {
    execFile(process.execPath, [MAIN, ...args, '--quick'], { encoding: 'utf8' }, (error, stdout, stderr) => {
      const lines = stdout.matchAll(/^(met|not met) +([^:]+): (.*)$/gm)
      const criteria = Object.fromEntries(Array.from(lines, ([, verdict, name]) => [name, verdict === 'met']))
      resolve({ code: error?.code ?? 0, stdout, stderr, criteria })
    })
  })
}

for (const args of [
  ['@cynic/core', 'ServicesBus', '--on', 'subscribe', '--emit', 'publish'],
  [BUSES, 'DerivedBus'],
  [BUSES, 'holding'],
]) {
  test(`the success criteria of ${path.basename(args[0])} ${args[1]} are told`, async () => {
    const { code, stdout, stderr, criteria } = await check(...args)
    assert.equal(stderr, '')
    assert.deepEqual(Object.keys(criteria), CRITERIA)
    // The first is a matter of time, which the numbers below stand for.
    const [latency, ...others] = Object.values(criteria)
    assert.deepEqual(others, [true, true, true])
    assert.equal(code, latency ? 0 : 1)
    for (const column of ['emit before', 'all done before', 'taken before', 'done before']) {
      assert.ok(stdout.includes(column), column)
    }
    for (const listeners of [3, 5, 10]) {
      assert.match(stdout, new RegExp(`${listeners} │ +2 ms of CPU │ +[\\d.]+ ms │`))
      assert.match(stdout, new RegExp(`events of this check with ${listeners} listeners +│ +33.3 % │ +33.3 %`))
    }
    assert.doesNotMatch(stdout, /does not deliver at once/)
  })
}

for (const [name, missed] of Object.entries({
  LossyBus: CRITERIA[2],
  ReusingBus: CRITERIA[2],
  LeakingBus: CRITERIA[3],
})) {
  test(`of ${name}, "${missed}" is not met`, async () => {
    const { code, criteria } = await check(BUSES, name)
    assert.equal(criteria[missed], false)
    assert.equal(code, 1)
  })
}

test('a class that holds a bus and is not given another one is noticed', async () => {
  const { code, stdout } = await check('@cynic/core', 'CoreBus', '--on', 'subscribe', '--emit', 'publish')
  assert.match(stdout, /does not deliver at once on EventEmitter either/)
  assert.equal(code, 1)
})

test('what can not be checked is refused, with what is wrong', async () => {
  for (const [args, said] of [
    [['./missing.js'], /There is no module ".\/missing.js" here/],
    [[BUSES], /exports several things/],
    [[BUSES, 'Missing'], /There is no class or function "Missing"/],
    [[BUSES, 'Nothing'], /neither a class that extends EventEmitter or ParallelEventBus, nor a function/],
    [[BUSES, 'PlainBus', '--on', 'subscribe'], /The bus has no method "subscribe"/],
    [[], /^Usage: /],
    [[BUSES, 'PlainBus', '--unknown'], /^Usage: /],
  ]) {
    const { code, stdout, stderr } = await check(...args)
    assert.equal(code, 2)
    assert.equal(stdout, '')
    assert.match(stderr, said)
  }
})
