// Types of @cynic/core, as an application uses them. Nothing here runs: the compiler is the test.

import { EventEmitter } from 'node:events'
import {
  AgentBus,
  CoreBus,
  createParallelEventBus,
  type Envelope,
  type Health,
  ParallelEventBus,
  type ServiceEvent,
  ServicesBus,
  type ServicesStats,
  UnifiedBus,
  type UnifiedEvent,
} from '@cynic/core'
import type { ParallelEventBus as FromBus } from '@cynic/core/bus'
import type { ParallelEventBus as Addon, Outcome } from '@cynic/parallel-event-bus'
import { check, type Equal } from '../../../../__test__/types/check.js'

type Order = { id: number }

// One class under three names.

check<Equal<typeof ParallelEventBus, typeof Addon>>()
check<Equal<typeof FromBus, typeof Addon>>()
createParallelEventBus<{ order: [id: number] }>().on('order', (id) => id.toFixed())

// ServicesBus: the base class, with its options, and methods of its own.

const services = new ServicesBus({ debug: true, historyLimit: 5, maxListeners: 5, onError: () => {} })
check<Equal<typeof services.debug, boolean>>()
// @ts-expect-error: no such option
new ServicesBus({ historyLimits: 5 })
const stop = services.subscribe<Order>('order:paid', ({ data, timestamp }) => data.id + timestamp)
check<Equal<typeof stop, () => void>>()
const paid = services.publish('order:paid', { id: 1 }, { by: 'till' })
check<Equal<typeof paid, ServiceEvent<Order>>>()
check<Equal<ReturnType<typeof services.getStats>, ServicesStats>>()
const next = services.waitFor<Order>('order:paid', 100)
check<Equal<typeof next, Promise<ServiceEvent<Order>>>>()
services.on('x', () => {}).publish('x')
const outcome = services.emitAndWait('order:paid', paid)
check<Equal<typeof outcome, Promise<Outcome>>>()
const servicesAsEmitter: EventEmitter = services
// @ts-expect-error: its statistics are not those of the base class
const servicesAsBus: ParallelEventBus = services

// CoreBus: an EventEmitter that holds a bus.

const core = new CoreBus({ source: 'judge', Emitter: EventEmitter })
new CoreBus({ Emitter: ParallelEventBus })
core.use(({ type }) => type !== 'bad')
core.subscribe<number>('score', ({ payload, reply }) => reply(payload.toFixed()))
const scored = core.publish('score', 5, { correlationId: 'c' })
check<Equal<typeof scored, Envelope<number> | null>>()
const answer = core.request<string>('score', 5, { timeout: 10 })
check<Equal<typeof answer, Promise<string>>>()
core.on('cleared', () => {}).clear()
const coreAsEmitter: EventEmitter = core
// @ts-expect-error: it is none
const coreAsBus: ParallelEventBus = core
// @ts-expect-error: an emitter is a class
new CoreBus({ Emitter: 'EventEmitter' })

// UnifiedBus: a bus like any other, with names of three levels.

const unified = new UnifiedBus({ historyLimit: 4, now: () => 0, maxListeners: 0 })
unified.subscribe<Order>('perception:*:state', (event) => event.reply(event.payload.id))
const perceived = unified.publish('perception:human:state', { id: 1 }, { source: 'eye' })
check<Equal<typeof perceived, UnifiedEvent<Order>>>()
const reply = unified.request('perception:human:state', { id: 1 }, { timeout: 10 })
check<Equal<typeof reply, Promise<unknown>>>()
check<Equal<ReturnType<typeof unified.health>, Health>>()
unified.history({ pattern: '*:*:*', source: 'eye', since: 0, limit: 1 })
// @ts-expect-error: no such filter
unified.history({ type: 'perception' })
const unifiedAsBus: ParallelEventBus = unified

// AgentBus

const agents = new AgentBus()
agents.register('echo', (message) => message)
const echoed = agents.send('echo', 1)
check<Equal<typeof echoed, Promise<unknown>>>()
const all = agents.broadcast('look')
check<Equal<typeof all, Promise<{ answers: Map<string, unknown>; errors: Map<string, unknown> }>>>()
// @ts-expect-error: it is no emitter
agents.on('x', () => {})

export { coreAsBus, coreAsEmitter, servicesAsBus, servicesAsEmitter, unifiedAsBus }
