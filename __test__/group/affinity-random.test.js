'use strict'

// Events of a few keys while threads come, leave, and die, in any order: those of a key start in the order of their
// emission, run in one thread at a time, and are lost only where they had started.

const assert = require('node:assert/strict')
const { stage, test, turn } = require('../fixtures/stage.js')
const { ParallelEventBus } = require('../..')

const KEYS = ['', 'a', '\ud800', '\udc00', 0, -1, 7n, 'x'.repeat(3000)]
const EVENTS = 600
const WORDS = 4
const [END, KILL] = [2, 3]

/** A sequence of numbers below a bound that looks random, and is the same for the same seed. */
function random(seed) {
  let state = seed
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
}

/** The starts and ends in all threads, in order: a start is a 1. Threads that die leave them behind. */
class Chronicle {
  constructor(memory) {
    this.words = new Int32Array(memory)
  }

  add(what, thread, key, job) {
    this.words.set([what, thread, key, job], Atomics.add(this.words, 0, WORDS) + WORDS)
  }

  all() {
    const entries = []
    for (let at = WORDS; at <= this.words[0]; at += WORDS) entries.push([...this.words.subarray(at, at + WORDS)])
    return entries
  }
}

/** A member. Some jobs end at once, some in another turn, and some keep their thread busy. */
const member = ({ bus, data, threadId }) => {
  const words = new Int32Array(data.memory)
  const add = (...entry) => words.set(entry, Atomics.add(words, 0, 4) + 4)
  const listener = async (key, job) => {
    add(1, threadId, key, job)
    if (job % 7 === 0) for (const end = performance.now() + 1; performance.now() < end; );
    else if (job % 3 === 0) await new Promise((resolve) => setTimeout(resolve, job % 4))
    else if (job % 5 === 0) await null
    add(2, threadId, key, job)
    return threadId
  }
  const { kind } = data
  if (kind === 'once') bus.once('job', listener)
  else bus.on('job', listener, kind === 'bounded' ? { concurrency: 1 } : {})
}

/** Asserts that the order of each key was kept, and that it ran at one member at a time. Returns the events that have started. */
function assertOrder(entries) {
  const killed = new Set()
  const started = new Set()
  const last = new Map()
  const running = new Map()
  for (const [what, thread, key, job] of entries) {
    if (what === KILL) {
      killed.add(thread)
      continue
    }
    const here = running.get(key) ?? new Map()
    running.set(key, here)
    if (what === END) {
      here.delete(job)
      continue
    }
    assert.ok(!started.has(job), `job ${job} is started once`)
    started.add(job)
    assert.ok(job > (last.get(key) ?? -1), `job ${job} of key ${key} behind ${last.get(key)}`)
    last.set(key, job)
    for (const [other, of] of here) {
      assert.ok(of === thread || killed.has(of), `job ${job} in thread ${thread}, ${other} still in ${of}`)
    }
    here.set(job, thread)
  }
  return started
}

for (const seed of [1, 2, 3, 4]) {
  test(`keys keep their order, whatever threads do, with seed ${seed}`, {
    threadsOnly: 'the memory of the chronicle cannot leave its process',
  }, async (t) => {
    const { bus, startOne } = stage(t, { group: 'workers' })
    const next = random(seed)
    const memory = new SharedArrayBuffer(4 * WORDS * (2 * EVENTS + 100))
    const chronicle = new Chronicle(memory)
    // The emitting bus is a member, too, or it is not.
    if (seed % 2 === 0) member({ bus, data: { memory, kind: 'lasting' }, threadId: 0 })
    const add = (kind, mailbox) => startOne(member, { options: { group: 'workers', mailbox }, data: { memory, kind } })
    // The first one stays.
    const threads = await Promise.all([add('lasting'), add('lasting', { maxMessages: 10 })])
    const unstarted = []
    bus.on(ParallelEventBus.deadLetter, ({ args, error }) => {
      if (error.code === 'ERR_THREAD_EXITED') unstarted.push(args)
    })
    const outcomes = []
    const aborted = new Set()
    for (let job = 0; job < EVENTS; job++) {
      const key = next(KEYS.length)
      const controller = next(20) === 0 ? new AbortController() : undefined
      const timeout = next(30) === 0 ? 1 + next(5) : undefined
      const view = bus.with({ key: KEYS[key], signal: controller?.signal, timeout })
      const request = next(2) === 0
      const done = request ? view.request('job', key, job) : view.emitAndWait('job', key, job)
      outcomes.push(
        done.then(
          (value) => (request ? undefined : value.errors[0]),
          (error) => error,
        ),
      )
      if (controller !== undefined) {
        aborted.add(job)
        setTimeout(() => controller.abort(new Error('aborted')), next(5))
      }
      const chance = next(40)
      if (chance === 0) threads.push(await add(['lasting', 'once', 'bounded'][next(3)], { maxMessages: 5 + next(50) }))
      else if (chance === 1 && threads.length > 1) {
        const [thread] = threads.splice(1 + next(threads.length - 1), 1)
        chronicle.add(KILL, thread.id, 0, 0)
        void thread.terminate()
      } else if (chance === 2 && threads.length > 1) {
        const [thread] = threads.splice(1 + next(threads.length - 1), 1)
        thread.tell(({ bus }) => void bus.close())
      } else if (chance === 3) await turn()
    }
    const errors = await Promise.all(outcomes)
    await bus.idle()
    const started = assertOrder(chronicle.all())
    assert.deepEqual(unstarted, [], 'nothing is lost that had not started')
    for (const [job, error] of errors.entries()) {
      const what = error?.code ?? error?.message
      if (what === undefined) assert.ok(started.has(job), `job ${job} is done`)
      else if (what === 'aborted') assert.ok(aborted.has(job))
      else assert.ok(['ERR_LISTENER_TIMEOUT', 'ERR_MAILBOX_FULL', 'ERR_THREAD_EXITED'].includes(what), what)
    }
  })
}
