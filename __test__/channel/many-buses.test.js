'use strict'

// The cost of a bus that comes and goes does not depend on the number of others on its channel. Counted in calls of the
// engine, and in the number of its members, rows and routes that it looks at.

const assert = require('node:assert/strict')
const { after } = require('node:test')
const native = require('../../native.js')

/** So many buses for each of the first round in the second one. */
const TIMES = 8
const FIRST = 40

let calls = 0
const kept = { ...native }
for (const [name, call] of Object.entries(native)) {
  if (typeof call !== 'function') continue
  native[name] = (...args) => {
    calls++
    return call(...args)
  }
}
after(() => Object.assign(native, kept))
// After that, or it could have taken the functions out.
const { stage, test } = require('../fixtures/stage.js')

async function work(run, buses) {
  const before = calls + kept.counters().visits
  await run(buses)
  return calls + kept.counters().visits - before
}

/** Fails if so many times as many buses cost much more than so many times as much. */
async function assertLinear(run) {
  const [few, many] = [await work(run, FIRST), await work(run, FIRST * TIMES)]
  // Where each costs as much as there are others, it is as often again `TIMES`.
  assert.ok(many <= 2 * TIMES * few, `${few} for few, ${many} for ${TIMES} times as many`)
}

function joined({ join }, buses) {
  return Array.from({ length: buses }, () => {
    const bus = join()
    bus.on('x', () => {})
    return bus
  })
}

test('many buses of a channel join, listen and close', async (t) => {
  const scene = stage(t)
  await assertLinear(async (buses) => {
    await Promise.all(joined(scene, buses).map((bus) => bus.close()))
  })
})

test('many buses of a channel emit events of their own and close one after the other', async (t) => {
  const scene = stage(t)
  await assertLinear(async (buses) => {
    const all = joined(scene, buses)
    for (const [number, bus] of all.entries()) bus.emit(`reply:${number}`)
    for (const bus of all) await bus.close()
  })
})

test('a thread with many buses of a channel ends', async (t) => {
  const scene = stage(t)
  await assertLinear(async (buses) => {
    const thread = await scene.startOne(
      ({ ParallelEventBus, channel, data, log }) => {
        for (let number = 0; number < data; number++) {
          const bus = new ParallelEventBus({ channel })
          bus.on('x', () => {})
          log.push(bus)
        }
      },
      { data: buses },
    )
    await thread.terminate()
  })
})

test('turns in which events come cost buses nothing that wait for none', async (t) => {
  const scene = stage(t)
  const listener = scene.join()
  listener.on('y', () => {})
  const turns = async () => {
    for (let turn = 0; turn < 20; turn++) await scene.bus.emitAndWait('y')
  }
  await turns()
  const few = await work(turns)
  joined(scene, 500)
  assert.ok((await work(turns)) <= few + 20)
})
