// biome-ignore-all lint/suspicious/noExplicitAny: a listener without declared data takes any

// @cynic/core: the buses of the application, and the class they are built on.

/// <reference types="node" />

import { EventEmitter } from 'node:events'
import { BusOptions } from '@cynic/parallel-event-bus'
import { ParallelEventBus } from './bus/index.js'

export { createParallelEventBus, ParallelEventBus } from './bus/index.js'

/** An event of the ServicesBus, as its listeners get it. */
export interface ServiceEvent<Data = unknown> {
  /** A UUID. */
  id: string
  type: string
  data: Data
  meta: Record<string, unknown>
  /** Milliseconds since 1970. */
  timestamp: number
}

export interface ServicesBusOptions extends BusOptions {
  /**
   * Logs each event with `console.debug`.
   *
   * @defaultValue `false`
   */
  debug?: boolean | undefined
  /**
   * Number of events that the history holds.
   *
   * @defaultValue 100
   */
  historyLimit?: number | undefined
}

/** Counts of a ServicesBus since it was made. */
export interface ServicesStats {
  /** Number of events that were published. */
  published: number
  /** The same, by type. */
  byType: Record<string, number>
  /** Number of events in the history. */
  history: number
}

/** The bus that the services talk over: events by type, by category (`order:*`) and all (`*`). */
export class ServicesBus extends ParallelEventBus {
  constructor(options?: ServicesBusOptions)
  debug: boolean
  /** Calls the listeners of `type`, of its category and of `*`. Returns the event, as they get it. */
  publish<Data>(type: string, data?: Data, meta?: Record<string, unknown>): ServiceEvent<Data>
  /** Returns a function that takes the subscription back. */
  subscribe<Data = any>(type: string, listener: (event: ServiceEvent<Data>) => unknown): () => void
  /** As `subscribe`, for one event. */
  subscribeOnce<Data = any>(type: string, listener: (event: ServiceEvent<Data>) => unknown): () => void
  /**
   * Resolves to the next event of a type. Rejects with `ERR_BUS_TIMEOUT` if none comes in time.
   *
   * @param timeout - milliseconds, 5000 by default
   */
  waitFor<Data = any>(type: string, timeout?: number): Promise<ServiceEvent<Data>>
  /** Returns the last events, oldest first. */
  getHistory(filter?: { type?: string | undefined; limit?: number | undefined }): ServiceEvent[]
  /** Returns the counts of the services, in the place of those of the base class. */
  // @ts-expect-error: a method of its own, with another result. The base class never calls it.
  getStats(): ServicesStats
}

/** An event published on a CoreBus, as its handlers get it. */
export interface Envelope<Payload = unknown> {
  /** A UUID. */
  id: string
  type: string
  payload: Payload
  /** Milliseconds since 1970. */
  timestamp: number
  source: string
  /** The `id` of the envelope that this one is a reply to; its own where it is none. */
  correlationId: string
  /** Publishes a reply as `<type>:reply`. Returns its envelope, or null where a middleware blocked it. */
  reply<Answer>(answer: Answer): Envelope<Answer> | null
}

export interface EnvelopeOptions {
  /** Overrides the `source` of the bus. */
  source?: string | undefined
  /** The `id` of the envelope that gets a reply. */
  correlationId?: string | undefined
}

export interface CoreBusOptions {
  /**
   * The publisher, where `publish` does not name one.
   *
   * @defaultValue `'core'`
   */
  source?: string | undefined
  /**
   * Number of envelopes that the history holds.
   *
   * @defaultValue 1000
   */
  historyLimit?: number | undefined
  /**
   * Class of the bus that carries the envelopes. `EventEmitter` is the way back.
   *
   * @defaultValue {@link ParallelEventBus}
   */
  Emitter?: (new () => EventEmitter) | undefined
}

