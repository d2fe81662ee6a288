'use strict'

// A process that prints how many nanoseconds its first events take, on the way that its argument names.

const { payloads } = require('../payloads.js')
const { withCrew } = require('./crew.js')

/** Number of events. */
const FIRST = 1000
const PAYLOAD = 'application’s event'
/** How each contestant is counted, and sends. */
const WAYS = {
  bus: { way: 'bus', send: ({ bus }, event) => bus.emit('tick', event) },
  BroadcastChannel: { way: 'broadcast', send: ({ broadcast }, event) => broadcast.postMessage(event) },
}

async function main(name) {
  const { way, send } = WAYS[name]
  const makeEvent = payloads[PAYLOAD]
  const took = await withCrew({ threads: 1, hears: 'anything' }, async (crew) => {
    const heard = crew.heard(way, FIRST)
    const start = process.hrtime.bigint()
    for (let id = 0; id < FIRST; id++) send(crew, makeEvent(id))
    await heard
    return process.hrtime.bigint() - start
  })
  console.log(String(took))
}

if (require.main === module) main(process.argv[2])

module.exports = { FIRST, PAYLOAD }
