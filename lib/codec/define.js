'use strict'

// Properties of read objects.

/** The value of a property that a getter had deleted. */
const absent = Symbol('absent')

/** One descriptor for all. It inherits nothing: Object.prototype may have been given a `get`. */
const descriptor = Object.setPrototypeOf(
  { value: undefined, enumerable: true, configurable: true, writable: true },
  null,
)

/** Gives an object a property, regardless of its prototypes. */
function define(object, key, value, enumerable) {
  descriptor.value = value
  descriptor.enumerable = enumerable
  Object.defineProperty(object, key, descriptor)
  // Nothing is kept alive.
  descriptor.value = undefined
}

module.exports = { absent, define }
