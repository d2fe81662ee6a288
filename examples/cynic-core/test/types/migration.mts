// Types of @cynic/core/migration, from an ES module.

import { EventEmitter } from 'node:events'
import { type Criterion, check as checkBus, criteriaOf, type Results, record } from '@cynic/core/migration'
import { check, type Equal } from '../../../../__test__/types/check.js'

const results = await checkBus({ file: 'bus.js', name: 'Bus', on: 'subscribe', emit: 'publish' }, { quick: true })
check<Equal<typeof results, Results>>()
check<Equal<ReturnType<typeof criteriaOf>, Criterion[]>>()
for (const { name, met, numbers } of criteriaOf(results)) console.log(name.length, met === true, numbers.length)
for (const { rounds } of results.latency) {
  for (const { before, after } of rounds) {
    check<Equal<typeof before, typeof after>>()
    check<Equal<typeof before.emit, number[]>>()
    // A lost event has no time.
    check<Equal<typeof before.allDone, Array<number | null>>>()
  }
}
check<Equal<typeof results.memory.after.readings, Array<{ heapUsed: number; rss: number }>>>()
// @ts-expect-error: the module is missing
checkBus({ name: 'Bus' })

const recorder = record(new EventEmitter())
const { emit, listeners, failureRate } = recorder.report()
check<Equal<typeof emit, { p50: number; p90: number; p99: number; max: number }>>()
check<Equal<typeof listeners, Record<string, number>>>()
check<Equal<typeof failureRate, number>>()
recorder.stop()
// @ts-expect-error: only an emitter can be recorded
record({})
