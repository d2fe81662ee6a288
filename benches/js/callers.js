'use strict'

// Callers that each call, wait for the result, and call again.

/** @param {{ callers: number, each: number }} how many call at the same time, and how often each of them does */
async function callAll({ callers, each }, call) {
  await Promise.all(Array.from({ length: callers }, () => callEach(each, call)))
}

async function callEach(times, call) {
  for (let time = 0; time < times; time++) await call()
}

module.exports = { callAll }