/** The bus of the core. Its own events, `blocked` and `cleared`, are delivered at once; published events are not. */
export class CoreBus extends EventEmitter {
  constructor(options?: CoreBusOptions)
  /** Adds a function that sees each envelope first, and blocks it by `false`. Returns a function that removes it. */
  use(middleware: (envelope: Envelope) => unknown): () => void
  /** Returns the envelope, or null where a middleware blocked it. */
  publish<Payload>(type: string, payload?: Payload, options?: EnvelopeOptions): Envelope<Payload> | null
  /** Returns a function that takes the subscription back. The type `*` is everything. */
  subscribe<Payload = any>(type: string, handler: (envelope: Envelope<Payload>) => unknown): () => void
  /** As `subscribe`, for one envelope. */
  subscribeOnce<Payload = any>(type: string, handler: (envelope: Envelope<Payload>) => unknown): () => void
  /**
   * Publishes, and resolves to the payload of the first reply. Rejects with `ERR_BUS_TIMEOUT`, `ERR_BUS_BLOCKED` or
   * `ERR_BUS_CLEARED`. `timeout` is in milliseconds, 5000 by default.
   */
  request<Answer = unknown>(
    type: string,
    payload?: unknown,
    options?: EnvelopeOptions & { timeout?: number | undefined },
  ): Promise<Answer>
  /** Returns the last envelopes, oldest first. */
  history(filter?: { type?: string | undefined; limit?: number | undefined }): Envelope[]
  /** Removes subscriptions, middlewares and history, and rejects the requests that are open. */
  clear(): void
  /** Resolves when every handler of every published event has settled. */
  idle(): Promise<void>
}

/** An event of the UnifiedBus, as its handlers get it. */
export interface UnifiedEvent<Payload = unknown> {
  /** A UUID. */
  id: string
  /** Three levels, such as `perception:human:state`. */
  name: string
  /** The same as `name`. */
  type: string
  payload: Payload
  source: string
  /** Milliseconds since 1970, with fractions. */
  timestamp: number
  /** Replies to the request that published the event. Replies after the first are ignored. */
  reply(answer: unknown): void
}

export interface UnifiedBusOptions extends BusOptions {
  /**
   * Number of events that the history holds.
   *
   * @defaultValue 1000
   */
  historyLimit?: number | undefined
  /**
   * Clock in milliseconds.
   *
   * @defaultValue that of the system
   */
  now?: (() => number) | undefined
}

/** Which events of the history are returned. */
export interface UnifiedFilter {
  /** @defaultValue `'*:*:*'` */
  pattern?: string | undefined
  /** @defaultValue any */
  source?: string | undefined
  /**
   * Milliseconds since 1970.
   *
   * @defaultValue 0
   */
  since?: number | undefined
  /** @defaultValue the `historyLimit` of the bus */
  limit?: number | undefined
}

/** How a UnifiedBus does. */
export interface Health {
  /** Events per second, of the last ten seconds. */
  eventsPerSecond: number
  /** Number of handlers that have settled. */
  handled: number
  /** Median of the milliseconds from the publishing to the end of a handler; 0 before the first. */
  p50: number
  /** The same, for the 95th percentile. */
  p95: number
}

/** One bus for all of the application: names of three levels, patterns with `*` for any of them. */
export class UnifiedBus extends ParallelEventBus {
  constructor(options?: UnifiedBusOptions)
  /** Throws a TypeError for a name that does not have three levels. */
  publish<Payload>(name: string, payload?: Payload, options?: { source?: string | undefined }): UnifiedEvent<Payload>
  /** Returns a function that takes the subscription back. */
  subscribe<Payload = any>(pattern: string, handler: (event: UnifiedEvent<Payload>) => unknown): () => void
  /**
   * Publishes, and resolves to the first answer. Rejects with `ERR_BUS_TIMEOUT` or `ERR_BUS_UNHEARD`. `timeout` is in
   * milliseconds, 5000 by default.
   */
  request(
    name: string,
    payload?: unknown,
    options?: { timeout?: number | undefined; source?: string | undefined },
  ): Promise<unknown>
  /** Returns the last events that pass every filter that is given, oldest first. */
  history(filter?: UnifiedFilter): UnifiedEvent[]
  /** Returns the rate of events and the latency of handlers. */
  health(): Health
}

/** The bus of the agents: asynchronous by itself. */
export class AgentBus {
  /** Returns a function that takes the agent off the bus. */
  register(name: string, handler: (message: any) => unknown): () => void
  /** Resolves to the agent's reply. Rejects with its error, and if there is no such agent. */
  send(name: string, message?: unknown): Promise<unknown>
  /** Sends to every agent at the same time. Resolves to the replies and the errors, by name. */
  broadcast(message?: unknown): Promise<{ answers: Map<string, unknown>; errors: Map<string, unknown> }>
}
