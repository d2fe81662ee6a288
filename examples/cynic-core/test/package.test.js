'use strict'

// What @cynic/core exports, and under which names.

const assert = require('node:assert/strict')
const { test } = require('node:test')
const addon = require('@cynic/parallel-event-bus')

test('ParallelEventBus and createParallelEventBus come from @cynic/core and from @cynic/core/bus', async () => {
  for (const name of ['@cynic/core', '@cynic/core/bus']) {
    for (const exported of [require(name), await import(name)]) {
      assert.equal(exported.ParallelEventBus, addon.ParallelEventBus)
      assert.equal(exported.createParallelEventBus, addon.createParallelEventBus)
    }
  }
})
