// biome-ignore-all lint/suspicious/noExplicitAny: `any` is the expected type of things without a map

// A bus wherever an EventEmitter is wanted.

import { captureRejectionSymbol, EventEmitter, type errorMonitor, getEventListeners, on, once } from 'node:events'
import { type EventMap, ParallelEventBus, type Stall } from '@cynic/parallel-event-bus'
import { check, type Equal } from './check.js'

interface Events {
  order: [id: number]
  score(id: number): number
}

declare function takesEmitter(emitter: EventEmitter): void
declare function takesNodeJSEmitter(emitter: NodeJS.EventEmitter): void

const bus = new ParallelEventBus<Events>()
const unmapped = new ParallelEventBus()

takesEmitter(bus)
takesEmitter(unmapped)
takesNodeJSEmitter(bus)
takesNodeJSEmitter(unmapped)

function takesAnyBus<E extends EventMap<E>>(bus: ParallelEventBus<E>) {
  takesEmitter(bus)
}
takesAnyBus(bus)
takesAnyBus(unmapped)

async function useOfNodeEvents(signal: AbortSignal) {
  const [id] = await once(bus, 'order', { signal })
  for await (const args of on(bus, 'order', { signal })) bus.emit('order', id ?? args[0])
  await once(unmapped, 'order')
  on(unmapped, 'order')
  getEventListeners(bus, 'order')
}
check<Equal<Awaited<ReturnType<typeof once>>, any[]>>()

async function useOfStatics(signal: AbortSignal) {
  const args = await ParallelEventBus.once(bus, 'order', { signal })
  check<Equal<typeof args, [id: number]>>()
  for await (const args of ParallelEventBus.on(bus, 'order', { signal })) check<Equal<typeof args, [id: number]>>()
  const scored = await Capturing.once(new Capturing(), 'score')
  check<Equal<typeof scored, [id: number]>>()
  const stalled = await ParallelEventBus.once(bus, ParallelEventBus.stall)
  check<Equal<typeof stalled, [about: Stall]>>()
  const any = await ParallelEventBus.once(unmapped, 'anything')
  check<Equal<typeof any, any[]>>()
  await ParallelEventBus.once(new EventEmitter(), 'anything', { signal })
  await ParallelEventBus.once(new EventTarget(), 'anything')
  for await (const [value] of ParallelEventBus.on(new EventEmitter(), 'anything')) console.log(value)
  ParallelEventBus.on(new EventTarget(), 'anything')
  // @ts-expect-error: there is no such event
  await ParallelEventBus.once(bus, 'ordered')
  // @ts-expect-error: there is no such event
  ParallelEventBus.on(bus, 'ordered')
}

// The other way round it does not serve.
// @ts-expect-error: an EventEmitter has no emitAndWait
const emitter: ParallelEventBus = new EventEmitter()

// EventEmitter's statics, for programs that changed nothing but the name of the class
check<Equal<typeof ParallelEventBus.errorMonitor, typeof errorMonitor>>()
bus.on(ParallelEventBus.errorMonitor, (error) => error.message)
ParallelEventBus.once(bus, 'order')
ParallelEventBus.on(bus, 'order')
ParallelEventBus.captureRejections = true
ParallelEventBus.defaultMaxListeners = 20

// EventEmitter's members that a bus does not change
check<Equal<ReturnType<typeof bus.getMaxListeners>, number>>()
bus.setMaxListeners(0).on('order', (id) => id.toFixed())

class Capturing extends ParallelEventBus<Events> {
  override [captureRejectionSymbol](error: Error, event: string | symbol, ...args: unknown[]) {
    console.error(error, event, args)
  }
}

export { Capturing, emitter, useOfNodeEvents, useOfStatics }
