// biome-ignore-all lint/suspicious/noExplicitAny: stands for functions of every signature

// Options, outcomes, statistics, errors, and the end of a bus.

import {
  type Bounds,
  BusClosedError,
  type BusOptions,
  type Closed,
  type EmitterView,
  type ErrorHandler,
  type FailureOrigin,
  type ListenerContext,
  type ListenerOptions,
  ListenerTimeoutError,
  NoListenersError,
  type Outcome,
  ParallelEventBus,
  type Stats,
} from '@cynic/parallel-event-bus'
import { any, check, type Equal } from './check.js'

type Events = { order: [id: number] }
const { signal } = new AbortController()

// BusOptions

new ParallelEventBus()
new ParallelEventBus({})
new ParallelEventBus({ maxListeners: 0, captureRejections: true, onError: () => {} })
new ParallelEventBus({ maxListeners: undefined, captureRejections: undefined, onError: undefined })
const bus = new ParallelEventBus<Events>({
  onError(event, error, listener, origin) {
    check<Equal<typeof event, string | symbol>>()
    check<Equal<typeof error, unknown>>()
    check<Equal<typeof listener, ((...args: any[]) => any) | undefined>>()
    check<Equal<typeof origin, FailureOrigin | undefined>>()
  },
})
bus.setErrorHandler(async (_event, error) => console.error(error))
const handler: ErrorHandler = (event) => event
const options: BusOptions = { onError: handler }
bus.setErrorHandler(handler).clearErrorHandler()

// @ts-expect-error: no such option
new ParallelEventBus({ maxListener: 5 })
// @ts-expect-error: a number
new ParallelEventBus({ maxListeners: '5' })
// @ts-expect-error: the thrown value may not be an Error
new ParallelEventBus({ onError: (_event, error) => error.message })
// @ts-expect-error: a boolean
new ParallelEventBus({ captureRejections: 1 })
// @ts-expect-error: no options at all, or an object
new ParallelEventBus(null)
// @ts-expect-error: clearErrorHandler does this
bus.setErrorHandler(undefined)

// ListenerOptions

const listenerOptions: ListenerOptions = { once: true, signal, timeout: 1000, concurrency: 2 }
bus.on('order', () => {}, listenerOptions)
bus.on('order', () => {}, { once: undefined, signal: undefined, timeout: undefined })
bus.addListener('order', () => {}, { signal })
bus.prependListener('order', () => {}, { timeout: 1000 })
bus.once('order', () => {}, { signal, timeout: 1000 })
bus.prependOnceListener('order', () => {}, { signal, timeout: 1000 })

// @ts-expect-error: no such option
bus.on('order', () => {}, { timeOut: 1000 })
// @ts-expect-error: a number of milliseconds
bus.on('order', () => {}, { timeout: '1s' })
// @ts-expect-error: the signal, not the controller
bus.on('order', () => {}, { signal: new AbortController() })
// @ts-expect-error: `once` is once
bus.once('order', () => {}, { once: false })
// @ts-expect-error: as above
bus.prependOnceListener('order', () => {}, { once: false })

// The context of a listener

bus.on('order', (id, context) => check<Equal<[typeof id, typeof context], [number, ListenerContext]>>(), {
  context: true,
})
bus.once(
  'order',
  async (id, { event, signal, threadId, id: name }) => {
    check<Equal<[typeof id, typeof event, typeof signal], [number, string | symbol, AbortSignal]>>()
    check<Equal<[typeof threadId, typeof name], [number, number]>>()
  },
  { context: true, timeout: 1000 },
)
bus.prependListener('order', () => {}, { context: true })
bus.on('order', (id) => check<Equal<typeof id, number>>(), { context: false, concurrency: 2 })
bus.on('order', (id) => check<Equal<typeof id, number>>(), listenerOptions)
const told = (_id: number, { signal }: ListenerContext) => signal.throwIfAborted()
bus.on('order', told, { context: true })
new ParallelEventBus().on('any', (_a, _b, context: ListenerContext) => context.id, { context: true })

