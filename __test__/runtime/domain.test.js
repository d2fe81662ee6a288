'use strict'

// Emitters and domains, as Node's own tests have them. To load `node:domain` changes EventEmitter for good, so this is a
// file of its own.

const assert = require('node:assert/strict')
const domain = require('node:domain')
const { EventEmitter } = require('node:events')
const { test } = require('node:test')
const { ParallelEventBus } = require('../..')

for (const Class of [EventEmitter, ParallelEventBus]) {
  test(`a domain hears of errors of its emitters that nobody else does: ${Class.name}`, () => {
    const heard = []
    const around = domain.create()
    around.on('error', ({ message, domainEmitter }) => heard.push([message, domainEmitter]))
    const emitter = around.run(() => new Class())
    emitter.emit('error', new Error('made inside'))
    const added = new Class()
    around.add(added)
    added.emit('error', new Error('added'))
    assert.deepEqual(heard, [
      ['made inside', emitter],
      ['added', added],
    ])
    around.remove(added)
    assert.throws(() => added.emit('error', new Error('removed')), /removed/)
  })
}
