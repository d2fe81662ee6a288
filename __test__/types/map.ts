// A bus with a map: names and arguments are checked, wherever an event is named.

import { EventEmitter } from 'node:events'
import {
  createParallelEventBus,
  type EventArguments,
  type EventMap,
  type EventName,
  type Listener,
  ParallelEventBus,
} from '@cynic/parallel-event-bus'
import { any, check, type Equal, type Judgment } from './check.js'

const tick = Symbol('tick')

type Events = {
  'judgment:created': [judgment: Judgment]
  moved: [x: number, y: number, label?: string]
  logged: string[]
  stopped: []
  frozen: readonly [at: Date]
  [tick]: [count: number]
}

interface InterfaceEvents {
  'judgment:created': [judgment: Judgment]
  moved: [x: number, y: number, label?: string]
  logged: string[]
  stopped: []
  frozen: readonly [at: Date]
  [tick]: [count: number]
}

const judgment: Judgment = { id: 'a', score: 5 }
const bus = new ParallelEventBus<Events>()
const same: ParallelEventBus<InterfaceEvents> = new ParallelEventBus<InterfaceEvents>()
const created: ParallelEventBus<Events> = createParallelEventBus()
check<Equal<typeof bus, ReturnType<typeof createParallelEventBus<Events>>>>()

// A `type` and an `interface` do the same.
const asInterface: ParallelEventBus<InterfaceEvents> = bus
const asType: ParallelEventBus<Events> = same

// Listeners: each way to add one gives it the arguments of its event, and the bus as `this`.

bus.on('judgment:created', function (judgment, ...rest) {
  this.idle()
  check<Equal<typeof judgment, Judgment>>()
  check<Equal<typeof rest, []>>()
  check<Equal<typeof this, ParallelEventBus<Events>>>()
})
same.on('judgment:created', (judgment) => check<Equal<typeof judgment, Judgment>>())
bus.once('moved', (...args) => check<Equal<typeof args, [x: number, y: number, label?: string]>>())
bus.addListener('logged', (...lines) => check<Equal<typeof lines, string[]>>())
bus.prependListener('stopped', (...args) => check<Equal<typeof args, []>>())
bus.prependOnceListener('frozen', (...args) => check<Equal<typeof args, [at: Date]>>())
bus.on(tick, (count) => check<Equal<typeof count, number>>())

// A listener may leave arguments out, return anything, and say `this` is anything that a bus is.
bus.on('moved', () => {})
bus.on('moved', (x) => x)
bus.on('moved', async (x, y) => x + y)
bus.on('moved', Math.max as (...values: Array<number | string | undefined>) => number)
bus.on('stopped', function (this: EventEmitter) {
  this.eventNames()
})
bus.on('stopped', function (this: void) {})

// One listener for several events gets the arguments of any of them.
for (const name of ['judgment:created', 'stopped'] as const) {
  bus.on(name, (...args) => check<Equal<typeof args, [judgment: Judgment] | []>>())
}

// @ts-expect-error: there is no such event
bus.on('judgment:deleted', () => {})
// @ts-expect-error: nor for any other way to add a listener
bus.once('judgment:deleted', () => {})
// @ts-expect-error: as above
bus.addListener('judgment:deleted', () => {})
// @ts-expect-error: as above
bus.prependListener('judgment:deleted', () => {})
// @ts-expect-error: as above
bus.prependOnceListener('judgment:deleted', () => {})
// @ts-expect-error: a symbol that is not in the map
bus.on(Symbol('other'), () => {})
// @ts-expect-error: a string that may be any
bus.on(any<string>(), () => {})
// @ts-expect-error: the argument is a Judgment
bus.on('judgment:created', (judgment: string) => judgment)
// @ts-expect-error: as above
bus.once('judgment:created', (judgment: string) => judgment)
// @ts-expect-error: as above
bus.addListener('judgment:created', (judgment: string) => judgment)
// @ts-expect-error: as above
bus.prependListener('judgment:created', (judgment: string) => judgment)
// @ts-expect-error: as above
bus.prependOnceListener('judgment:created', (judgment: string) => judgment)
// @ts-expect-error: it wants more arguments than there are
bus.on('stopped', (reason) => reason)
// @ts-expect-error: the label may be missing
bus.on('moved', (_x, _y, label) => label.length)
// @ts-expect-error: `this` is the bus
bus.on('stopped', function (this: Map<string, string>) {})
// @ts-expect-error: not a function
bus.on('stopped', 'stop')
// @ts-expect-error: a listener is missing
bus.on('stopped')