// @ts-expect-error: only with `context: true`
bus.on('order', (_id, context) => context)
// @ts-expect-error: as above
bus.on('order', told)
// @ts-expect-error: a boolean
bus.on('order', () => {}, { context: 1 })

// Bounds and views

const bounds: Bounds = { timeout: 1000, signal }
for (const key of ['a', 1, 1n, undefined]) bus.with({ key }).emit('order', 1)
// @ts-expect-error: a value, not an object
bus.with({ key: {} })
const view = bus.with(bounds)
check<Equal<typeof view, EmitterView<Events>>>()
check<Equal<ReturnType<typeof view.emit>, boolean>>()
bus.with({ timeout: undefined, signal: undefined })

// @ts-expect-error: it needs bounds
bus.with()
// @ts-expect-error: no such bound
bus.with({ once: true })
// @ts-expect-error: a view emits, and that is all
view.on('order', () => {})

// Outcome and Stats

const outcome = bus.emitAndWait('order', 1)
check<Equal<typeof outcome, Promise<Outcome>>>()
check<Equal<ReturnType<typeof view.emitAndWait>, Promise<Outcome>>>()
check<Equal<Outcome, { success: number; failed: number; errors: unknown[] }>>()

check<Equal<ReturnType<typeof bus.getStats>, Stats>>()
check<
  Equal<
    Stats,
    {
      eventsEmitted: number
      listenersInvoked: number
      listenersFailed: number
      parallelBatches: number
      averageListenersPerEvent: string | 0
      failureRate: string
      pending: number
      delivered: number
      failed: number
      timedOut: number
      refused: number
      lost: number
      cancelled: number
      unheard: number
      received: number
      receivedDelivered: number
      receivedFailed: number
    }
  >
>()

// Errors

const error = any<unknown>()
if (error instanceof BusClosedError) check<Equal<typeof error.code, 'ERR_BUS_CLOSED'>>()
if (error instanceof NoListenersError) check<Equal<typeof error.code, 'ERR_NO_LISTENERS'>>()
if (error instanceof ListenerTimeoutError) {
  check<Equal<typeof error.code, 'ERR_LISTENER_TIMEOUT'>>()
  check<Equal<typeof error.name, 'ListenerTimeoutError'>>()
  check<Equal<typeof error.event, string | symbol | undefined>>()
  check<Equal<typeof error.timeout, number>>()
  const plain: Error = error
  console.error(plain.stack)
}
const either = any<BusClosedError | NoListenersError>()
if (either.code === 'ERR_BUS_CLOSED') check<Equal<typeof either, BusClosedError>>()
// @ts-expect-error: the errors are not the same class
const confused: NoListenersError = any<BusClosedError>()

// The end of a bus

check<Equal<ReturnType<typeof bus.idle>, Promise<void>>>()
check<Equal<ReturnType<typeof bus.close>, Promise<Closed>>>()
check<Equal<Closed, { unsettled: number }>>()
bus.close({ timeout: 1000 })
// @ts-expect-error: no such option
bus.close({ timeOut: 1000 })

async function scope() {
  await using disposed = new ParallelEventBus<Events>()
  disposed.emit('order', 1)
  const disposable: AsyncDisposable = disposed
  await disposable[Symbol.asyncDispose]()
}

export { confused, options, scope }

// listening

const ready = ParallelEventBus.listening(bus, 'order')
check<Equal<typeof ready, Promise<void>>>()
ParallelEventBus.listening(bus, 'order', { threads: 2, signal })
ParallelEventBus.listening(new ParallelEventBus(), 'anything')
// @ts-expect-error: no such event
ParallelEventBus.listening(bus, 'other')
// @ts-expect-error: no such option
ParallelEventBus.listening(bus, 'order', { thread: 2 })
