// biome-ignore-all lint/suspicious/noExplicitAny: without a map, every event takes any arguments, as in EventEmitter

// Types of the public API. Written by hand; `__test__/types` checks them.

/// <reference types="node" />

import { EventEmitter } from 'node:events'
import { MessagePort, Worker, WorkerOptions } from 'node:worker_threads'

export = ParallelEventBus

type AnyFunction = (...args: any[]) => any

// A bus without a map has `any` for `Events`. `0 extends 1 & Events` holds for `any` and for nothing else.

/** Every event, without a map. */
type UnmappedName<Events> = 0 extends 1 & Events ? string | symbol : never

/** The events that every emitter has in addition to its map. A map may declare them otherwise. */
type OwnEvents = {
  [ParallelEventBus.threadExit]: [about: ThreadExit]
  [ParallelEventBus.deadLetter]: [about: DeadLetter]
  [ParallelEventBus.stall]: [about: Stall]
  [ParallelEventBus.peerJoin]: [about: PeerChange]
  [ParallelEventBus.peerExit]: [about: PeerChange]
  [ParallelEventBus.linkState]: [about: LinkChange]
  error: [error: Error]
  newListener: [event: string | symbol, listener: AnyFunction]
  removeListener: [event: string | symbol, listener: AnyFunction]
}

type ArgumentsOf<Value> = Value extends (...args: infer Arguments) => unknown
  ? Arguments
  : Value extends readonly unknown[]
    ? Value
    : never

type OwnArguments<Events, Name> = Name extends typeof EventEmitter.errorMonitor
  ? EventArguments<Events, 'error'>
  : Name extends keyof OwnEvents
    ? OwnEvents[Name]
    : never

/** The return type of a listener with this reply. A listener without a reply may return anything. */
// biome-ignore lint/suspicious/noConfusingVoidType: `void` is looked for, as the return type of a signature
type Returned<Reply> = [void, Reply] extends [Reply, void] ? unknown : Reply | PromiseLike<Reply>

/**
 * A map of events: for each name, either the arguments as a tuple, or the signature of a listener. `request` then has
 * the return type of that signature. The map may be a `type` or an `interface`.
 *
 * It refers to itself, so write `Events extends EventMap<Events>` where you need it as a constraint.
 *
 * @example
 * ```ts
 * interface Events {
 *   'order:created': [order: { id: number }, at: Date]
 *   score: (item: { text: string }) => number
 * }
 * ```
 */
type EventMap<Events> = { [Name in keyof Events]: readonly unknown[] | ((...args: never) => unknown) }

/** The events of a map, with `error`, `errorMonitor`, `newListener` and `removeListener`. Any, without a map. */
type EventName<Events> =
  | (keyof Events & (string | symbol))
  | keyof OwnEvents
  | typeof EventEmitter.errorMonitor
  | UnmappedName<Events>

/** The arguments of an event, as a tuple. `any[]`, without a map. */
type EventArguments<Events, Name> = 0 extends 1 & Events
  ? any[]
  : Name extends keyof Events
    ? ArgumentsOf<Events[Name]>
    : OwnArguments<Events, Name>

/** The reply that `request` resolves to for an event: `unknown`, unless its map has a signature for it. */
type EventReply<Events, Name> = 0 extends 1 & Events
  ? unknown
  : Name extends keyof Events
    ? Events[Name] extends (...args: never) => infer Reply
      ? Awaited<Reply>
      : unknown
    : unknown

/**
 * A listener of an event. `this` is the bus. It may return its reply or a promise of it; where the map has a
 * tuple, it may return anything. A listener that returns a promise is done when the promise settles.
 */
type Listener<
  Events extends EventMap<Events>,
  Name = EventName<Events>,
  This = ParallelEventBus<Events>,
> = 0 extends 1 & Events
  ? (this: This, ...args: any[]) => unknown
  : (this: This, ...args: EventArguments<Events, Name>) => Returned<EventReply<Events, Name>>

/** The place of a failure in a thread of {@link ParallelEventBus.spawn | spawn}. */
interface FailureOrigin {
  /** The thread, as in `node:worker_threads`. */
  threadId: number
  /** The name of the listener; undefined if it has none, or none is to blame. */
  listener: string | undefined
  /**
   * Number of failures that the call stands for. It is more than 1 for failures that were only counted, because the
   * handler's thread had not read of 64 earlier ones. Event, error and listener are then those of the last one.
   */
  count: number
}

/**
 * Handles each failure of a listener.
 *
 * An error or a rejection of the handler itself becomes a process warning with the code
 * `PARALLEL_EVENT_BUS_HANDLER_FAILED`.
 *
 * On a channel, a listener's failure is told in the listener's thread; that of a listener in a thread of
 * {@link ParallelEventBus.spawn | spawn} is told to the bus that spawned it. The emitter's handler is told of events that did
 * not get to the end of a listener in another thread: its thread ended, its time was over, its mailbox was full. Many
 * such losses at once become one error for each kind, with their number as its `count`: see {@link DeadLetter}.
 *
 * @param event - the event that was emitted; {@link ParallelEventBus.deadLetter} for losses of several names
 * @param error - the value that the listener threw or rejected with, or a {@link ListenerTimeoutError}
 *
 * @param listener - the listener, as it was passed to `on`; undefined if none of this thread is to blame
 * @param origin - where a failure in a thread of `spawn` was; undefined for all others
 */
type ErrorHandler = (
  event: string | symbol,
  error: unknown,
  listener: AnyFunction | undefined,
  origin: FailureOrigin | undefined,
) => unknown

/** All optional. */
interface BusOptions {
  /**
   * Number of listeners of one event above which a process warning tells of a possible leak. 0 for no limit.
   *
   * @defaultValue {@link ParallelEventBus.defaultMaxListeners}, which is 55
   */
  maxListeners?: number | undefined
  /**
   * Handles each failure of a listener. Without it, failures go to `captureRejections`, if that is on. Else a failure
   * that no `emitAndWait` or `request` reports becomes a process warning (code `PARALLEL_EVENT_BUS_LISTENER_FAILED`), for
   * the 1st, 10th, 100th … failure of each listener of each event.
   *
   * @defaultValue none
   */
  onError?: ErrorHandler | undefined
  /**
   * Without `onError`: passes a listener's error to the bus's `Symbol.for('nodejs.rejection')` method, else emits it as
   * `error`. Failures of `error` listeners become warnings instead.
   *
   * @defaultValue `EventEmitter.captureRejections`, which is `false`
   */
  captureRejections?: boolean | undefined
  /**
   * The name of a channel. All buses with the same one, in all threads of the process, are like one bus: an event
   * reaches the listeners of all of them. Its arguments are cloned, as by `structuredClone`, for listeners of other
   * buses, and passed by reference to those of this one. A SharedArrayBuffer stays shared; it and other objects that
   * threads can have in common, such as a Blob or a KeyObject, are refused in Bun and Deno.
   *
   * Only events with a string as their name go to the channel; `newListener` and `removeListener` never do. A bus with a
   * channel is not garbage collected before it is closed.
   *
   * @defaultValue none: events stay with this bus
   */
  channel?: string | undefined
  /**
   * The group of all listeners of this bus that do not name another one. See {@link ListenerOptions.group}.
   *
   * @defaultValue none
   */
  group?: string | undefined
  /**
   * The capacity of this bus's mailbox on its channel. An event that exceeds it is refused with {@link MailboxFullError}.
   *
   * @defaultValue 65 536 events and 64 MiB
   */
  mailbox?: MailboxOptions | undefined
  /**
   * Milliseconds after which the other buses of the channel are told, by {@link ParallelEventBus.stall}, that this
   * thread is stuck: it has not turned its event loop. They are told no more than a quarter of this time later. 0 for
   * never.
   *
   * @defaultValue 1000
   */
  stallAfter?: number | undefined
  /**
   * Records how long each event waits and runs, for {@link ParallelEventBus.metrics}. It costs an event about 100 ns.
   *
   * @defaultValue `false`
   */
  recordTiming?: boolean | undefined
  /**
   * Has a context of the program's own, such as that of a trace, go with the events of this bus to their listeners in every
   * thread. AsyncLocalStorage goes with them within a thread by itself.
   *
   * @defaultValue none
   */
  propagate?: Propagate | undefined
}

/** An event that {@link Propagate} is asked about. */
interface PropagatedEvent {
  /** The bus of the emitter, or of the listener. */
  bus: ParallelEventBus<any>
  /** Name of the event. */
  event: string | symbol
  /** Its arguments. */
  args: unknown[]
}

