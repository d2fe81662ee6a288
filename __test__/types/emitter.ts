// A bus wherever an EventEmitter is wanted.

import { captureRejectionSymbol, EventEmitter, type errorMonitor, getEventListeners, on, once } from 'node:events'
import { type EventMap, ParallelEventBus } from '@cynic/parallel-event-bus'
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

// The other way round it does not serve.
// @ts-expect-error: an EventEmitter has no emitAndWait
const emitter: ParallelEventBus = new EventEmitter()

// EventEmitter's statics, for who changed nothing but the name of the class
check<Equal<typeof ParallelEventBus.errorMonitor, typeof errorMonitor>>()
bus.on(ParallelEventBus.errorMonitor, (error) => error.message)
ParallelEventBus.once(bus, 'order')
ParallelEventBus.on(bus, 'order')
ParallelEventBus.captureRejections = true
ParallelEventBus.defaultMaxListeners = 20

// What EventEmitter has and a bus does not change
check<Equal<ReturnType<typeof bus.getMaxListeners>, number>>()
bus.setMaxListeners(0).on('order', (id) => id.toFixed())

class Capturing extends ParallelEventBus<Events> {
  override [captureRejectionSymbol](error: Error, event: string | symbol, ...args: unknown[]) {
    console.error(error, event, args)
  }
}

export { Capturing, emitter, useOfNodeEvents }
