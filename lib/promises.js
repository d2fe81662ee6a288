'use strict'

// Promises and things like promises.
//
// A program may install another Promise for all (zone.js, bluebird), before or after this file is loaded. So the
// language's own is taken from an async function, and nothing here looks at the global one again.

const { isPromise } = require('node:util').types

/** The language's own constructor. */
const NativePromise = Object.getPrototypeOf((async () => {})()).constructor
const { then } = NativePromise.prototype

/** Returns the `then` of a value that has one, else undefined. It is read once, by this. May throw, as any getter. */
function thenOf(value) {
  if (value === undefined || value === null) return undefined
  const found = value.then
  return typeof found === 'function' ? found : undefined
}

/**
 * Returns a promise for a value with this `then`: the value itself, if it is a promise. One that is only like a promise
 * may settle twice, throw, or settle with another promise; a real one sorts that out.
 */
function adopt(value, itsThen) {
  if (itsThen === then && isPromise(value)) return value
  return new NativePromise((resolve, reject) => Reflect.apply(itsThen, value, [resolve, reject]))
}

/** Calls the language's `then` of a promise that `adopt` returned, also where it has a `then` of its own. */
function follow(promise, onFulfilled, onRejected) {
  return Reflect.apply(then, promise, [onFulfilled, onRejected])
}

// One executor for all promises, instead of a closure for each: it is called before `new NativePromise` returns.
let resolveOfLast
let rejectOfLast
const capture = (resolve, reject) => {
  resolveOfLast = resolve
  rejectOfLast = reject
}

/** A promise with the two functions that settle it. */
class Deferred {
  constructor() {
    this.promise = new NativePromise(capture)
    this.resolve = resolveOfLast
    this.reject = rejectOfLast
  }
}

module.exports = { Deferred, NativePromise, adopt, follow, thenOf }