/** Carries a context from emitters to listeners. An error in either function is a warning, and the event goes on. */
interface Propagate {
  /**
   * Returns headers for an event, or nothing. It is called in the context of the emitter, once for each event that somebody
   * gets. Names and values together have at most 8192 characters.
   */
  inject(about: PropagatedEvent): Record<string, string> | null | undefined
  /**
   * Calls `run`, which calls a listener, within the context of the headers. These are of the emitter's `inject`; empty
   * where it has none. `run` returns what the listener returns, and throws what it throws.
   */
  extract(
    headers: Record<string, string>,
    run: () => unknown,
    about: PropagatedEvent & {
      /** The listener, as it was given. */
      listener: AnyFunction
      /** Milliseconds from the emit to this call; undefined unless the bus of the emitter propagates or records times, too. */
      waited: number | undefined
    },
  ): unknown
}

/**
 * The capacity of a bus's mailbox: its room for events of other buses on its channel. An event takes room from its emit
 * until its listeners have settled. One that is cancelled or times out before it starts frees its room at once. Events
 * that a thread of its group leaves behind when it ends may exceed the capacity, by as much as that thread's bus had room for.
 */
interface MailboxOptions {
  /**
   * Number of events, including those with running listeners.
   *
   * @defaultValue 65 536
   */
  maxMessages?: number | undefined
  /**
   * Number of bytes of their encoded arguments. An empty mailbox takes a larger event.
   *
   * @defaultValue 64 MiB
   */
  maxBytes?: number | undefined
}

/** Options of `on` and the other ways to add a listener, all optional. */
interface ListenerOptions {
  /**
   * Removes the listener with the first event it gets.
   *
   * @defaultValue `false`
   */
  once?: boolean | undefined
  /**
   * Removes the listener when the signal aborts. With a signal that has aborted already, the listener is not added. A
   * `once` listener is removed by its first event; an abort after that does not cancel the event.
   *
   * @defaultValue none
   */
  signal?: AbortSignal | undefined
  /**
   * Milliseconds from the start of the listener, more than 0 and at most 2³¹ − 1. A listener that has not settled by then
   * counts as failed with {@link ListenerTimeoutError}. Its later result is ignored.
   *
   * On a channel, an emitter that waits in another thread is told on time, even while a listener blocks this one.
   *
   * @defaultValue no limit
   */
  timeout?: number | undefined
  /**
   * On a channel: the name of a group. Each event goes to one listener of a group, in any thread, on the bus that has the
   * least to do. A bus that has nothing to do takes over what others were given and have not started, the oldest first. So
   * an event may start later than one that was emitted after it. `null` for no group, where the bus has one.
   *
   * @defaultValue {@link BusOptions.group}
   */
  group?: string | null | undefined
  /**
   * Number of calls of this listener that run at once, an integer of at least 1, or `Infinity`. A call runs until it has
   * returned, or its promise has settled. Events beyond it wait in order, and count as queued: an abort or a timeout
   * takes them out, they take room in the mailbox, and in a group another listener may take them over.
   *
   * @defaultValue `Infinity`
   */
  concurrency?: number | undefined
  /**
   * Passes the listener a {@link ListenerContext} as its last argument, `fn(...args, { event, signal, threadId, id })`. With
   * its `signal` a listener can stop when nobody waits for it any more.
   *
   * @defaultValue `false`
   */
  context?: boolean | undefined
}

/**
 * The last argument of a listener with {@link ListenerOptions.context | context}. A call by hand, of a function that
 * `rawListeners()` shows, gets one with a signal that only the listener's own `timeout` aborts.
 */
interface ListenerContext {
  /** The event, as it was passed to `on`. */
  readonly event: string | symbol
  /** The thread that emitted the event, as in `node:worker_threads`. It may be another one than that of the listener. */
  readonly threadId: number
  /** The process that emitted the event, if it is another one. */
  readonly peer?: Peer
  /**
   * Names the event. All its listeners, in all threads of the process, have the same number, and no other event has it. An
   * event of another process gets a number of this one, another one for each bus.
   */
  readonly id: number
  /**
   * Aborts when nobody waits for the listener any more, so that it can stop. The reason is:
   *
   * - {@link ListenerTimeoutError}: the {@link Bounds.timeout} of the event, or the listener's own `timeout`, is over
   * - `signal.reason` of the {@link Bounds.signal} of the event, which has aborted; from another thread it comes as an
   *   error does, a clone, or as an `AbortError` where it cannot be cloned
   * - {@link ThreadExitedError}: the thread that emitted the event has ended
   * - {@link PeerGoneError}: the process that emitted the event is gone
   *
   * It is made when it is read. It aborts in a turn of the event loop, so a listener that blocks its thread sees nothing of
   * it. After the event has settled, nothing aborts it.
   */
  readonly signal: AbortSignal
}

/**
 * A listener with {@link ListenerOptions.context | context}: its arguments are those of the event, then the context.
 *
 * A function that is passed by its name is not compared with this: a subclass of the bus may have an `on` of its own that
 * knows of no context.
 */
type ContextListener<Events extends EventMap<Events>, Name = EventName<Events>, This = ParallelEventBus<Events>> =
  | CallableFunction
  | (0 extends 1 & Events
      ? (this: This, ...args: any[]) => unknown
      : (
          this: This,
          ...args: [...args: EventArguments<Events, Name>, context: ListenerContext]
        ) => Returned<EventReply<Events, Name>>)

/** Bounds of the events that are emitted through {@link ParallelEventBus.with | with}. */
interface Bounds {
  /**
   * Milliseconds from the emit, including the time in the queue, more than 0 and at most 2³¹ − 1. A listener that
   * has not settled by then counts as failed with {@link ListenerTimeoutError}. Its later result is ignored.
   *
   * @defaultValue no limit
   */
  timeout?: number | undefined
  /**
   * Cancels, when the signal aborts, the call of every listener that has not started. Running listeners go on. A promise
   * of `emitAndWait` or `request` rejects with `signal.reason`. A `once` listener that has not started is registered
   * again.
   *
   * @defaultValue none
   */
  signal?: AbortSignal | undefined
  /**
   * Objects to move, as by `structuredClone`: ArrayBuffers, which are detached here and copied for each other thread.
   * A MessagePort moves to the only listener of an event, in whatever thread that is, or to that of a request. Listeners of
   * the bus itself get a clone of the arguments with the moved objects.
   *
   * The objects are moved before the event is queued, also where it has no listener. `emit` throws, and the promise of
   * `emitAndWait` and `request` rejects with, a `DataCloneError` for an object that is in the list twice, is detached or
   * cannot be moved to all listeners. Then nothing was moved, and no listener gets the event.
   *
   * @defaultValue none
   */
  transfer?: readonly (ArrayBuffer | MessagePort)[] | undefined
  /**
   * On a channel, for listeners of a {@link ListenerOptions.group | group}: events with the same key go to the same bus, in
   * the order of emission, whoever emits them. A key belongs to a channel, an event and a group. It may go to another bus
   * once none of its events is in flight. No other bus takes over such events one by one. When a bus ceases to listen, or
   * its thread ends, all that it has not started goes to one other bus, in order, after what it is running. An event for a
   * bus without room is refused, and not sent elsewhere. An event that is too late keeps its key while its listener runs.
   *
   * Events start in order. Where an async listener must have ended before the next one starts, give it `concurrency: 1`.
   * `1`, `1n` and `'1'` are three keys; `NaN` is none. A key means nothing without a channel, and to listeners without a
   * group. Where a channel has several processes, each keeps its own events of a key together.
   *
   * @defaultValue none
   */
  key?: string | number | bigint | undefined
}

/** The outcome of one event. `success + failed` is the number of its listeners. */
interface Outcome {
  /** Number of listeners that returned, or returned a promise that was fulfilled. */
  success: number
  /** Number of listeners that threw, rejected, or timed out. */
  failed: number
  /**
   * Errors of the failed listeners, as they were thrown, in the order of the listeners. On a channel those of other
   * buses come last, as clones, or as {@link ThreadExitedError}, {@link MailboxFullError}.
   */
  errors: unknown[]
}

