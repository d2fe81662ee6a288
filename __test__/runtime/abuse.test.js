'use strict'

// Calls of the engine as only a defective library could make them: all of them are errors, or do something harmless.
// Each runs in a process of its own, which has to come to its end. `npm run test:asan` runs them, too.

const assert = require('node:assert/strict')
const { spawnSync } = require('node:child_process')
const { readFileSync } = require('node:fs')
const path = require('node:path')
const { test } = require('node:test')

/** The common tools of all calls. They see nothing else of this file. */
function tools(require, binding) {
  const native = require(binding)
  const { Worker } = require('node:worker_threads')
  const shared = (Type, length, most = length) => {
    const bytes = (elements) => Type.BYTES_PER_ELEMENT * elements
    return new Type(new SharedArrayBuffer(bytes(length), { maxByteLength: bytes(most) }))
  }
  const tools = {
    native,
    shared,
    /** The same random numbers each time, below a bound. */
    random: (() => {
      let state = 4711
      return (limit) => {
        state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff
        return state % limit
      }
    })(),
    /** Any size, small ones as often as large ones. */
    anyWord: () => (tools.random(0x7fffffff) * 2) >>> tools.random(32),
    attempt: (call) => {
      try {
        return call()
      } catch (error) {
        return error
      }
    },
    pause: (ms) => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms),
    /** A thread for the engine with a member that listens to `e`, and one that emits it. */
    attach: () => {
      const thread = native.attach(() => {}, 1)
      const [records, bytes] = [shared(Uint32Array, 2 + 3 * 32), shared(Uint8Array, 2 ** 16)]
      native.lendRecords(thread, records)
      native.lend(thread, bytes)
      const [emitter, listening] = [0, 1].map(() => native.join(thread, 'abuse', 65_536, 2 ** 26, 0))
      native.listen(thread, listening, 'e', 7, false, false, false, undefined)
      const route = native.route(thread, emitter, 'e')
      const words = new Uint32Array(65_536)
      const post = (count, size = 100) => {
        for (let number = 0; number < count; number++) native.publish(thread, route, 0, size)
      }
      const writeDown = (at, values) => records.set(values, 2 + 3 * at)
      return { thread, records, bytes, words, emitter, listening, route, post, writeDown }
    },
    /** A thread of the process that runs `body`, where `require`, `data` and all of the above is. */
    start: (body, data) => {
      const source = `const { workerData } = require('node:worker_threads'); (${body})({
        ...(${tools.source})(require, ${JSON.stringify(binding)}), data: workerData })`
      return new Worker(source, { eval: true, workerData: data })
    },
  }
  return tools
}

