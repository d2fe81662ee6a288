'use strict'

// Judging in threads gives what judging here gives, and all threads take part.

const assert = require('node:assert/strict')
const { execFileSync } = require('node:child_process')
const { test } = require('node:test')
const { Court } = require('../judging/court.js')
const { DIMENSIONS, stepsFor } = require('../judging/dimensions.js')

test('36 dimensions are judged alike in this thread and in two others, which share them', async () => {
  const court = await Court.open({ threads: 2, steps: 100_000 })
  const { scores, threadIds } = await court.judgeInThreads('main.js')
  assert.equal(DIMENSIONS.length, 36)
  assert.deepEqual(scores, court.judgeHere('main.js'))
  assert.equal(threadIds.size, 2)
  assert.notDeepEqual(scores, court.judgeHere('other.js'))
  assert.ok(new Set(scores).size > 10)
  await court.close()
})

test('the work is measured in steps', () => {
  assert.ok(stepsFor(2) > stepsFor(0.001))
})

test('the command prints the speed-up', () => {
  const output = execFileSync(process.execPath, [require.resolve('../judging/main.js'), '2'], { encoding: 'utf8' })
  assert.match(output, /^36 dimensions of about 5 ms each/)
  assert.match(output, /^one thread: {3}\d+\.\d ms$/m)
  assert.match(output, /^threads \(2\): {2}\d+\.\d ms$/m)
  assert.match(output, /^speed-up: {5}\d+\.\d\d×, on \d+ cores \(load average when it began: \d+\.\d\)$/m)
})