/** Counts since the bus was made, or since `resetStats()`. */
interface Stats {
  /** Number of events that had listeners, counted at the emit. */
  eventsEmitted: number
  /** Number of listeners that these events addressed. */
  listenersInvoked: number
  /** Number of listeners that threw, rejected, or timed out. */
  listenersFailed: number
  /** The same as `eventsEmitted`: the listeners of an event are one batch. */
  parallelBatches: number
  /** `listenersInvoked / eventsEmitted` with two decimals, such as `'1.50'`; the number 0 before the first event. */
  averageListenersPerEvent: string | 0
  /** `listenersFailed / listenersInvoked` in percent with two decimals, such as `'50.00%'`; `'0%'` before the first. */
  failureRate: string
  /**
   * Number of events that are queued or have a running listener now. `resetStats()` leaves it. On a channel, an event
   * that other buses have not settled counts in addition: once if it is awaited, else once for each of these buses.
   */
  pending: number
  /** Number of listeners of events of this bus that succeeded. */
  delivered: number
  /** Number of listeners that threw or rejected. */
  failed: number
  /** Number of listeners that were late. */
  timedOut: number
  /** Number of listeners that did not get an event because their mailbox was full, or there was no memory. */
  refused: number
  /** Number of listeners that ended with their thread. */
  lost: number
  /** Number of listeners that were not called, because a signal aborted. */
  cancelled: number
  /** Number of events that nobody listened to. */
  unheard: number
  /** Number of events of other buses that this one got. */
  received: number
  /** Number of listeners of these that succeeded. */
  receivedDelivered: number
  /** Number of listeners of these that threw, rejected, or timed out by an option of their own. */
  receivedFailed: number
}

/** Numbers of events, and of the listeners that they were addressed to in all threads, since the bus or its channel began. */
interface EventCounts {
  /** Number of events that had listeners. */
  emitted: number
  /** Number of events that nobody listened to. */
  unheard: number
  /** Number of listeners that succeeded. */
  delivered: number
  /** Number of listeners that threw or rejected. */
  failed: number
  /** Number of listeners that were late. */
  timedOut: number
  /** Number of listeners whose mailbox was full, or for which there was no memory. */
  refused: number
  /** Number of listeners that ended with their thread. */
  lost: number
  /** Number of listeners that were not called, because a signal aborted. */
  cancelled: number
}

/** Times of events in milliseconds. A percentile is right to 3 %, from 2 µs to 38 hours. */
interface Times {
  /** Number of times that were recorded. */
  count: number
  /** Their sum by their number. */
  mean: number
  /** Half of the times are not longer. */
  p50: number
  /** The 90th percentile. */
  p90: number
  /** The 99th percentile. */
  p99: number
  /** The 99.9th percentile. */
  p999: number
  /** The longest time. */
  max: number
}

/** The numbers of the events of one name. */
interface EventMetrics extends EventCounts {
  /**
   * From the emit to the start of the first listener, once for each bus that got the event; undefined before the first, and
   * unless both buses {@link BusOptions.recordTiming | record} times.
   */
  wait?: Times | undefined
  /** From the start of the first listener until all of the bus have settled; undefined before the first. */
  run?: Times | undefined
}

/** The numbers of a thread: of the events that its buses on the channel got from other buses. */
interface ThreadMetrics {
  /** As in `node:worker_threads`. */
  threadId: number
  /**
   * Its process, if that is another one. Then the numbers are those of the events that this process sent to it: `queued`
   * and `queuedBytes` wait here, or are on their way. `busy` is undefined.
   */
  peer?: Peer | undefined
  /** Number of events that it got. */
  received: number
  /** Number of events with running listeners now. */
  running: number
  /** The same, by name, of those of which there are any. A thread that is stuck is so in one of these. */
  runningByEvent: Record<string, number>
  /** Number of events that wait now. */
  queued: number
  /** Bytes of the encoded arguments of all these. */
  queuedBytes: number
  /** The most events that have been running or waiting at once. */
  maxQueued: number
  /**
   * Share of time, from 0 to 1, that its event loop was not idle, since the last report for this bus, or since its first
   * event; undefined in Bun and Deno.
   */
  busy: number | undefined
  /** Milliseconds for which it has been stuck, if that is as long as its {@link BusOptions.stallAfter}; else 0. */
  stalledFor: number
}

/** The numbers of the threads with listeners in a group: of all that they got. */
interface GroupMetrics {
  /** Number of threads. */
  threads: number
  /** Number of events that they got. */
  received: number
  /** Number of events with running listeners now. */
  running: number
  /** Number of events that wait now. */
  queued: number
}

/** The numbers of a pool that {@link ParallelEventBus.spawn | spawn} started. */
interface PoolMetrics {
  /** What its threads run. */
  module: string
  /** What it does. */
  state: 'starting' | 'ready' | 'closing' | 'closed'
  /** Least number of threads. */
  minThreads: number
  /** Greatest number of threads. */
  maxThreads: number
  /** The ids of the ready threads. */
  threadIds: number[]
  /** Number of threads that ended without being told to, and were replaced. */
  restarts: number
}

/** Options of {@link ParallelEventBus.trace}. */
interface TraceOptions {
  /**
   * The file, which is overwritten. `{pid}` in it is the number of the process.
   *
   * @defaultValue none: it has to be given
   */
  file: string
  /**
   * Largest size of the file. What is beyond is left out, and counted in its last line.
   *
   * @defaultValue 64 MiB
   */
  maxBytes?: number | undefined
}

/** A trace that is being written. */
interface Trace {
  /** The file, as an absolute path. */
  readonly file: string
  /** Number of lines that the file had no room for; undefined before the trace is closed. */
  readonly dropped: number | undefined
  /** Ends the trace. Any number of calls are one. */
  close(): Promise<void>
  /** The same as `close`. Missing in releases of Node 20 that have no `Symbol.asyncDispose`. */
  [Symbol.asyncDispose](): Promise<void>
}

/** The numbers of a bus and of all threads of its channel. See {@link ParallelEventBus.metrics}. */
interface Metrics {
  /** The channel; undefined for a bus without one. */
  channel: string | undefined
  /** Of all events together. */
  total: EventCounts
  /**
   * By name, the busiest first. Of more than 256 names those that were the busiest when they were first asked for, which
   * stay. A symbol is named as by `String(symbol)`.
   */
  events: Record<string, EventMetrics>
  /** Of events of all other names together; undefined if there are none. */
  otherEvents: EventCounts | undefined
  /** Of each thread on the channel. */
  threads: ThreadMetrics[]
  /** By name. Each pool is a group of its own. */
  groups: Record<string, GroupMetrics>
  /** Of the pools of this bus. */
  pools: PoolMetrics[]
}

/** The argument of {@link ParallelEventBus.threadExit}: a thread ended that had a bus on this channel. */
interface ThreadExit {
  /** As in `node:worker_threads`, within its process. */
  threadId: number
  /** The process, if it is another one. */
  peer?: Peer
}

/** Another process. */
interface Peer {
  /** Names it among all processes, from its start to its end. */
  id: string
  /** For people: see {@link ConnectOptions.name}. */
  name: string
}

/** A process that a link leads to. */
interface LinkedPeer extends Peer {
  /** Number of its listeners that this process knows of. */
  listeners: number
  /** Version of its protocol, `1.0` say. Those of another major version are no peers. */
  version: string
  /** Whether it has told of all that listened there when it was met. */
  state: 'joining' | 'joined'
}

/** The argument of {@link ParallelEventBus.peerJoin} and {@link ParallelEventBus.peerExit}. */
interface PeerChange {
  /** The process; undefined if it is not known any more. */
  peer: Peer | undefined
}

/** State of a link: it carries events, it carries none for now, it is being closed, or it is closed. */
type LinkStateName = 'up' | 'away' | 'closing' | 'closed'

/** The argument of {@link ParallelEventBus.linkState}. */
interface LinkChange {
  /** Its state now. */
  state: LinkStateName
  /** Trouble of the link, if it has not closed: the codes are those of {@link connect}. Each is told once. */
  error?: Error & { code: string }
}