// Chaining keeps the map.
check<Equal<ReturnType<typeof bus.resetStats>, ParallelEventBus<Events>>>()
bus
  .on('stopped', () => {})
  .once('stopped', () => {})
  .addListener('stopped', () => {})
  .prependListener('stopped', () => {})
  .prependOnceListener('stopped', () => {})
  .off('stopped', () => {})
  .removeListener('stopped', () => {})
  .removeAllListeners()
  .removeAllListeners('stopped')
  .setMaxListeners(0)
  .setErrorHandler(() => {})
  .clearErrorHandler()
  .resetStats()
  .emit('judgment:created', judgment)

// Emitting

check<Equal<ReturnType<typeof bus.emit>, boolean>>()
bus.emit('judgment:created', judgment)
bus.emit('moved', 1, 2)
bus.emit('moved', 1, 2, 'here')
bus.emit('logged')
bus.emit('logged', 'a', 'b', 'c')
bus.emit('stopped')
bus.emit('frozen', new Date())
bus.emit(tick, 1)
bus.emitAndWait('moved', 1, 2)
bus.request('moved', 1, 2)
bus.with({}).emit('moved', 1, 2)
bus.with({}).emitAndWait('moved', 1, 2)
bus.with({}).request('moved', 1, 2)
same.emit('moved', 1, 2)
created.emit('moved', 1, 2)

// @ts-expect-error: there is no such event
bus.emit('judgment:deleted')
// @ts-expect-error: as above
bus.emitAndWait('judgment:deleted')
// @ts-expect-error: as above
bus.request('judgment:deleted')
// @ts-expect-error: as above
bus.with({}).emit('judgment:deleted')
// @ts-expect-error: as above
bus.with({}).emitAndWait('judgment:deleted')
// @ts-expect-error: as above
bus.with({}).request('judgment:deleted')
// @ts-expect-error: there is no such event in an interface either
same.emit('judgment:deleted')
// @ts-expect-error: nor in a bus of the factory
created.emit('judgment:deleted')
// @ts-expect-error: an argument is missing
bus.emit('moved', 1)
// @ts-expect-error: as above
bus.emitAndWait('moved', 1)
// @ts-expect-error: as above
bus.request('moved', 1)
// @ts-expect-error: as above
bus.with({}).emit('moved', 1)
// @ts-expect-error: as above
bus.with({}).emitAndWait('moved', 1)
// @ts-expect-error: as above
bus.with({}).request('moved', 1)
// @ts-expect-error: an argument too many
bus.emit('stopped', 'why')
// @ts-expect-error: a string is no Judgment
bus.emit('judgment:created', 'a')
// @ts-expect-error: the symbol's argument is a number
bus.emit(tick, 'one')

// Looking and removing

check<Equal<ReturnType<typeof bus.listenerCount>, number>>()
check<Equal<ReturnType<typeof bus.eventNames>, Array<string | symbol>>>()
bus.listenerCount('stopped')
bus.listenerCount('judgment:created', (judgment) => judgment.id)
bus.off('judgment:created', (judgment) => judgment.id)
bus.removeListener(tick, (count) => count.toFixed())
const listeners = bus.listeners('judgment:created')
check<Equal<typeof listeners, Array<(this: unknown, judgment: Judgment) => unknown>>>()
check<Equal<typeof listeners, ReturnType<typeof bus.rawListeners<'judgment:created'>>>>()
for (const listener of listeners) {
  listener(judgment)
  bus.off('judgment:created', listener)
}

// @ts-expect-error: there is no such event
bus.listeners('judgment:deleted')
// @ts-expect-error: as above
bus.rawListeners('judgment:deleted')
// @ts-expect-error: as above
bus.listenerCount('judgment:deleted')
// @ts-expect-error: as above
bus.off('judgment:deleted', () => {})
// @ts-expect-error: as above
bus.removeListener('judgment:deleted', () => {})
// @ts-expect-error: as above
bus.removeAllListeners('judgment:deleted')
// @ts-expect-error: no such listener can have been added
bus.off('judgment:created', (judgment: string) => judgment)
// @ts-expect-error: as above
bus.removeListener('judgment:created', (judgment: string) => judgment)
// @ts-expect-error: as above
bus.listenerCount('judgment:created', (judgment: string) => judgment)

// EventEmitter's own events are there without being in the map.

