'use strict'

// The check: two processes, one with the bus on EventEmitter, one with it on ParallelEventBus, that take turns.

const { fork } = require('node:child_process')
const { once } = require('node:events')

const LISTENERS = [3, 5, 10]
/** Time of a listener, as in the table of expectations: 2 ms. */
const WORK_MS = 2
const WORKING = ['cpu', 'wait'].flatMap((kind) => LISTENERS.map((listeners) => ({ kind, listeners, ms: WORK_MS })))
const CHEAP = LISTENERS.map((listeners) => ({ kind: 'nothing', listeners }))
const FAILING = { kind: 'nothing', listeners: 5, events: 100, failEvery: 10 }

/** 120 events of each row, so that the 99th percentile is not the slowest one. */
const FULL = {
  rounds: 10,
  events: 12,
  burst: 10,
  cheapBurst: 2000,
  memory: { readings: 12, bursts: 10, warmUp: 100, burst: 1000 },
}
const QUICK = {
  rounds: 2,
  events: 2,
  burst: 2,
  cheapBurst: 200,
  memory: { readings: 6, bursts: 2, warmUp: 20, burst: 1000 },
}

/**
 * Measures a bus before and after.
 *
 * @param {{ file: string, name?: string, on?: string, emit?: string, event?: string }} target see `load`; `on` and `emit`
 * name its methods to subscribe and to publish, `event` an event that it accepts
 * @param {{ quick?: boolean }} [options]
 */
async function check(target, { quick = false } = {}) {
  const asked = { on: 'on', emit: 'emit', event: 'check:bus:event', ...target }
  const sides = { before: new Side('before', asked), after: new Side('after', asked) }
  const both = async (task, parameters) => ({
    before: await sides.before.ask(task, parameters),
    after: await sides.after.ask(task, parameters),
  })
  try {
    return await measure(both, quick ? QUICK : FULL)
  } finally {
    for (const side of Object.values(sides)) side.end()
  }
}

async function measure(both, plan) {
  const probed = await both('probe')
  const latency = WORKING.map((row) => ({ ...row, rounds: [] }))
  const burst = [...WORKING, ...CHEAP].map((row) => ({ ...row, rounds: [] }))
  let complete = isComplete(probed)
  for (const { task, events, rounds, ...row } of stepsOf(plan, latency, burst)) {
    // Once calls are missing, the verdict is given, and each further step would wait for calls in vain.
    if (!complete) break
    const round = await both(task, { ...row, events })
    rounds?.push(round)
    complete = isComplete(round)
  }
  const failures = await both('failures', FAILING)
  const memory = await both('memory', { kind: 'nothing', listeners: 5, ...plan.memory })
  return { probed, latency, burst, failures, memory }
}

function* stepsOf({ rounds, events, burst: size, cheapBurst }, latency, burst) {
  // The first result is thrown away: V8 compiles during it.
  for (const row of CHEAP) yield { task: 'burst', ...row, events: cheapBurst }
  for (let round = 0; round < rounds; round++) {
    for (const row of latency) yield { task: 'latency', ...row, events }
    for (const row of burst) yield { task: 'burst', ...row, events: row.kind === 'nothing' ? cheapBurst : size }
  }
}

function isComplete(result) {
  return Object.values(result).every(({ tally }) => tally.missing === 0)
}

class Side {
  #child
  #exit

  constructor(side, target) {
    this.#child = fork(require.resolve('./side.js'), [side, JSON.stringify(target)], {
      // Failures on purpose are not worth a warning.
      execArgv: ['--expose-gc', '--no-warnings'],
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    })
    this.#exit = once(this.#child, 'exit').then(([code]) => {
      throw new Error(`The process of the side "${side}" ended with ${code}`)
    })
    // The exit matters only when a task waits for it.
    this.#exit.catch(() => {})
  }

  async ask(task, parameters) {
    const answer = once(this.#child, 'message')
    answer.catch(() => {})
    this.#child.send({ task, parameters })
    const [{ result, error }] = await Promise.race([answer, this.#exit])
    if (error !== undefined) throw Object.assign(new Error(error.message), error)
    return result
  }

  end() {
    this.#child.kill()
  }
}

module.exports = { check }
