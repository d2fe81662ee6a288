// biome-ignore-all lint/suspicious/noExplicitAny: overrides of EventEmitter's methods have their loose signature

// Subclasses: without a map, with their own, and generic.

import type { EventEmitter } from 'node:events'
import {
  type BusOptions,
  type EventArguments,
  type EventMap,
  type EventName,
  type EventReply,
  type Listener,
  type ListenerOptions,
  ParallelEventBus,
  type Stats,
} from '@cynic/parallel-event-bus'
import { check, type Equal, type Judgment } from './check.js'

// Code that was written for EventEmitter: overrides with the signatures people give them.

class Loose extends ParallelEventBus {
  private _history: string[] = []
  protected _stats = { published: 0 }
  debug = false

  override emit(event: string, ...args: any[]): boolean {
    this._history.push(event)
    return super.emit(event, ...args)
  }

  override on(event: string, listener: (...args: any[]) => void): this {
    return super.on(event, listener)
  }

  override once(event: string | symbol, listener: (...args: any[]) => void): this {
    return super.once(event, listener)
  }

  override off(event: string, listener: (...args: any[]) => void): this {
    return super.off(event, listener)
  }

  override removeAllListeners(event?: string | symbol): this {
    return super.removeAllListeners(event)
  }

  override listenerCount(event: string): number {
    return super.listenerCount(event)
  }

  override async request(type: string, payload: object): Promise<{ answer: string }> {
    return { answer: String(await super.request(type, payload)) }
  }

  override getStats(): Stats & { published: number } {
    return { ...super.getStats(), ...this._stats }
  }

  publish(event: string, payload: object) {
    return this.emit(event, payload)
  }

  clear() {
    this._history = []
    return this.removeAllListeners()
  }
}
const loose = new Loose({ maxListeners: 5 })
loose.on('order', () => {}).publish('order', {})
check<Equal<ReturnType<typeof loose.with>, ReturnType<ParallelEventBus['with']>>>()
const looseAsEmitter: EventEmitter = loose
const looseAsBus: ParallelEventBus = loose

// With its own map

type Events = {
  'judgment:created': [judgment: Judgment]
  score: (judgment: Judgment) => number
}

class JudgmentBus extends ParallelEventBus<Events> {
  readonly created: Judgment[] = []

  constructor(options: BusOptions = {}) {
    super({ maxListeners: 100, ...options })
    this.on('judgment:created', function (judgment) {
      this.created.push(judgment)
    })
  }

  create(judgment: Judgment) {
    // @ts-expect-error: there is no such event
    this.emit('judgment:deleted')
    // @ts-expect-error: a Judgment is missing
    this.emit('judgment:created')
    return this.emit('judgment:created', judgment)
  }

  score(judgment: Judgment): Promise<number> {
    return this.request('score', judgment)
  }
}
const judgments = new JudgmentBus()
judgments.on('judgment:created', function (judgment) {
  this.idle()
  check<Equal<typeof this, JudgmentBus>>()
  check<Equal<typeof judgment, Judgment>>()
})
check<Equal<ReturnType<typeof judgments.resetStats>, JudgmentBus>>()
function keep(this: JudgmentBus, judgment: Judgment) {
  this.create(judgment)
}
judgments.addListener('judgment:created', keep).prependListener('judgment:created', keep)
judgments.once('judgment:created', keep).prependOnceListener('judgment:created', keep)
judgments.off('judgment:created', keep).removeListener('judgment:created', keep)
judgments.listenerCount('judgment:created', keep)
// @ts-expect-error: only a JudgmentBus can `create`
new ParallelEventBus<Events>().on('judgment:created', keep)
judgments.once('score', (judgment) => judgment.score).create({ id: 'a', score: 5 })
const judgmentsAsEmitter: EventEmitter = judgments
const judgmentsAsBus: ParallelEventBus<Events> = judgments
const judgmentsAsAny: ParallelEventBus = judgments
// @ts-expect-error: a bus of other events
const judgmentsAsOther: ParallelEventBus<{ started: [] }> = judgments
class Narrow extends ParallelEventBus<Events> {
  // @ts-expect-error: an override has to take every event of the map
  override emit(event: 'score', judgment: Judgment): boolean {
    return super.emit(event, judgment)
  }
}

// Generic

class Tracing<E extends EventMap<E> = any> extends ParallelEventBus<E> {
  readonly trace: Array<string | symbol> = []

  override emit<Name extends EventName<E>>(event: Name, ...args: EventArguments<E, Name>): boolean {
    this.trace.push(event)
    return super.emit(event, ...args)
  }

  override on<Name extends EventName<E>>(
    event: Name,
    listener: Listener<E, Name, this>,
    options?: ListenerOptions,
  ): this {
    return super.on(event, listener, options)
  }

  override request<Name extends EventName<E>>(
    event: Name,
    ...args: EventArguments<E, Name>
  ): Promise<EventReply<E, Name>> {
    return super.request(event, ...args)
  }
}
const tracing = new Tracing<Events>()
tracing.on('judgment:created', function (judgment) {
  this.idle()
  check<Equal<typeof this, Tracing<Events>>>()
  check<Equal<typeof judgment, Judgment>>()
})
tracing.emit('judgment:created', { id: 'a', score: 5 })
const score = tracing.request('score', { id: 'a', score: 5 })
check<Equal<typeof score, Promise<number>>>()
new Tracing().emit('anything', 1, 2)
const tracingAsEmitter: EventEmitter = tracing
const tracingAsBus: ParallelEventBus<Events> = tracing
// @ts-expect-error: there is no such event
tracing.emit('judgment:deleted')
// @ts-expect-error: a Judgment is missing
tracing.emit('judgment:created')

class TracingJudgments extends Tracing<Events> {}
new TracingJudgments().on('score', (judgment) => judgment.score)
// @ts-expect-error: a score is a number
new TracingJudgments().on('score', (judgment) => judgment.id)

// A type without a name, which `declaration` has to spell out

export function adder(bus: ParallelEventBus<Events>) {
  return bus.on
}

export {
  judgmentsAsAny,
  judgmentsAsBus,
  judgmentsAsEmitter,
  judgmentsAsOther,
  looseAsBus,
  looseAsEmitter,
  Narrow,
  tracingAsBus,
  tracingAsEmitter,
}