/** Options of {@link connect}. */
interface ConnectOptions {
  /**
   * Names of the channels that leave this process. All others stay in it. A channel has one link at most.
   *
   * @defaultValue none: it is required
   */
  channels: string[]
  /**
   * Keeps deployments apart that share a directory or a server.
   *
   * @defaultValue `'default'`
   */
  space?: string | undefined
  /**
   * Name of this process, for people.
   *
   * @defaultValue host name and process id
   */
  name?: string | undefined
  /**
   * Milliseconds without a sign of life after which a process is gone. Where its connection ends, it is gone at once.
   *
   * @defaultValue 5000
   */
  peerTimeout?: number | undefined
  /**
   * Milliseconds without a link after which all other processes are gone.
   *
   * @defaultValue 30 000
   */
  linkTimeout?: number | undefined
  /**
   * Bounds of the messages to one other process before it acknowledges them. Further events wait, within
   * {@link BusOptions.mailbox}.
   *
   * @defaultValue 8192 messages, 8 MiB
   */
  maxUnacknowledged?: {
    /** Number of messages, of many events each. */
    messages?: number | undefined
    /** Bytes of them. */
    bytes?: number | undefined
  }
  /**
   * Bytes of the encoded arguments of one event. A larger one fails for listeners of other processes, with
   * `ERR_EVENT_TOO_LARGE`.
   *
   * @defaultValue 16 MiB
   */
  maxEvent?: number | undefined
  /**
   * For servers: TLS, which every one of them must have. With `true`, or without `ca`, the authorities of the host are
   * trusted. Files are in the PEM format, named by their absolute paths, and read anew for each connection.
   *
   * @defaultValue TLS where the URL begins with `tls:`, or the server wants it
   */
  tls?:
    | boolean
    | {
        /** File with the certificates of the authorities that vouch for servers. */
        ca?: string | undefined
        /** File with the certificate of this process. */
        cert?: string | undefined
        /** File with its key. */
        key?: string | undefined
        /** TLS comes before anything that the server says: its `handshake_first`. */
        handshakeFirst?: boolean | undefined
      }
    | undefined
  /**
   * For servers: a token that proves the identity of this process. It may be in the URL: `nats://TOKEN@host`.
   *
   * @defaultValue none
   */
  token?: string | undefined
  /**
   * For servers: a user name. It may be in the URL: `nats://USER:PASSWORD@host`.
   *
   * @defaultValue none
   */
  user?: string | undefined
  /**
   * For servers: the password of `user`.
   *
   * @defaultValue none
   */
  pass?: string | undefined
  /**
   * For servers: the seed of a user's key. It begins with `SU`.
   *
   * @defaultValue none
   */
  nkey?: string | undefined
  /**
   * For servers: absolute path of a file with a JWT and a seed, read anew for each connection.
   *
   * @defaultValue none
   */
  credentials?: string | undefined
}

/** A link of this process to others, made by {@link connect}. It does not keep the event loop alive. */
interface ChannelLink {
  /** The state of the link. */
  readonly state: LinkStateName
  /** Returns the processes that are there. */
  peers(): LinkedPeer[]
  /**
   * Resolves when every process that is there now knows the listeners of this one, and the other way round.
   *
   * @throws Error `ERR_LINK_CLOSED` (rejects)
   */
  synced(): Promise<void>
  /**
   * Closes the link: nothing more is addressed to other processes, or comes from them. Resolves when all that is under way
   * has settled, or after `timeout` milliseconds, with the number of events that had not.
   *
   * @param options - `timeout` is 10 000 by default
   */
  close(options?: { timeout?: number | undefined }): Promise<{ unsettled: number }>
  /** Keeps the event loop alive. */
  ref(): this
  /** Lets the event loop end, which is the default. While the link is being opened or closed, the loop stays alive. */
  unref(): this
  /** The same as `close`, for `await using`. Missing in releases of Node 20 that have no `Symbol.asyncDispose`. */
  [Symbol.asyncDispose](): Promise<void>
}

/**
 * Joins channels of this process to the channels of the same names in other processes, of this host or of others. Buses
 * need no change: those that are there, and later ones, in any thread.
 *
 * @param url - For processes of one host: `unix:` and the absolute path of a directory, which is made if it is not there.
 * Each process has a socket in it, or on Windows the keys to a named pipe. A program that may use the directory may call
 * listeners. For processes of any host: a NATS server, as `nats://host:4222` or `tls://host:4222`, or several in the order
 * in which they are tried. A client that may publish on the subjects `peb1.SPACE.CHANNEL.>` may call listeners.
 * @throws Error `ERR_CHANNEL_LINKED` for a channel that has a link, `ERR_FEATURE_UNAVAILABLE_ON_PLATFORM`; where no link
 * can be made `ERR_LINK_HOST_UNKNOWN`, `ERR_LINK_REFUSED`, `ERR_LINK_TIMEOUT`, `ERR_LINK_UNAUTHORIZED`, `ERR_LINK_TLS`,
 * `ERR_LINK_FORBIDDEN` for a subject, `ERR_LINK_FILE` for a file, and else `ERR_LINK_FAILED`; TypeError
 * `ERR_INVALID_ARG_TYPE`, `ERR_INVALID_ARG_VALUE`; RangeError `ERR_OUT_OF_RANGE` (rejects)
 *
 * @example
 * ```js
 * import { connect, ParallelEventBus } from '@cynic/parallel-event-bus'
 *
 * const link = await connect(`unix:${process.cwd()}/sockets`, { channels: ['orders'] })
 * const bus = new ParallelEventBus({ channel: 'orders' })
 * await link.synced()
 * const { success } = await bus.emitAndWait('created', { id: 1 }) // the listeners of every process
 * console.log(link.state, success) // up 0
 * ```
 */
declare function connect(url: string | URL | Array<string | URL>, options: ConnectOptions): Promise<ChannelLink>

/**
 * The argument of {@link ParallelEventBus.deadLetter}: an event of this bus did not reach listeners in another thread.
 *
 * While the thread of the bus does not read such news, 1024 of them wait, with at most 1 MiB of arguments. Further losses
 * are counted by event, failure kind and thread, and each count becomes one dead letter without arguments. Beyond 256
 * counts, losses are counted by failure kind alone. No loss is left out: {@link Stats.listenersFailed} is their sum.
 */
interface DeadLetter {
  /** The event that was emitted; undefined for events of several names. */
  event: string | undefined
  /**
   * Clones of its arguments; undefined where losses were only counted, where the thread had begun with arguments that
   * were long, and where a MessagePort moved with them.
   */
  args: unknown[] | undefined
  /** Number of listeners that were not reached. */
  listeners: number
  /** The thread of these listeners; undefined for several threads. */
  threadId: number | undefined
  /** The process, if it is another one. */
  peer?: Peer
  /** Number of losses, of one event for one bus each. */
  count: number
  /**
   * The reason. Its `code` is `ERR_MAILBOX_FULL`, `ERR_THREAD_EXITED`, `ERR_LISTENER_TIMEOUT`, `ERR_PEER_GONE`,
   * `ERR_EVENT_TOO_LARGE` or `ERR_MEMORY_ALLOCATION_FAILED`.
   */
  error: Error & { code: string; count: number }
}

/**
 * The argument of {@link ParallelEventBus.stall}: a thread is stuck, whether or not events wait for it. Bun and Deno do not
 * tell of a thread that has no events.
 */
interface Stall {
  /** As in `node:worker_threads`, within its process. */
  threadId: number
  /** The process, if it is another one. */
  peer?: Peer
  /**
   * Number of unread messages. One may hold many events. It is 0 where none has come, or the thread has read as much as it
   * has room for.
   */
  waiting: number
  /** Least number of milliseconds since it last turned its event loop. It is told again each time this has doubled. */
  ms: number
}

/**
 * Options of {@link ParallelEventBus.spawn | spawn}, all optional. The inherited ones are those of `new Worker`. They are
 * refused where a function starts the workers.
 */
interface SpawnOptions extends Pick<WorkerOptions, 'argv' | 'env' | 'execArgv' | 'name' | 'resourceLimits'> {
  /**
   * Number of threads: `minThreads` and `maxThreads` in one.
   *
   * @defaultValue `os.availableParallelism()`
   */
  threads?: number | undefined
  /**
   * Least number of threads. So many are ready when `spawn` resolves.
   *
   * @defaultValue 1 where `maxThreads` is given, else `os.availableParallelism()`
   */
  minThreads?: number | undefined
  /**
   * Greatest number of threads. Where the threads have more events in flight than there are threads, for some 10 ms, more
   * are started.
   *
   * @defaultValue `minThreads`, or `os.availableParallelism()` if that is more
   */
  maxThreads?: number | undefined
  /**
   * Milliseconds after which a thread above `minThreads` ends, if it has had no event in all that time; `Infinity` for
   * never.
   *
   * @defaultValue 10 000
   */
  idleTimeout?: number | undefined
  /**
   * Number of calls of a thread's listeners that run at once, an integer of at least 1, or `Infinity`. It is for all
   * listeners of the pool's group together, but for those with a {@link ListenerOptions.concurrency | concurrency} of their
   * own. Events beyond it wait where other threads of the pool may take them over. A listener that awaits another one of
   * the pool takes two places, so with `1` they may wait for each other.
   *
   * @defaultValue `Infinity`
   */
  concurrency?: number | undefined
  /**
   * Milliseconds that a thread may run one turn of its event loop. One that takes longer is terminated and replaced. The
   * events that it has started fail with {@link ThreadExitedError}; its `cause` is an Error with the code
   * `ERR_THREAD_STUCK`, the `threadId`, and this time as `ms`. The events that it has not started go to other threads of
   * the pool; where all are stuck, to a replacement that is started first.
   *
   * @defaultValue none: a thread may be stuck for ever
   */
  terminateAfter?: number | undefined
  /**
   * Number of events that wait for the pool at most, beyond those that its threads have at once: `concurrency` for each, or
   * one without it. Another event for the group is refused with {@link MailboxFullError}. An integer >= 0, or `Infinity`.
   * Threads that emit different events to the pool at the same moment may exceed it by one event each. The emitter
   * learns of a full queue by the refusal only: `needsDrain` tells of mailboxes alone.
   *
   * @defaultValue Infinity: as many as the mailboxes of the threads have room for
   */
  maxQueue?: number | undefined
  /**
   * The capacity of the mailbox of each thread's bus.
   *
   * @defaultValue that of the bus that spawns
   */
  mailbox?: MailboxOptions | undefined
  /**
   * Milliseconds after which {@link ParallelEventBus.stall} tells that a thread is stuck.
   *
   * @defaultValue that of the bus that spawns
   */
  stallAfter?: number | undefined
  /**
   * Records the times of events in the threads; see {@link BusOptions.recordTiming}.
   *
   * @defaultValue that of the bus that spawns
   */
  recordTiming?: boolean | undefined
  /**
   * Handles the failures of listeners in the threads, failures of the module's teardown, and crashes of threads. Its last
   * argument says in which thread. The event of a crash and of a teardown is {@link ParallelEventBus.threadExit}.
   *
   * @defaultValue the handler of the bus that spawns, at the time of the failure. Without one, a listener's failure is
   * treated in its thread, as {@link BusOptions.onError} says.
   */
  onError?: ErrorHandler | undefined
  /**
   * A stream for the standard output of the threads. `true` drops it.
   *
   * @defaultValue that of the process
   */
  stdout?: NodeJS.WritableStream | boolean | undefined
  /**
   * A stream for the standard error output of the threads. `true` drops it.
   *
   * @defaultValue that of the process
   */
  stderr?: NodeJS.WritableStream | boolean | undefined
  /**
   * The second argument of the module's function, cloned for each thread.
   *
   * @defaultValue `undefined`, or the worker's own data where a function starts the workers
   */
  workerData?: unknown
}

