'use strict'

// A process that computes digests: `node worker.js URL CHANNEL NAME`, on any machine with the same files.

const { ParallelEventBus, connect } = require('@cynic/parallel-event-bus')
const { digestOf } = require('./digest.js')

async function main([url, channel, name]) {
  const link = await connect(url, { channels: [channel], name })
  const bus = new ParallelEventBus({ channel })
  bus.on('digest', (file) => ({ digest: digestOf(file), by: name }))
  await link.synced()
  process.send?.('ready')
  link.ref()
  process.on('disconnect', () => process.exit())
}

main(process.argv.slice(2))
