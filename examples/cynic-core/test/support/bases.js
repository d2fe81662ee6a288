'use strict'

// The switch: every suite runs on an EventEmitter, as before, and on a ParallelEventBus, as after.

const { EventEmitter } = require('node:events')
const path = require('node:path')
const { describe } = require('node:test')
const { ParallelEventBus } = require('@cynic/core')
const { rebase } = require('../../migration/rebase.js')

const BASES = [EventEmitter, ParallelEventBus]
const LIBRARY = path.join(__dirname, '../../lib')

/**
 * Defines a suite for each base.
 *
 * @param {string} file in lib/
 * @param {string} name of the class in it
 * @param {(suite: { create: (options?: object) => EventEmitter, deferred: boolean, Base: Function }) => void} define
 */
function onBothBases(file, name, define) {
  for (const Base of BASES) {
    const Bus = rebase(fresh(path.join(LIBRARY, file))[name], Base)
    const create = (options) => new Bus(options)
    describe(`${name} on ${Base.name}`, () => define({ create, deferred: Base === ParallelEventBus, Base }))
  }
}

/** The module as nobody else has it, because `rebase` changes the class. */
function fresh(file) {
  delete require.cache[file]
  const exported = require(file)
  delete require.cache[file]
  return exported
}

/** Waits until every listener of every emitted event has settled. An EventEmitter has called them when `emit` returns. */
async function settled(bus) {
  await bus.idle?.()
}

module.exports = { BASES, onBothBases, settled }