/** Options of `close`, all optional. */
interface CloseOptions {
  /**
   * Milliseconds after which events that have not settled are given up, and spawned threads with such events are ended.
   * 0 for at once. Of several calls of `close`, the last one with a time counts.
   *
   * @defaultValue no limit
   */
  timeout?: number | undefined
}

/** The result of `close`: what was lost. */
interface Closed {
  /**
   * Number of events that were given up before they had settled, 0 where all did. An event of several buses counts once
   * for each of them.
   */
  unsettled: number
}

/** Options of {@link ParallelEventBus.listening | listening}, all optional. */
interface ListeningOptions {
  /**
   * Number of threads that are to listen.
   *
   * @defaultValue 1
   */
  threads?: number | undefined
  /**
   * Ends the wait when it aborts.
   *
   * @defaultValue none
   */
  signal?: AbortSignal | undefined
}

/** Threads that {@link ParallelEventBus.spawn | spawn} started. */
interface ThreadPool {
  /**
   * The ids, as in `node:worker_threads`, of the threads that are ready now. A thread leaves the list with the first
   * rejection or `threadExit` that tells of its end.
   */
  readonly threadIds: number[]
  /**
   * Waits for queued and running listeners and for the module's teardown, then ends the threads. Those that are not done
   * within `options.timeout` are ended as by {@link ThreadPool.terminate}.
   *
   * @returns the same promise for every call
   * @throws TypeError `ERR_INVALID_ARG_TYPE`, RangeError `ERR_OUT_OF_RANGE` for options of the wrong kind
   */
  close(options?: CloseOptions): Promise<Closed>
  /**
   * Replaces all threads, one by one, for fresh memory or a changed module: a new one is ready before an old one takes no more
   * events, finishes those it has, and ends. Calls while it goes on are one. Listeners with `{ group: null }` may hear an
   * event in both.
   *
   * @throws the reason (as a rejection) why a new thread is not ready; the threads that were not replaced yet stay
   */
  recycle(): Promise<void>
  /**
   * Ends the threads at once, in the middle of their listeners. An event that has not started goes to another listener of
   * its group. Any other unsettled event fails with {@link ThreadExitedError}.
   */
  terminate(): Promise<Closed>
  /** The same as `close`. Missing in releases of Node 20 that have no `Symbol.asyncDispose`. */
  [Symbol.asyncDispose](): Promise<void>
}

/**
 * The default export of a module that {@link ParallelEventBus.spawn | spawn} runs: a function that registers listeners. It may
 * return, or resolve to, a function that tears down what it has set up. That is called, and awaited, when the pool has
 * closed the thread's bus, also to recycle the thread or because it was idle; not when the thread crashes or is terminated.
 */
type RegisterListeners<Events extends EventMap<Events> = any, Data = any> = (
  bus: ParallelEventBus<Events>,
  workerData: Data,
) => unknown

/** The three ways to emit, each within the bounds given to {@link ParallelEventBus.with | with}. */
interface EmitterView<Events extends EventMap<Events> = any> {
  /** Emits as `bus.emit`. Returns false and queues nothing once the signal has aborted. */
  emit<Name extends EventName<Events>>(
    event: Name | UnmappedName<Events>,
    ...args: EventArguments<Events, Name>
  ): boolean
  /**
   * Emits and waits as `bus.emitAndWait`. Listeners that timed out are among the failed.
   *
   * @throws `signal.reason` (as a rejection) when the signal aborts first
   */
  emitAndWait<Name extends EventName<Events>>(
    event: Name | UnmappedName<Events>,
    ...args: EventArguments<Events, Name>
  ): Promise<Outcome>
  /**
   * Requests as `bus.request`.
   *
   * @throws {@link ListenerTimeoutError} (as a rejection) when the time is over first
   * @throws `signal.reason` (as a rejection) when the signal aborts first
   */
  request<Name extends EventName<Events>>(
    event: Name | UnmappedName<Events>,
    ...args: EventArguments<Events, Name>
  ): Promise<EventReply<Events, Name>>
}

/** Node's class. Its static `EventEmitter` is itself; that of a bus is the bus. */
declare const NodeEventEmitter: Omit<typeof EventEmitter, 'EventEmitter'> & (new (options?: BusOptions) => EventEmitter)

/**
 * An EventEmitter with deferred listeners: they run in a later turn of the event loop, isolated from each other and from
 * the emitter. A listener's error goes to `onError`; see {@link BusOptions.onError}.
 *
 * @typeParam Events - the events by name, see {@link EventMap}. Without it, any event takes any arguments.
 *
 * @example
 * ```ts
 * import { ParallelEventBus } from '@cynic/parallel-event-bus'
 *
 * type Events = {
 *   'judgment:created': [judgment: { id: string; score: number }]
 *   score: (text: string) => number
 * }
 *
 * const bus = new ParallelEventBus<Events>({ onError: (event, error) => console.error(event, error) })
 *
 * bus.on('judgment:created', async (judgment) => judgment.score.toFixed(1))
 * bus.on('score', (text) => text.length)
 *
 * bus.emit('judgment:created', { id: 'a', score: 5 }) // true, and no listener has started yet
 * const score = await bus.request('score', 'good dog') // 8, a number
 *
 * await bus.close()
 * ```
 */
declare class ParallelEventBus<Events extends EventMap<Events> = any> extends NodeEventEmitter {
  /**
   * For the compiler alone; no bus has it. A bus is one of another map if it has the events of that map, with the
   * same arguments. Methods do not tell: TypeScript compares their parameters in either direction.
   */
  readonly '~events'?: 0 extends 1 & Events ? any : { [Name in keyof Events]: (value: Events[Name]) => Events[Name] }

  /**
   * Makes a bus without listeners.
   *
   * @throws TypeError `ERR_INVALID_ARG_TYPE`, RangeError `ERR_OUT_OF_RANGE` for options of the wrong kind
   */
  constructor(options?: BusOptions)

  /**
   * Queues an event for the listeners registered now, and returns before any of them has started.
   *
   * On a channel these are the listeners of every bus on it. Events of one thread reach another in their order.
   *
   * Listeners start in the order of their registration, events in the order of their emission. `newListener` and
   * `removeListener` are delivered at once.
   *
   * @returns true if the event has listeners; false once the bus is closed
   * @throws for an `error` without listeners, as EventEmitter does: its argument, if that is an Error
   * @throws DOMException `DataCloneError` for arguments that cannot be cloned, if a listener of another bus needs them;
   * no listener gets the event then
   * @throws RangeError for arguments that take more memory than there is (`ERR_MEMORY_ALLOCATION_FAILED`), or more than
   * 2 GiB (`ERR_BUFFER_TOO_LARGE`); no listener gets the event then, either
   */
  emit<Name extends EventName<Events>>(
    event: Name | UnmappedName<Events>,
    ...args: EventArguments<Events, Name>
  ): boolean

