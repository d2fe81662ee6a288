// The forms of import, from a CommonJS module.

import type * as module from '@cynic/parallel-event-bus'
import type Default from '@cynic/parallel-event-bus'
import type { BusOptions, EventMap, Outcome, Stats } from '@cynic/parallel-event-bus'
import {
  type BusClosedError,
  createParallelEventBus,
  EventEmitter,
  errorMonitor,
  type ListenerTimeoutError,
  type NoListenersError,
  type ParallelEventBus,
} from '@cynic/parallel-event-bus'

import Bus = require('@cynic/parallel-event-bus')

import { check, type Equal } from './check.js'

check<Equal<typeof Default, typeof ParallelEventBus>>()
check<Equal<typeof Bus, typeof ParallelEventBus>>()
check<Equal<typeof module.ParallelEventBus, typeof ParallelEventBus>>()
check<Equal<typeof Bus.createParallelEventBus, typeof createParallelEventBus>>()
check<Equal<typeof Bus.BusClosedError, typeof BusClosedError>>()
check<Equal<typeof Bus.ListenerTimeoutError, typeof ListenerTimeoutError>>()
check<Equal<typeof Bus.NoListenersError, typeof NoListenersError>>()
check<Equal<Bus.Outcome, Outcome>>()
check<Equal<Default.Stats, Stats>>()
check<Equal<module.BusOptions, BusOptions>>()

// The bus in the place of Node's class.
check<Equal<typeof EventEmitter, typeof ParallelEventBus>>()
check<Equal<typeof Bus.EventEmitter, typeof ParallelEventBus>>()
check<Equal<EventEmitter<Events>, ParallelEventBus<Events>>>()

type Events = { order: [id: number] }
const map: EventMap<Events> = { order: [1] }
const bus: Bus<Events> = new Bus<Events>()
new EventEmitter().on(errorMonitor, (error: Error) => error.message)
const named: ParallelEventBus<Events> = bus
createParallelEventBus<Events>().on('order', (id) => id.toFixed())

// @ts-expect-error: an interface is not there at run time
new Bus.Stats()

export { map, named }
