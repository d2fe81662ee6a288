// @cynic/core/migration: the gains of moving a bus from EventEmitter to ParallelEventBus, measured.

/// <reference types="node" />

import { EventEmitter } from 'node:events'

/** The bus to check. */
export interface Target {
  /** Path of the module. */
  file: string
  /**
   * Its export: a class that extends EventEmitter or ParallelEventBus, or a function that is called with one of them and
   * returns a bus that holds it.
   *
   * @defaultValue the default export, or the only function
   */
  name?: string | undefined
  /**
   * The bus's method that subscribes.
   *
   * @defaultValue `'on'`
   */
  on?: string | undefined
  /**
   * The bus's method that publishes.
   *
   * @defaultValue `'emit'`
   */
  emit?: string | undefined
  /**
   * An event that the bus accepts.
   *
   * @defaultValue `'check:bus:event'`
   */
  event?: string | undefined
}

/** A result on EventEmitter and on ParallelEventBus. */
export interface Sides<Result> {
  before: Result
  after: Result
}

/** Calls of listeners. */
export interface Tally {
  /** Number of calls that had to be made. */
  expected: number
  /** Number of those that were not made. */
  missing: number
  /** Number of calls that were made again. */
  repeated: number
  /** Number of calls with another event than the next one. */
  disordered: number
  /** Number of calls that failed on purpose. */
  failed: number
  /** `reached[n]` is the number of events that n listeners were called for. */
  reached: number[]
}

/** The listeners of a row: their number, and the work of each of them, for `ms` milliseconds. */
export interface Row<Round> {
  kind: 'cpu' | 'wait' | 'nothing'
  listeners: number
  ms?: number
  rounds: Array<Sides<Round>>
}

/** Times of single events, in milliseconds from the call of `emit`; null for an event that was lost. */
export interface LatencyRound {
  /** Until `emit` returned. */
  emit: number[]
  /** Until the last listener was called. */
  lastStart: Array<number | null>
  /** Until the last listener settled. */
  allDone: Array<number | null>
  tally: Tally
}

/** Events per second, emitted all at once. */
export interface BurstRound {
  /** By the time `emit` had returned. */
  taken: number
  /** By the time the listeners had settled; 0 if calls were lost. */
  done: number
  tally: Tally
}

/** The work of a listener that failed at times. */
export interface Failures {
  /** Number of events. */
  events: number
  /** Number of emits that threw. */
  thrown: number
  /** Number of unhandled rejections. */
  unhandled: number
  tally: Tally
}

/** Memory of the process, in bytes, after garbage was collected. */
export interface Memory {
  /** Number of events from one reading to the next. */
  interval: number
  readings: Array<{ heapUsed: number; rss: number }>
  /** The highest resident memory of the process. */
  peak: number
  tally: Tally
}

/** The numbers of a check. */
export interface Results {
  /** Whether listeners had run when `emit` returned, and the name of the class. */
  probed: Sides<{ synchronous: boolean; name: string; tally: Tally }>
  latency: Array<Row<LatencyRound>>
  burst: Array<Row<BurstRound>>
  failures: Sides<Failures>
  memory: Sides<Memory>
}

/** One success criterion of a migration. */
export interface Criterion {
  name: string
  met: boolean
  /** The numbers that it was judged by. */
  numbers: string
}

/**
 * Measures a bus on both base classes, in two processes that take turns: about half a minute.
 *
 * @param options - `quick` for fewer rounds, a few seconds
 * @throws an Error with the code `ERR_TARGET` (as a rejection) if there is nothing to check
 */
export function check(target: Target, options?: { quick?: boolean | undefined }): Promise<Results>

/** Judges results by the success criteria. */
export function criteriaOf(results: Results): Criterion[]

/** The work of a bus since `record` was called. */
export interface Report {
  /** Number of events. */
  events: number
  eventsPerSecond: number
  /** The times that emitters waited, in milliseconds; 0 before the first event. Delivery is not in it. */
  emit: { p50: number; p90: number; p99: number; max: number }
  /** Number of events by how many listeners they had. */
  listeners: Record<string, number>
  /** Share of the calls of listeners that failed, from 0 to 1. */
  failureRate: number
  /** Of the process, in MiB. */
  memory: { heap: number; resident: number }
}

export interface Recorder {
  report(): Report
  /** Leaves the bus as it was. */
  stop(): void
}

/** Records the work of a bus of a running application, on either base class. */
export function record(bus: EventEmitter): Recorder
