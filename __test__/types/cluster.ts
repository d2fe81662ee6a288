// The types of links to other processes.

import {
  type ChannelLink,
  type ConnectOptions,
  connect,
  type LinkedPeer,
  ParallelEventBus,
  type Peer,
  PeerGoneError,
} from '@cynic/parallel-event-bus'
import { check, type Equal } from './check.js'

const options: ConnectOptions = { channels: ['orders'], space: 'prod', maxUnacknowledged: { messages: 1 } }
async function links() {
  const link = await connect('unix:/run/app', options)
  check<Equal<typeof link, ChannelLink>>()
  check<Equal<ReturnType<typeof link.peers>, LinkedPeer[]>>()
  const [peer] = link.peers()
  if (peer !== undefined) check<Equal<(typeof peer)['state'], 'joining' | 'joined'>>()
  check<Equal<typeof link.state, 'up' | 'away' | 'closing' | 'closed'>>()
  const { unsettled } = await link.close({ timeout: 5 })
  check<Equal<typeof unsettled, number>>()
  check<Equal<ReturnType<typeof link.unref>, typeof link>>()
  await ParallelEventBus.connect(new URL('unix:/run/app'), { channels: ['orders'] })

  // @ts-expect-error: the channels are required
  await connect('unix:/run/app', {})
  // @ts-expect-error: a misspelt option
  await connect('unix:/run/app', { channels: [], peerTimeouts: 5 })
}
void links

const bus = new ParallelEventBus<{ created: [id: number] }>({ channel: 'orders' })
bus.on(ParallelEventBus.peerJoin, ({ peer }) => check<Equal<typeof peer, Peer | undefined>>())
bus.on(ParallelEventBus.peerExit, ({ peer }) => check<Equal<typeof peer, Peer | undefined>>())
bus.on(ParallelEventBus.linkState, ({ state }) => check<Equal<typeof state, ChannelLink['state']>>())

const error: unknown = null
if (error instanceof PeerGoneError) check<Equal<typeof error.started, boolean | 'unknown'>>()
