'use strict'

// Judging in threads gives the same as judging here, and all threads take part.

const assert = require('node:assert/strict')
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