  /**
   * Emits an event and waits until every listener has settled.
   *
   * It never rejects for a listener's failure. Without listeners it resolves to zeros. Failures also go to `onError`.
   *
   * @throws {@link BusClosedError} (as a rejection, `ERR_BUS_CLOSED`) once the bus is closed
   * @throws the same as `emit` for an `error` without listeners (as a rejection)
   *
   * @example
   * ```ts
   * import { ParallelEventBus } from '@cynic/parallel-event-bus'
   *
   * const bus = new ParallelEventBus({ onError() {} })
   * bus.on('order', async (order) => `stored ${order.id}`)
   * bus.on('order', () => {
   *   throw new Error('no mail')
   * })
   *
   * console.log(await bus.emitAndWait('order', { id: 1 })) // { success: 1, failed: 1, errors: [Error: no mail] }
   * ```
   */
  emitAndWait<Name extends EventName<Events>>(
    event: Name | UnmappedName<Events>,
    ...args: EventArguments<Events, Name>
  ): Promise<Outcome>

  /**
   * Emits an event to its first listener alone, and waits for the reply: the listener's return value. On a channel, the
   * listener is one of the bus, in any thread, that has the least to do.
   *
   * @returns the reply. `unknown`, unless the map has a signature for the event.
   * @throws the listener's error (as a rejection); it also goes to `onError`
   * @throws {@link NoListenersError} (as a rejection, `ERR_NO_LISTENERS`) when there is no listener, or another one
   * removed it before its turn
   * @throws {@link ThreadExitedError}, {@link MailboxFullError} (as a rejection) when another thread cannot reply
   * @throws {@link BusClosedError} (as a rejection, `ERR_BUS_CLOSED`) once the bus is closed
   */
  request<Name extends EventName<Events>>(
    event: Name | UnmappedName<Events>,
    ...args: EventArguments<Events, Name>
  ): Promise<EventReply<Events, Name>>

  /**
   * Returns a view of the bus with `emit`, `emitAndWait` and `request` bounded by a time and a signal, with objects to
   * move, or with a key that keeps events together. Each call has the whole time.
   *
   * @throws TypeError `ERR_INVALID_ARG_TYPE`, RangeError `ERR_OUT_OF_RANGE` for bounds of the wrong kind
   */
  with(bounds: Bounds): EmitterView<Events>

  /** Adds a listener that gets a {@link ListenerContext} as its last argument. */
  on<Name extends EventName<Events>>(
    event: Name | UnmappedName<Events>,
    listener: ContextListener<Events, Name, this>,
    options: ListenerOptions & { context: true },
  ): this
  /**
   * Adds a listener after the others of its event.
   *
   * @throws TypeError `ERR_INVALID_ARG_TYPE`, RangeError `ERR_OUT_OF_RANGE` for arguments of the wrong kind
   */
  on<Name extends EventName<Events>>(
    event: Name | UnmappedName<Events>,
    listener: Listener<Events, Name, this>,
    options?: ListenerOptions,
  ): this

  /** Adds a listener that gets a {@link ListenerContext} as its last argument. */
  addListener<Name extends EventName<Events>>(
    event: Name | UnmappedName<Events>,
    listener: ContextListener<Events, Name, this>,
    options: ListenerOptions & { context: true },
  ): this
  /** The same as `on`. */
  addListener<Name extends EventName<Events>>(
    event: Name | UnmappedName<Events>,
    listener: Listener<Events, Name, this>,
    options?: ListenerOptions,
  ): this

  /** Adds a listener that gets a {@link ListenerContext} as its last argument. */
  prependListener<Name extends EventName<Events>>(
    event: Name | UnmappedName<Events>,
    listener: ContextListener<Events, Name, this>,
    options: ListenerOptions & { context: true },
  ): this
  /** Adds a listener as `on`, but before the other listeners of the event. */
  prependListener<Name extends EventName<Events>>(
    event: Name | UnmappedName<Events>,
    listener: Listener<Events, Name, this>,
    options?: ListenerOptions,
  ): this

  /** Adds a listener that gets a {@link ListenerContext} as its last argument. */
  once<Name extends EventName<Events>>(
    event: Name | UnmappedName<Events>,
    listener: ContextListener<Events, Name, this>,
    options: Omit<ListenerOptions, 'once'> & { context: true },
  ): this
  /** Adds a listener for the next event only. It is removed when the event is emitted, not when it is delivered. */
  once<Name extends EventName<Events>>(
    event: Name | UnmappedName<Events>,
    listener: Listener<Events, Name, this>,
    options?: Omit<ListenerOptions, 'once'>,
  ): this

  /** Adds a listener that gets a {@link ListenerContext} as its last argument. */
  prependOnceListener<Name extends EventName<Events>>(
    event: Name | UnmappedName<Events>,
    listener: ContextListener<Events, Name, this>,
    options: Omit<ListenerOptions, 'once'> & { context: true },
  ): this
  /** Adds a listener as `once`, but before the other listeners of the event. */
  prependOnceListener<Name extends EventName<Events>>(
    event: Name | UnmappedName<Events>,
    listener: Listener<Events, Name, this>,
    options?: Omit<ListenerOptions, 'once'>,
  ): this

  /**
   * Removes a listener; of several equal ones, the one added last.
   *
   * Events that were emitted before still reach it. They do not if a listener makes this call, before its first `await`:
   * then the listener is also removed from queued events. A listener that is added at the same time takes its place in
   * them; the same one, added again, was never away.
   */
  off<Name extends EventName<Events>>(event: Name | UnmappedName<Events>, listener: Listener<Events, Name, this>): this

  /** The same as `off`. */
  removeListener<Name extends EventName<Events>>(
    event: Name | UnmappedName<Events>,
    listener: Listener<Events, Name, this>,
  ): this

  /** Removes the listeners of an event, or of all events. Queued events are treated as in `off`. */
  removeAllListeners(event?: EventName<Events>): this

  /** Returns the listeners of an event, as they were passed to `on`. */
  listeners<Name extends EventName<Events>>(event: Name | UnmappedName<Events>): Array<Listener<Events, Name, unknown>>

  /** Returns the listeners with the functions that `once` and the listener options put around them. */
  rawListeners<Name extends EventName<Events>>(
    event: Name | UnmappedName<Events>,
  ): Array<Listener<Events, Name, unknown>>

  /** Returns the number of listeners of an event, or the number of times it has this one. */
  listenerCount<Name extends EventName<Events>>(
    event: Name | UnmappedName<Events>,
    listener?: Listener<Events, Name, this>,
  ): number

  /**
   * Sets `onError`.
   *
   * @throws TypeError `ERR_INVALID_ARG_TYPE` unless it is a function
   */
  setErrorHandler(onError: ErrorHandler): this

  /** Removes `onError`. */
  clearErrorHandler(): this

  /** Returns the counts since the bus was made, or since `resetStats()`. */
  getStats(): Stats

  /** Counts from 0 again. */
  resetStats(): this

  /**
   * Resolves when no event of this bus is queued or running. A listener that awaits it waits for itself. A listener that
   * never settles keeps it waiting for ever: give that one a `timeout`.
   */
  idle(): Promise<void>

  /**
   * Closes the bus: takes no new events, waits for those in flight, then removes all listeners. A listener that awaits it
   * waits for itself. A bus with a channel leaves it at once, delivers the events queued for its listeners, and closes the
   * threads it spawned. From the call on, `emit` returns false, and `emitAndWait` and `request` reject with
   * {@link BusClosedError}.
   *
   * With `options.timeout` it does not wait for ever. When the time is over, spawned threads are ended, and events that
   * are still in flight elsewhere, or in running listeners, are given up: nothing ends these, they may still settle.
   *
   * @returns the same promise for every call
   * @throws TypeError `ERR_INVALID_ARG_TYPE`, RangeError `ERR_OUT_OF_RANGE` for options of the wrong kind
   */
  close(options?: CloseOptions): Promise<Closed>

