'use strict'

// One of the threads of a crew (`crew.js`): listens on a bus, on a BroadcastChannel and on a port, and counts the
// messages of each.

const { BroadcastChannel, parentPort, workerData } = require('node:worker_threads')
const { ParallelEventBus } = require('../../../index.js')
const { now } = require('./clock.js')
const { Ledger } = require('./ledger.js')

/** Returns the count of a message, which is 1: one look at it is needed to know. */
const READ = {
  event: ({ value }) => value,
  number: (number) => number,
  anything: (heard) => (heard === undefined ? 0 : 1),
  bytes: ({ length }) => Math.sign(length),
  stamp: (sentAt) => {
    workerData.lateness[0] = now() - sentAt
    return 1
  },
}

function main({ channel, hears, mailbox, memory, thread, port }) {
  const ledger = new Ledger(memory)
  const read = READ[hears]
  const counting = (way) => ledger.counting(thread, way, () => parentPort.postMessage('heard'))
  const [onBus, onBroadcast, onPort, onEcho] = ['bus', 'broadcast', 'port', 'echo'].map(counting)

  const bus = new ParallelEventBus({ channel, mailbox })
  bus.on('tick', (heard) => onBus(read(heard)))

  const broadcast = new BroadcastChannel(channel)
  broadcast.onmessage = ({ data }) => onBroadcast(read(data))

  port.on('message', (heard) => {
    onEcho(read(heard))
    port.postMessage(heard)
  })

  const told = {
    collect() {
      globalThis.gc?.()
      parentPort.postMessage('collected')
    },
    async close() {
      await bus.close()
      for (const open of [broadcast, port, parentPort]) open.close()
    },
  }
  parentPort.on('message', (message) => {
    if (typeof message === 'string') told[message]()
    else onPort(read(message))
  })
  parentPort.postMessage('ready')
}

main(workerData)