const CASES = {
  'values of any kind, as many as one likes, for every function': ({ native, random, attempt, attach }) => {
    const known = attach()
    const { thread, emitter, listening, route } = known
    const odd = [
      undefined,
      null,
      Number.NaN,
      -1,
      0.5,
      2 ** 31,
      2 ** 32 - 1,
      2 ** 32,
      2 ** 53,
      1e308,
      '',
      'x',
      '1',
      true,
    ]
    odd.push(5n, Symbol('s'), {}, [], () => {}, new Date(), new Proxy({}, {}), new Uint8Array(3), new Uint32Array(9))
    odd.push(new ArrayBuffer(8), new SharedArrayBuffer(8), new DataView(new ArrayBuffer(8)), new Float64Array(0))
    odd.push({
      valueOf() {
        throw new Error('no value')
      },
    })
    const places = [thread, emitter, listening, route, 0, 7]
    // They make a thread, print, and write a file each time.
    const left = ['attach', 'panicForTest', 'openTrace']
    const functions = Object.entries(native).filter(
      ([name, value]) => typeof value === 'function' && !left.includes(name),
    )
    for (const [, call] of functions) {
      for (let round = 0; round < 1500; round++) {
        const any = () => (random(3) === 0 ? places[random(places.length)] : odd[random(odd.length)])
        const values = Array.from({ length: random(10) }, any)
        if (random(2) === 0) values[0] = thread
        if (random(3) === 0) values[1] = places[1 + random(3)]
        attempt(() => call(...values))
      }
      attempt(() => new call())
      attempt(() => Reflect.construct(call, [thread, 2, 3]))
    }
    for (const value of odd) {
      attempt(() => native.attach(value, 1))
      attempt(() => native.attach(() => {}, value))
      attempt(() => native.callOutside(value))
      attempt(() => native.openTrace(process.cwd(), value))
    }
  },

  'handles of another thread': async ({ native, attach, start, ofAThread }) => {
    const { thread, emitter } = attach()
    const body = ({ native, attempt, data }) => {
      const { parentPort } = require('node:worker_threads')
      const called = (name) => native[name](data.thread, data.emitter, 'e', 1, false, false, false)
      const results = data.names.map((name) => [name, attempt(() => called(name))])
      parentPort.postMessage(results.filter(([, result]) => !(result instanceof Error)).map(([name]) => name))
    }
    const worker = start(body, { thread, emitter, names: ofAThread })
    const done = await new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject))
    if (done.length > 0) throw new Error(`these did something: ${done}`)
    native.leave(thread, emitter)
  },

  'records of nonsense, while the engine looks for them': ({ native, random, anyWord, attach, pause }) => {
    const { thread, records, words } = attach()
    native.beginBurst(thread)
    for (let round = 0; round < 200; round++) {
      for (let at = 2; at < records.length; at++) records[at] = anyWord()
      Atomics.store(records, 0, random(3) === 0 ? anyWord() : random(40))
      if (round % 3 === 0) pause(1)
      native.flushBurst(thread, 0)
    }
    native.flushBurst(thread, 1)
    while (native.read(thread, 2 ** 32 - 1, words) > 1);
  },

  'a number of records that goes back and forth': ({ native, attach, pause }) => {
    const { thread, records, route, writeDown } = attach()
    native.beginBurst(thread)
    for (let at = 0; at < 32; at++) writeDown(at, [route, 0, 10])
    for (const number of [5, 1, 32, 0, 2 ** 32 - 1, 7]) {
      Atomics.store(records, 0, number)
      pause(2)
    }
    native.flushBurst(thread, 1)
    if (records[0] !== 0) throw new Error('it was not cleared')
  },

  'memory that is exchanged, grown, and let go of in a burst': ({ native, shared, attach, pause }) => {
    const { thread, records, route, writeDown } = attach()
    native.beginBurst(thread)
    for (let round = 0; round < 200; round++) {
      for (let at = 0; at < 8; at++) writeDown(at, [route, 0, 1000 + round])
      Atomics.store(records, 0, 8)
      const bytes = shared(Uint8Array, 2000, 4000)
      native.lend(thread, bytes)
      bytes.buffer.grow?.(4000)
      if (round % 20 === 0) globalThis.gc()
      if (round % 10 === 0) pause(1)
    }
    native.lendRecords(thread, shared(Uint32Array, 5))
    globalThis.gc()
    pause(5)
    native.flushBurst(thread, 1)
    native.publish(thread, route, 0, 2000)
  },

  'memory that another thread writes meanwhile': async ({ native, shared, attach, start }) => {
    const { thread, route, words, bytes } = attach()
    const body = ({ data }) => {
      for (let round = 0; round < 1e5 && Atomics.load(data.stop, 0) === 0; round++) data.bytes.fill(round)
    }
    const stop = shared(Int32Array, 1)
    const worker = start(body, { bytes, stop })
    const ended = new Promise((resolve) => worker.once('exit', resolve))
    for (let round = 0; round < 500; round++) {
      native.publish(thread, route, 0, 30_000)
      native.dispatch(thread, route, 0, 30_000, 0, 0, 0)
      if (round % 10 === 0) while (native.read(thread, 2 ** 32 - 1, words) > 1);
    }
    Atomics.store(stop, 0, 1)
    await ended
  },

  'ranges of nonsense to settle, and handles that are settled twice': ({
    native,
    random,
    anyWord,
    attach,
    attempt,
  }) => {
    const { thread, route, words, emitter, post } = attach()
    post(40)
    for (let token = 0; token < 20; token++) native.dispatch(thread, route, 0, 5, 4 | (token & 1), token, 0)
    native.read(thread, 2 ** 32 - 1, words)
    const ranges = new Uint32Array(64)
    for (let round = 0; round < 1000; round++) {
      for (let at = 0; at < ranges.length; at++) ranges[at] = anyWord()
      attempt(() => native.settle(thread, ranges, random(70)))
    }
    const { start, startTimer, skip, acknowledge, reply, release } = native
    const calls = [start, startTimer, skip, acknowledge, reply, release, start, acknowledge, release]
    // A name that the engine no longer has would be an error that `attempt` expects.
    if (calls.includes(undefined)) throw new Error('a function is missing')
    for (let handle = 0; handle < 24; handle++) {
      for (const call of calls) attempt(() => call(thread, handle, 0, 1, 1))
    }
    native.settle(thread, Uint32Array.of(0, 0, 2 ** 32 - 1, 0), 4)
    if (native.pending(thread, emitter) !== 0) throw new Error('something is left')
  },

  'members and routes after they were forgotten': ({ native, attach, attempt }) => {
    const { thread, emitter, listening, route, words, post } = attach()
    post(10)
    native.leave(thread, listening)
    native.forgetRoutes(thread, emitter)
    native.forgetMember(thread, emitter)
    for (const call of ['pending', 'addressed', 'isIdle', 'leave', 'waitForRoom', 'isCongested']) {
      if (!(attempt(() => native[call](thread, emitter)) instanceof Error)) throw new Error(`${call} found it`)
    }
    if (!(attempt(() => native.publish(thread, route, 0, 9)) instanceof Error)) throw new Error('post found it')
    native.read(thread, 99, words)
  },

  'threads that end in a burst, while the engine looks for what they have written down': async ({ start }) => {
    const body = ({ native, attach, data }) => {
      const { thread, records, bytes, route, writeDown } = attach()
      native.beginBurst(thread)
      bytes.fill(data)
      for (let at = 0; at < 32; at++) writeDown(at, [route, 0, 60_000])
      Atomics.store(records, 0, 32)
      if (data % 2 === 0) process.exit()
      for (;;);
    }
    for (let number = 0; number < 12; number++) {
      const worker = start(body, number)
      const ended = new Promise((resolve) => worker.once('exit', resolve))
      if (number % 2 === 1) {
        await new Promise((resolve) => worker.once('online', resolve))
        await worker.terminate()
      }
      await ended
    }
  },

  'calls while the process exits': ({ native, attach }) => {
    const { thread, records, route, words, post, writeDown } = attach()
    process.on('exit', () => {
      post(20)
      native.beginBurst(thread)
      writeDown(0, [route, 0, 9])
      Atomics.store(records, 0, 1)
      native.wake(thread)
      native.read(thread, 5, words)
    })
    process.exit(0)
  },
}

/** The functions whose first argument is the handle of the current thread. `exitReason` is about another one. */
const OF_A_THREAD = Array.from(
  readFileSync(path.join(__dirname, '../../native.d.ts'), 'utf8').matchAll(/function (\w+)\(thread: number/g),
  ([, name]) => name,
).filter((name) => name !== 'exitReason')

for (const [name, run] of Object.entries(CASES)) {
  test(name, () => {
    const binding = JSON.stringify(path.join(__dirname, '../../native.js'))
    // Some leave events behind that would keep the process.
    const source = `
      const tools = ${tools}
      const all = tools(require, ${binding})
      all.source = String(tools)
      all.ofAThread = ${JSON.stringify(OF_A_THREAD)}
      Promise.resolve((${run})(all)).then(() => process.exit(0), (error) => {
        console.log(error)
        process.exit(1)
      })
    `
    const { status, signal, stdout } = spawnSync(process.execPath, ['--expose-gc', '-e', source], {
      encoding: 'utf8',
      timeout: 120_000,
    })
    assert.deepEqual([status, signal, stdout], [0, null, ''])
  })
}