bus.on('error', (error) => check<Equal<typeof error, Error>>())
bus.on(EventEmitter.errorMonitor, (error) => check<Equal<typeof error, Error>>())
bus.on('newListener', (event, listener) => {
  check<Equal<typeof event, string | symbol>>()
  listener(1, 2)
})
bus.once('removeListener', (event) => check<Equal<typeof event, string | symbol>>())
bus.emit('error', new TypeError('broken'))
bus.emitAndWait('error', new Error('broken'))
bus.removeAllListeners('error')
bus.listenerCount(EventEmitter.errorMonitor)
// @ts-expect-error: an error is an Error unless the map says otherwise
bus.emit('error', 'broken')

class Failure {
  code = 1
}
const withError = new ParallelEventBus<{ error: [failure: Failure, where: string]; newListener: [] }>()
withError.on('error', (...args) => check<Equal<typeof args, [failure: Failure, where: string]>>())
withError.on(EventEmitter.errorMonitor, (...args) => check<Equal<typeof args, [failure: Failure, where: string]>>())
withError.on('newListener', (...args) => check<Equal<typeof args, []>>())
withError.emit('error', new Failure(), 'here')
// @ts-expect-error: the map's error takes two arguments
withError.emit('error', new Error('broken'))

// Maps with keys that are patterns, optional, or nothing at all

const patterns = new ParallelEventBus<{ [user: `user:${string}`]: [id: number]; renamed?: [name: string] }>()
patterns.on('user:ann', (id) => check<Equal<typeof id, number>>())
patterns.on('renamed', (name) => check<Equal<typeof name, string>>())
// @ts-expect-error: not of the pattern
patterns.emit('group:ann', 1)

const open = new ParallelEventBus<Record<string, [value: number]>>()
open.on(any<string>(), (value) => check<Equal<typeof value, number>>())
// @ts-expect-error: every event has a number
open.emit('any', 'text')

const empty = new ParallelEventBus<Record<never, never>>()
empty.emit('error', new Error('broken'))
// @ts-expect-error: no events but EventEmitter's own
empty.emit('any')

// @ts-expect-error: a value of a map is a tuple or a signature
new ParallelEventBus<{ count: number }>()

// A bus serves as one of another map with fewer events, if these have the same arguments.

const fewer: ParallelEventBus<{ stopped: [] }> = bus
const unmapped: ParallelEventBus = bus
// @ts-expect-error: the bus has no such event
const more: ParallelEventBus<{ stopped: []; started: [] }> = bus
// @ts-expect-error: its listeners may get `undefined` for the label
const others: ParallelEventBus<{ moved: [x: number, y: number, label: string] }> = bus
// @ts-expect-error: through the wider one, a number could be emitted that the listeners do not expect
const wider: ParallelEventBus<{ level: [number] }> = new ParallelEventBus<{ level: [1 | 2] }>()
// @ts-expect-error: through the narrower one, listeners could get a number that they do not expect
const narrower: ParallelEventBus<{ level: [1 | 2] }> = new ParallelEventBus<{ level: [number] }>()
// @ts-expect-error: a signature is not a tuple
const signature: ParallelEventBus<{ stopped: () => number }> = bus

// The helper types

check<Equal<EventArguments<Events, 'judgment:created'>, [judgment: Judgment]>>()
check<Equal<EventArguments<Events, 'error'>, [error: Error]>>()
check<Equal<EventArguments<Events, 'stopped' | typeof tick>, [] | [count: number]>>()
check<
  Equal<
    EventName<Events>,
    | keyof Events
    | 'error'
    | 'newListener'
    | 'removeListener'
    | typeof EventEmitter.errorMonitor
    | typeof ParallelEventBus.threadExit
    | typeof ParallelEventBus.deadLetter
    | typeof ParallelEventBus.stall
    | typeof ParallelEventBus.peerJoin
    | typeof ParallelEventBus.peerExit
    | typeof ParallelEventBus.linkState
  >
>()
check<Equal<Listener<Events, 'moved'>, Listener<InterfaceEvents, 'moved', ParallelEventBus<Events>>>>()
const listener: Listener<Events, 'judgment:created'> = (judgment) => judgment.score
bus.on('judgment:created', listener)
const map: EventMap<Events> = any<Events>()

// A relay for any map

function relay<E extends EventMap<E>, Name extends EventName<E>>(
  to: ParallelEventBus<E>,
  event: Name,
  ...args: EventArguments<E, Name>
) {
  to.emit(event, ...args)
  const view = to.with({ timeout: 1000 })
  view.emit(event, ...args)
  return view.emitAndWait(event, ...args)
}
relay(bus, 'moved', 1, 2)
// @ts-expect-error: an argument is missing
relay(bus, 'moved', 1)
// @ts-expect-error: there is no such event
relay(bus, 'judgment:deleted')

export { asInterface, asType, fewer, map, more, narrower, others, signature, unmapped, wider }