  /**
   * Starts worker threads that listen on this bus's channel, for listeners that burn CPU. All threads of one call are one
   * group, so each event, and each {@link request}, goes to the thread that has the least to do.
   *
   * A thread that crashes is replaced: at once, or, when that happens again and again, after ever longer pauses, up to
   * 30 s. The crash goes to `onError` with `ParallelEventBus.threadExit` as its event. So do failures of listeners in the
   * threads, with their own events. One that is stuck is replaced, too, with {@link SpawnOptions.terminateAfter}. Idle
   * threads do not keep the process alive. `close()` of the bus closes them.
   *
   * In the module, `workerData` and `parentPort` of `node:worker_threads` are those of any worker: the data is the one
   * given here, and the port is for the module to use. Where the function has not resolved after 10 s, a process warning
   * says so (`PARALLEL_EVENT_BUS_THREAD_NOT_READY`).
   *
   * @param module - a URL (`new URL('./score.js', import.meta.url)`), or a path relative to the working directory. The
   * default export of the module is `(bus, workerData) => void | Promise<void>`: it registers the thread's listeners.
   * Node 22.18 and newer also run TypeScript modules. Or a function that starts a worker, because bundlers know
   * `() => new Worker(new URL('./score.mjs', import.meta.url))`; the file of the worker calls {@link spawned}.
   * @returns when every thread has registered them
   * @throws TypeError `ERR_INVALID_ARG_TYPE`, `ERR_INVALID_ARG_VALUE`, RangeError `ERR_OUT_OF_RANGE` (as a rejection) for
   * wrong arguments, for a bus without a channel, and for a module with a default export that is no function
   * @throws {@link BusClosedError} (as a rejection, `ERR_BUS_CLOSED`) if the bus is closed, before or meanwhile
   * @throws Error `ERR_MODULE_NOT_FOUND`, SyntaxError `ERR_MODULE_DOES_NOT_LOAD`, or an Error with another code of Node's
   * (as a rejection) if the module cannot be loaded. The `cause` is the error in the thread; the stack is the caller's.
   * @throws the error that the module or its function throws, or rejects with (as a rejection)
   * @throws {@link ThreadExitedError} (as a rejection) if a thread ends before it has registered. In all these cases
   * spawn rejects when the other threads have ended, too.
   *
   * @example
   * ```ts main.mts
   * import { ParallelEventBus } from '@cynic/parallel-event-bus'
   *
   * const bus = new ParallelEventBus({ channel: 'orders' })
   * const pool = await bus.spawn(new URL('./score.mjs', import.meta.url), { threads: 2 })
   * console.log(await bus.request('score', { text: 'good dog' })) // 8
   * await bus.close() // ends the threads; `pool.close()` does so before
   * ```
   *
   * ```js score.mjs
   * export default (bus) => {
   *   bus.on('score', (item) => item.text.length)
   * }
   * ```
   */
  spawn(module: string | URL | (() => Worker), options?: SpawnOptions): Promise<ThreadPool>

  /**
   * True if more than half of the room of some bus of another thread on the channel is used: emit less, or wait for
   * {@link drained}. Events that a thread has read and not settled use room, too. False without a channel.
   *
   * Listeners may wait for `drained()` while they use room themselves. Where only such listeners use the room of two
   * buses, neither holds up the other, so that listeners that emit back and forth do not wait for ever.
   */
  readonly needsDrain: boolean

  /** Resolves at once unless {@link needsDrain}; else when at most a quarter of the room of these buses is used. */
  drained(): Promise<void>

  /**
   * Keeps the thread alive until `close()` or `unref()`. In a worker thread, a bus with a channel does so by itself
   * as long as it has listeners. In the main thread it does not.
   */
  ref(): this

  /** Lets the thread end although the bus listens on its channel. */
  unref(): this

  /**
   * Resolves to the arguments of the next event, and rejects with the next `error`, as `once` of `node:events`. For a bus
   * it goes by its map, where that of `node:events` has `any[]`.
   *
   * An event that was emitted before `options.signal` aborts still arrives. `once` of `node:events` rejects at the
   * abort, and loses an event that is queued by then.
   *
   * @throws `AbortError` (as a rejection, `ABORT_ERR`), with the signal's reason as its `cause`
   */
  static once<Events extends EventMap<Events>, Name extends EventName<Events>>(
    bus: ParallelEventBus<Events>,
    event: Name | UnmappedName<Events>,
    options?: Parameters<typeof EventEmitter.once>[2],
  ): Promise<EventArguments<Events, Name>>
  /** Resolves as `once` of `node:events`, for an emitter that is no bus. */
  static once(emitter: NoBus, event: string | symbol, options?: Parameters<typeof EventEmitter.once>[2]): Promise<any[]>
  /** Resolves as `once` of `node:events`, for an EventTarget. */
  static once(emitter: EventTarget, event: string, options?: Parameters<typeof EventEmitter.once>[2]): Promise<any[]>

  /**
   * Iterates over the arguments of each event, and throws the next `error`, as `on` of `node:events`. For a bus it goes by
   * its map, where that of `node:events` has `any[]`.
   *
   * Events that were emitted before `options.signal` aborts, and before `return()` or `throw()` is called, still come
   * first; the promise of `return()` waits for them. `on` of `node:events` loses those that are queued by then.
   *
   * @throws `AbortError` (from the iterator, `ABORT_ERR`), with the signal's reason as its `cause`
   */
  static on<Events extends EventMap<Events>, Name extends EventName<Events>>(
    bus: ParallelEventBus<Events>,
    event: Name | UnmappedName<Events>,
    options?: Parameters<typeof EventEmitter.on>[2],
  ): NodeJS.AsyncIterator<EventArguments<Events, Name>>
  /** Iterates as `on` of `node:events`, for an emitter that is no bus. */
  static on(
    emitter: NoBus,
    event: string | symbol,
    options?: Parameters<typeof EventEmitter.on>[2],
  ): NodeJS.AsyncIterator<any[]>
  /** Iterates as `on` of `node:events`, for an EventTarget. */
  static on(
    emitter: EventTarget,
    event: string,
    options?: Parameters<typeof EventEmitter.on>[2],
  ): NodeJS.AsyncIterator<any[]>

  /**
   * Makes a worker one of a pool: `bus.spawn(() => new Worker(…))` has started it, and the function registers its listeners.
   * It is to be called while the worker's file is evaluated.
   *
   * @param register - as the default export of a module of {@link spawn}. The data is that of `spawn`, else the worker's.
   * @throws Error `ERR_NOT_SPAWNED` in the main thread
   *
   * @example
   * ```ts main.mts
   * import { Worker } from 'node:worker_threads'
   * import { ParallelEventBus } from '@cynic/parallel-event-bus'
   *
   * const bus = new ParallelEventBus({ channel: 'bundled' })
   * await bus.spawn(() => new Worker(new URL('./length.mjs', import.meta.url)), { threads: 2 })
   * console.log(await bus.request('length', 'good dog')) // 8
   * await bus.close()
   * ```
   *
   * ```js length.mjs
   * import { spawned } from '@cynic/parallel-event-bus'
   *
   * spawned((bus) => {
   *   bus.on('length', (text) => text.length)
   * })
   * ```
   */
  static spawned<Events extends EventMap<Events> = any, Data = any>(register: RegisterListeners<Events, Data>): void

  /**
   * Resolves when at least `options.threads` threads listen to an event on the channel of the bus. The thread of the bus
   * is one of them if it listens. For threads of one's own: `spawn` resolves when those that it starts listen.
   *
   * @throws `signal.reason` (as a rejection) when the signal aborts first
   * @throws {@link BusClosedError} (as a rejection, `ERR_BUS_CLOSED`) if the bus is closed, before or meanwhile
   * @throws TypeError `ERR_INVALID_ARG_TYPE`, `ERR_INVALID_ARG_VALUE`, RangeError `ERR_OUT_OF_RANGE` (as a rejection) for
   * wrong arguments, and for a bus without a channel
   *
   * @example
   * ```ts main.mts
   * import { Worker } from 'node:worker_threads'
   * import { ParallelEventBus } from '@cynic/parallel-event-bus'
   *
   * const bus = new ParallelEventBus({ channel: 'prices' })
   * const workers = [1, 2].map(() => new Worker(new URL('./price.mjs', import.meta.url)))
   * await ParallelEventBus.listening(bus, 'price', { threads: 2 })
   * console.log(await bus.emitAndWait('price', 5)) // { success: 2, failed: 0, errors: [] }
   * await Promise.all(workers.map((worker) => worker.terminate()))
   * ```
   *
   * ```js price.mjs
   * import { ParallelEventBus } from '@cynic/parallel-event-bus'
   *
   * new ParallelEventBus({ channel: 'prices' }).on('price', () => {})
   * ```
   */
  static listening<Events extends EventMap<Events>>(
    bus: ParallelEventBus<Events>,
    event: (keyof Events & string) | UnmappedName<Events>,
    options?: ListeningOptions,
  ): Promise<void>

