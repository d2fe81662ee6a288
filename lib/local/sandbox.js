'use strict'

// The wake of a sandbox: a realm of its own within a thread, as test runners make one for each test file.
//
// The engine keeps the function that it calls for as long as the thread lives, and a function keeps its realm: each
// sandbox that had an event would stay in memory with all it has loaded. So sandboxes share a function of the
// thread's own realm. That one holds a sandbox's drain only while a wake for it is on its way.

const native = require('../native.js')

const key = Symbol.for('@cynic/parallel-event-bus.sandbox')

/** Source of the shared function. It runs in the thread's realm, and refers to a sandbox only while a wake waits. */
const SOURCE = `({ attach, callOutside, wake }, threadId) => {
  const waiting = []
  const drainAll = () => {
    const drains = waiting.splice(0)
    for (const drain of drains) drain(false)
  }
  let handle = 0
  callOutside(() => {
    handle = attach(drainAll, threadId)
  })
  return (drain) => {
    waiting.push(drain)
    wake(handle)
  }
}`

/** True if this file runs in a sandbox. Functions of the engine are of the thread's own realm. */
const isInSandbox = !(native.attach instanceof Function)

/** Asks for one call of a drain, from the event loop. */
function wakeSandbox(drain) {
  if (native[key] === undefined) {
    const { runInThisContext } = require('node:vm')
    const { threadId } = require('node:worker_threads')
    Object.defineProperty(native, key, { value: runInThisContext(SOURCE)(native, threadId) })
  }
  native[key](drain)
}

module.exports = { isInSandbox, wakeSandbox }
