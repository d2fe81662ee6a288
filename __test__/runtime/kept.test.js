'use strict'

// A garbage collection between two bursts costs the second one none of its speed: V8 keeps the code that it has optimised
// for emissions and replies. V8 tells of code that it throws away: that is counted, and nothing is timed.

const assert = require('node:assert/strict')
const { spawnSync } = require('node:child_process')
const path = require('node:path')
const { test } = require('node:test')

const ROUNDS = 40
/** Functions that every event, or every request, goes through. */
const OFTEN =
  /^(Emission|BatchedEmission|TrackedEmission|JoinedReply|Reply|StandIn|PendingDispatch|runInAsyncScope|#startNext|#queue|start|call|callListeners|settle|finish)$/

const LISTENERS = `export default (bus) => {
  bus.on('event', ({ id }) => id)
  bus.on('request', ({ id }) => id)
  bus.on('collect', () => globalThis.gc())
}`

const SOURCE = `
  const { ParallelEventBus } = require(${JSON.stringify(path.join(__dirname, '../..'))})
  const bus = new ParallelEventBus({ channel: 'kept' })
  async function main() {
    await bus.spawn(${JSON.stringify(`data:text/javascript,${encodeURIComponent(LISTENERS)}`)}, { threads: 1 })
    for (let round = 0; round < ${ROUNDS}; round++) {
      for (let id = 0; id < 3000; id++) bus.emit('event', { id, kind: 'created' })
      await bus.idle()
      const request = (_, id) => bus.request('request', { id, kind: 'created' })
      await Promise.all(Array.from({ length: 1000 }, request))
      globalThis.gc()
      await bus.emitAndWait('collect')
    }
    process.exit()
  }
  main()
`

/** Only V8 in Node has such a flag. */
const isNode = process.versions.bun === undefined && process.versions.deno === undefined

test('a garbage collection between bursts to another thread throws no optimised code away', { skip: !isNode }, () => {
  const { status, stdout, stderr } = spawnSync(process.execPath, ['--expose-gc', '--trace-deopt', '-e', SOURCE], {
    encoding: 'utf8',
    maxBuffer: 2 ** 27,
  })
  assert.equal(status, 0, stderr)
  const counts = {}
  for (const [, name] of stdout.matchAll(/SharedFunctionInfo ([^>]+)>.*reason: .*weak objects/g)) {
    if (OFTEN.test(name)) counts[name] = (counts[name] ?? 0) + 1
  }
  // Without a kept object it is once in nearly every round. A few are of code that was optimised too early.
  for (const [name, count] of Object.entries(counts)) assert.ok(count < ROUNDS / 4, `${name}: ${count} times`)
})
