// biome-ignore-all lint/suspicious/noExplicitAny: a bus without a map has `any` arguments, and these files say so

// A bus without a map: any event, any arguments, as in EventEmitter.

import { EventEmitter } from 'node:events'
import {
  createParallelEventBus,
  type EventArguments,
  type EventName,
  type Listener,
  ParallelEventBus,
} from '@cynic/parallel-event-bus'
import { any, check, type Equal } from './check.js'

const bus = new ParallelEventBus()
check<Equal<typeof bus, ParallelEventBus<any>>>()
const created = createParallelEventBus({ maxListeners: 5 })
check<Equal<typeof created, ParallelEventBus>>()

const name = any<string>()
const symbol = any<symbol>()

bus.on('order', function (...args) {
  this.idle()
  check<Equal<typeof args, any[]>>()
  check<Equal<typeof this, ParallelEventBus>>()
})
bus.on(name, (first, second) => first.anything + second)
bus.once(symbol, async () => 1)
bus.addListener('order', (id: number, text?: string) => `${id} ${text}`)
bus.prependListener('order', (order: { id: number }) => order.id)
bus.prependOnceListener('order', () => {})
bus.on('error', (error) => check<Equal<typeof error, any>>())
bus.on('newListener', (event, listener) => bus.off(event, listener))
bus.on(EventEmitter.errorMonitor, () => {})

check<Equal<ReturnType<typeof bus.emit>, boolean>>()
bus.emit('order')
bus.emit(name, 1, 'two', { three: 3 })
bus.emit(symbol, ...any<unknown[]>())
bus.emit('error', 'not an Error')
bus.emitAndWait(name, 1).then((outcome) => outcome.errors)
bus.with({ timeout: 5 }).emit(name, 1)

// A listener's reply is unknown, so it has to be looked at.
const reply = bus.request('order', 1)
check<Equal<typeof reply, Promise<unknown>>>()
const bounded = bus.with({ timeout: 5 }).request('order', 1)
check<Equal<typeof bounded, Promise<unknown>>>()

const listeners = bus.listeners(name)
check<Equal<typeof listeners, Array<(this: unknown, ...args: any[]) => unknown>>>()
for (const listener of bus.rawListeners(symbol)) listener(1, 2)
bus.off(name, () => {}).removeListener(symbol, (a: number) => a)
bus.removeAllListeners(name).removeAllListeners()
for (const event of bus.eventNames()) bus.listenerCount(event)
bus.listenerCount(name, () => {})

// @ts-expect-error: an event is a string or a symbol
bus.on(5, () => {})
// @ts-expect-error: an event is a string or a symbol
bus.emit({})
// @ts-expect-error: a listener is a function
bus.on('order', {})
// @ts-expect-error: `this` is the bus
bus.on('order', function (this: Map<string, string>) {})

check<Equal<EventName<any>, string | symbol>>()
check<Equal<EventArguments<any, 'order'>, any[]>>()
check<Equal<Listener<any>, (this: ParallelEventBus, ...args: any[]) => unknown>>()

// It serves as a bus of any map.
const mapped: ParallelEventBus<{ order: [id: number] }> = bus

export { mapped }