  /**
   * Resolves to the numbers of a bus and of its whole channel: what became of events, by name, how long they waited and
   * ran, and what each thread has to do. No thread is waited for, so a thread that is stuck, or has ended, is in them.
   *
   * A bus without a channel tells its events apart by name from the first call on, or with `recordTiming`. Those of before
   * are `otherEvents`.
   *
   * @throws TypeError `ERR_INVALID_ARG_TYPE` (as a rejection) for what is no bus
   *
   * @example
   * ```ts
   * import { ParallelEventBus } from '@cynic/parallel-event-bus'
   *
   * const bus = new ParallelEventBus({ recordTiming: true })
   * bus.on('order', () => {})
   * await bus.emitAndWait('order')
   * const { events } = await ParallelEventBus.metrics(bus)
   * console.log(events.order?.delivered, events.order?.wait?.count) // 1 1
   * ```
   */
  static metrics<Events extends EventMap<Events>>(bus: ParallelEventBus<Events>): Promise<Metrics>

  /**
   * Begins a trace of all threads of the process that are on a channel, and of this one: each emit, each wait, each call of
   * a listener, and arrows between them, as Chrome's trace events. https://ui.perfetto.dev shows them. The environment
   * variable `PARALLEL_EVENT_BUS_TRACE` names a file for the whole life of a process.
   *
   * The file is complete when the trace is closed or the process exits, also by an uncaught error. While it is written, events
   * to other threads take several times as long.
   *
   * @throws TypeError `ERR_INVALID_ARG_TYPE`, `ERR_INVALID_ARG_VALUE`, RangeError `ERR_OUT_OF_RANGE` for wrong options
   * @throws Error `ERR_INVALID_STATE` if there is a trace already, `ERR_TRACE_FILE` if the file cannot be written
   */
  static trace(options: TraceOptions): Trace

  /**
   * Default of {@link BusOptions.maxListeners} for buses made from now on. EventEmitter has a default of its own, which
   * stays.
   *
   * @throws TypeError `ERR_INVALID_ARG_TYPE`, RangeError `ERR_OUT_OF_RANGE` when set to anything but a number from 0 on
   */
  static defaultMaxListeners: number

  /**
   * Sets the limit of these emitters and event targets, as `setMaxListeners` of `node:events`. Without any, sets
   * {@link ParallelEventBus.defaultMaxListeners}.
   */
  static setMaxListeners(count?: number, ...emitters: Array<EventEmitter | EventTarget>): void

  /** Name of the event that tells that a thread of the channel ended: {@link ThreadExit}. */
  static readonly threadExit: unique symbol
  /** Name of the event that tells that an event did not reach listeners in another thread: {@link DeadLetter}. */
  static readonly deadLetter: unique symbol
  /** Name of the event that tells that a thread of the channel is stuck: {@link Stall}. */
  static readonly stall: unique symbol
  /** Name of the event that tells that a process has joined the channel: {@link PeerChange}. */
  static readonly peerJoin: unique symbol
  /** Name of the event that tells that a process has left the channel, or died: {@link PeerChange}. */
  static readonly peerExit: unique symbol
  /** Name of the event that tells of the link of the channel: {@link LinkChange}. */
  static readonly linkState: unique symbol;

  /** The same as `close`, for `await using`. Missing in releases of Node 20 that have no `Symbol.asyncDispose`. */
  [Symbol.asyncDispose](): Promise<void>
}

/** An emitter that is no bus, so that a bus with a map is not taken for one that takes any event. */
type NoBus = EventEmitter & { readonly '~events'?: never }

/**
 * Makes a bus, as `new ParallelEventBus(options)`.
 *
 * @typeParam Events - the events by name, see {@link EventMap}. Without it, any event takes any arguments.
 */
declare function createParallelEventBus<Events extends EventMap<Events> = any>(
  options?: BusOptions,
): ParallelEventBus<Events>

/** The bus was closed before the event was emitted. `instanceof` goes by the code, so it holds in every realm. */
declare class BusClosedError extends Error {
  /** The bus makes them; a test double may, too. */
  constructor(event: string | symbol)
  readonly name: 'BusClosedError'
  readonly code: 'ERR_BUS_CLOSED'
  /** The event that reached no listener. */
  readonly event: string | symbol
}

/** A listener has not settled in time. `instanceof` goes by the code, so it holds in every realm. */
declare class ListenerTimeoutError extends Error {
  /** The bus makes them; a test double may, too. */
  constructor(event: string | symbol, listener: AnyFunction, timeout: number)
  readonly name: 'ListenerTimeoutError'
  readonly code: 'ERR_LISTENER_TIMEOUT'
  /** The event that the listener was called for; undefined for events of several names. */
  readonly event: string | symbol | undefined
  /** The timeout in milliseconds; for events of several names, that of one of them. */
  readonly timeout: number
  /** Number of losses that the error stands for; 1 unless one error stands for many. */
  readonly count: number
}

/** A request found no listener. `instanceof` goes by the code, so it holds in every realm. */
declare class NoListenersError extends Error {
  /** The bus makes them; a test double may, too. */
  constructor(event: string | symbol)
  readonly name: 'NoListenersError'
  readonly code: 'ERR_NO_LISTENERS'
  /** The event that was requested. */
  readonly event: string | symbol
}

/** The thread of a listener ended before it had settled. `instanceof` goes by the code, so it holds in every realm. */
declare class ThreadExitedError extends Error {
  /** The bus makes them; a test double may, too. */
  constructor(event: string | null, threadId: number, cause?: unknown)
  readonly name: 'ThreadExitedError'
  readonly code: 'ERR_THREAD_EXITED'
  /**
   * The reason, as the thread left it before its end: the uncaught error that ended it, or else an Error with the
   * `exitCode` and a stack that shows the caller of `process.exit()`. Undefined for a thread that is ended from outside,
   * by `terminate()` or out of memory (only its Worker tells of `ERR_WORKER_OUT_OF_MEMORY`, and later). Undefined also
   * where more than 256 threads have ended since.
   */
  readonly cause: unknown
  /**
   * The event that was lost; null for a thread of `spawn` that ended without being told to; undefined for events of
   * several names.
   */
  readonly event: string | null | undefined
  /** As in `node:worker_threads`; undefined for several threads. */
  readonly threadId: number | undefined
  /** The process, if it is another one. */
  readonly peer?: Peer
  /** Number of losses that the error stands for; 1 unless one error stands for many. */
  readonly count: number
}

/** The process of a listener was gone before it had settled. `instanceof` goes by the code, so it holds in every realm. */
declare class PeerGoneError extends Error {
  /** The bus makes them; a test double may, too. */
  constructor(event: string, peer: Peer | undefined, started: boolean | 'unknown')
  readonly name: 'PeerGoneError'
  readonly code: 'ERR_PEER_GONE'
  /** The event that was lost; undefined for events of several names. */
  readonly event: string | undefined
  /** The process; undefined for several, and if it is not known any more. */
  readonly peer: Peer | undefined
  /** Whether the listener had been called. False is a promise that it never was. */
  readonly started: boolean | 'unknown'
  /** Number of losses that the error stands for; 1 unless one error stands for many. */
  readonly count: number
}

/** The mailbox of a bus is full: see {@link MailboxOptions}. `instanceof` goes by the code, so it holds in every realm. */
declare class MailboxFullError extends Error {
  /** The bus makes them; a test double may, too. */
  constructor(event: string, threadId: number)
  readonly name: 'MailboxFullError'
  readonly code: 'ERR_MAILBOX_FULL'
  /** The event that was refused; undefined for events of several names. */
  readonly event: string | undefined
  /** The thread of the bus, as in `node:worker_threads`; undefined for several threads. */
  readonly threadId: number | undefined
  /** The process, if it is another one. */
  readonly peer?: Peer
  /** Number of losses that the error stands for; 1 unless one error stands for many. */
  readonly count: number
}

declare namespace ParallelEventBus {
  export {
    Bounds,
    BusClosedError,
    BusOptions,
    ChannelLink,
    Closed,
    CloseOptions,
    ConnectOptions,
    ContextListener,
    connect,
    createParallelEventBus,
    DeadLetter,
    EmitterView,
    ErrorHandler,
    EventArguments,
    EventCounts,
    EventMap,
    EventMetrics,
    EventName,
    EventReply,
    FailureOrigin,
    GroupMetrics,
    LinkChange,
    LinkedPeer,
    LinkStateName,
    Listener,
    ListenerContext,
    ListenerOptions,
    ListenerTimeoutError,
    ListeningOptions,
    MailboxFullError,
    MailboxOptions,
    Metrics,
    NoListenersError,
    Outcome,
    ParallelEventBus,
    ParallelEventBus as EventEmitter,
    Peer,
    PeerChange,
    PeerGoneError,
    PoolMetrics,
    Propagate,
    PropagatedEvent,
    RegisterListeners,
    SpawnOptions,
    Stall,
    Stats,
    ThreadExit,
    ThreadExitedError,
    ThreadMetrics,
    ThreadPool,
    Times,
    Trace,
    TraceOptions,
  }
}
