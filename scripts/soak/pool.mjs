// The module of threads that a bus of the soak spawns.

import { createRequire } from 'node:module'
import { threadId } from 'node:worker_threads'

const require = createRequire(import.meta.url)
const { Checks } = require('./checks.js')
const { Ledger } = require('./ledger.js')
const { makeListener } = require('./listeners.js')
const { Random } = require('./random.js')

/** How seldom a thread ends instead of answering, or hangs where it is replaced then. */
const CRASHES = 1 / 300
const HANGS = 1 / 500

export default (bus, { memory, seed, mayHang }) => {
  const random = new Random(seed + threadId)
  const ledger = new Ledger(memory)
  const checks = new Checks(ledger, `thread ${threadId} of a pool`)
  bus.setErrorHandler((_event, error) => checks.expected(error, 'told to onError in a pool'))
  for (const event of ['plain', 'grouped', 'requested']) {
    const { listener, options } = makeListener({ random, ledger, checks, thread: -threadId }, event)
    bus.on(
      event,
      (...args) => {
        if (event !== 'plain' && random.chance(CRASHES)) {
          ledger.startOnce(args[0].event)
          process.exit()
        }
        const result = listener(...args)
        if (mayHang && random.chance(HANGS)) for (;;);
        return result
      },
      options,
    )
  }
  return () => ledger.add('teardowns')
}
