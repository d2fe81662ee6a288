'use strict'

// A clock that reads the same in every thread: `performance.now()` counts from when its own thread began.

/** Milliseconds since some moment that all threads of the machine share. */
function now() {
  return Number(process.hrtime.bigint()) / 1e6
}

/** Keeps the thread busy. */
function block(ms) {
  const end = now() + ms
  while (now() < end);
}

module.exports = { now, block }
