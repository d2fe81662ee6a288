'use strict'

// The check: two processes, one with the bus on EventEmitter, one with it on ParallelEventBus, that take turns.

const { fork } = require('node:child_process')
const { once } = require('node:events')

const LISTENERS = [3, 5, 10]
const KINDS = ['cpu', 'wait']
/** What a listener takes, as in the table of expectations: 2 ms. */
const WORK_MS = 2
const FULL = { rounds: 7, events: 5, burst: 10, cheapBurst: 2000, memory: { bursts: 100, warmUp: 100, events: 1000 } }
const QUICK = { rounds: 2, events: 2, burst: 2, cheapBurst: 200, memory: { bursts: 10, warmUp: 10, events: 1000 } }

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
  const rows = KINDS.flatMap((kind) => LISTENERS.map((listeners) => ({ kind, listeners, ms: WORK_MS })))
  const cheap = LISTENERS.map((listeners) => ({ kind: 'nothing', listeners }))
  // What is compiled first is thrown away.
  for (const row of cheap) await both('burst', { ...row, events: plan.cheapBurst })

  const latency = rows.map((row) => ({ ...row, rounds: [] }))
  const burst = [...rows, ...cheap].map((row) => ({ ...row, rounds: [] }))
  for (let round = 0; round < plan.rounds; round++) {
    for (const { rounds, ...row } of latency) rounds.push(await both('latency', { ...row, events: plan.events }))
    for (const { rounds, ...row } of burst) {
      const events = row.kind === 'nothing' ? plan.cheapBurst : plan.burst
      rounds.push(await both('burst', { ...row, events }))
    }
  }
  const failures = await both('failures', { kind: 'nothing', listeners: 5, events: 100, failEvery: 10 })
  const memory = await both('memory', { kind: 'nothing', listeners: 5, ...plan.memory })
  return { probed, latency, burst, failures, memory }
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
    // It is when somebody asks that it matters.
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
