'use strict'

// Loads files of the library with the first need of them. Compiling is most of the time that `require` takes, in the program
// and in each thread that it starts.

/**
 * Returns a function that loads once, and returns the same from then on.
 *
 * @template T
 * @param {() => T} load a `require` with its path written out, so that bundlers find it
 * @returns {() => T}
 */
function lazily(load) {
  let loaded
  return () => {
    loaded ??= load()
    return loaded
  }
}

/**
 * Returns a function that stands for one of a file which is loaded with the first call.
 *
 * @param {string} name
 * @param {() => Function} load as for `lazily`
 */
function late(name, load) {
  const loaded = lazily(load)
  const named = {
    [name](...args) {
      return Reflect.apply(loaded(), this, args)
    },
  }
  return named[name]
}

module.exports = { late, lazily }
