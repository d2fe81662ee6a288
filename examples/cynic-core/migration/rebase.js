'use strict'

// Gives a bus class the other base class, as changing the one word after `extends` would: both of the links that
// `extends` makes, for statics and for instances. `super` follows them.

const { EventEmitter } = require('node:events')
const { ParallelEventBus } = require('@cynic/parallel-event-bus')

/**
 * Changes the class itself: load its module again for another one.
 *
 * @param {Function} Bus a class that extends EventEmitter or ParallelEventBus, itself or through others
 * @param {Function} Base one of the two
 * @returns {Function} the same class
 */
function rebase(Bus, Base) {
  const own = ownClass(Bus)
  if (own === null) {
    throw new TypeError(`${Bus.name || 'The export'} is not a class that extends EventEmitter or ParallelEventBus`)
  }
  Object.setPrototypeOf(own, Base)
  Object.setPrototypeOf(own.prototype, Base.prototype)
  return Bus
}

/** The one that says `extends EventEmitter` or `extends ParallelEventBus`: Bus or a class it extends; or null. */
function ownClass(Bus) {
  for (let each = Bus; typeof each === 'function' && !isBase(each); each = Object.getPrototypeOf(each)) {
    if (isBase(Object.getPrototypeOf(each))) return each
  }
  return null
}

function isBase(value) {
  return value === EventEmitter || value === ParallelEventBus
}

module.exports = { rebase, ownClass }
