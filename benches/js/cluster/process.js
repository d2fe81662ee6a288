'use strict'

// A process that takes part in a row: it listens in every way that is compared. `process.send` tells when it does.

const { ParallelEventBus, connect } = require('@cynic/parallel-event-bus')
const { connect: connectByHand } = require('@nats-io/transport-node')

const { urls, channel, subject } = JSON.parse(process.argv[2])

async function main() {
  for (const [name, url] of Object.entries(urls)) {
    const link = await connect(url, { channels: [`${channel}-${name}`] })
    listen(new ParallelEventBus({ channel: `${channel}-${name}` }))
    await link.synced()
  }
  if (urls.nats !== undefined) await listenByHand()
  process.on('message', (value) => process.send(value))
  process.on('disconnect', () => process.exit())
  process.send('ready')
}

function listen(bus) {
  let count = 0
  bus.on('request', (value) => value)
  bus.on('event', () => {})
  bus.on('counted', () => void count++)
  bus.on('count', () => count)
}

/** JSON, as applications write it. */
async function listenByHand() {
  const client = await connectByHand({ servers: urls.nats })
  let count = 0
  const reply = (callback) => (_, message) => message.respond(JSON.stringify(callback(message.json())))
  client.subscribe(`${subject}.request`, { callback: reply((value) => value) })
  client.subscribe(`${subject}.event`, { callback: reply(() => 1) })
  client.subscribe(`${subject}.counted`, { callback: (_, message) => message.json() && count++ })
  client.subscribe(`${subject}.count`, { callback: reply(() => count) })
  await client.flush()
}

main()
