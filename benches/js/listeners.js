'use strict'

// The listeners of every row. Each adds its argument to a counter of its own: work that cannot be optimised away, and
// proof that every listener was called exactly as often as the row claims.

/** @param {number} count how many */
function countingListeners(count) {
  return listenersOf(count, (counter) => (number) => {
    counter.calls += number
  })
}

/** As `countingListeners`, but async functions: each call makes a promise that somebody has to wait for. */
function asyncListeners(count) {
  return listenersOf(count, (counter) => async (number) => {
    counter.calls += number
  })
}

function listenersOf(count, create) {
  const counters = Array.from({ length: count }, () => ({ calls: 0 }))
  return { functions: counters.map(create), counters }
}

module.exports = { countingListeners, asyncListeners }
