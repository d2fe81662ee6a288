// A map with signatures: `request` resolves to their return type, and listeners have to return it.

import { type EventArguments, type EventReply, type Listener, ParallelEventBus } from '@cynic/parallel-event-bus'
import { any, check, type Equal } from './check.js'

interface Item {
  text: string
}

type Events = {
  score: (item: Item, weight?: number) => number
  load: (id: string) => Promise<Item>
  saved: (item: Item) => void
  flushed: () => Promise<void>
  find: (id: string) => Item | undefined
  created: [item: Item]
}

interface InterfaceEvents {
  score(item: Item): number
  created: [item: Item]
}

const item: Item = { text: 'a' }
const bus = new ParallelEventBus<Events>()
const same = new ParallelEventBus<InterfaceEvents>()

// Replies

const score = bus.request('score', item)
check<Equal<typeof score, Promise<number>>>()
const weighed = bus.with({ timeout: 5 }).request('score', item, 2)
check<Equal<typeof weighed, Promise<number>>>()
const loaded = bus.request('load', 'a')
check<Equal<typeof loaded, Promise<Item>>>()
const saved = bus.request('saved', item)
check<Equal<typeof saved, Promise<void>>>()
const flushed = bus.request('flushed')
check<Equal<typeof flushed, Promise<void>>>()
const found = bus.request('find', 'a')
check<Equal<typeof found, Promise<Item | undefined>>>()
const created = bus.request('created', item)
check<Equal<typeof created, Promise<unknown>>>()
const failed = bus.request('error', new Error('broken'))
check<Equal<typeof failed, Promise<unknown>>>()
const scored = same.request('score', item)
check<Equal<typeof scored, Promise<number>>>()

// @ts-expect-error: a score wants an item
bus.request('score')
// @ts-expect-error: an item is not a string
bus.request('score', 'a')
// @ts-expect-error: the reply is a number
const text: Promise<string> = bus.request('score', item)
// @ts-expect-error: the reply of an event with a tuple is unknown
const known: Promise<Item> = bus.request('created', item)

// The other ways to emit take the arguments of the signature.

bus.emit('score', item)
bus.emit('score', item, 2)
bus.emitAndWait('load', 'a')
// @ts-expect-error: a score wants an item
bus.emit('score')
// @ts-expect-error: the weight is a number
bus.emitAndWait('score', item, 'heavy')

// Listeners

bus.on('score', (item) => item.text.length)
bus.on('score', async (item, weight = 1) => item.text.length * weight)
bus.on('score', function (item, weight) {
  this.idle()
  check<Equal<typeof this, ParallelEventBus<Events>>>()
  check<Equal<typeof item, Item>>()
  check<Equal<typeof weight, number | undefined>>()
  return 0
})
bus.on('score', () => any<PromiseLike<number>>())
bus.once('load', (id) => ({ text: id }))
bus.once('load', async (id) => ({ text: id }))
bus.on('find', () => undefined)
same.on('score', (item) => item.text.length)
same.on('score', async (item) => item.text.length)

// Where the signature returns nothing, a listener may return anything.
bus.on('saved', (item) => item.text.length)
bus.on('flushed', () => true)
bus.on('created', (item) => item.text)

// @ts-expect-error: a score is a number
bus.on('score', (item) => item.text)
// @ts-expect-error: a score is the promise of a number
bus.on('score', async (item) => item.text)
// @ts-expect-error: a score is not nothing
bus.on('score', () => {})
// @ts-expect-error: in an interface neither
same.on('score', (item) => item.text)
// @ts-expect-error: it gets an item
bus.on('score', (item: string) => item.length)

check<Equal<EventArguments<Events, 'score'>, [item: Item, weight?: number | undefined]>>()
check<Equal<EventReply<Events, 'score'>, number>>()
check<Equal<EventReply<Events, 'load'>, Item>>()
check<Equal<EventReply<Events, 'created'>, unknown>>()
check<
  Equal<
    Listener<InterfaceEvents, 'score'>,
    (this: ParallelEventBus<InterfaceEvents>, item: Item) => number | PromiseLike<number>
  >
>()

export { known, text }
