// The numbers of the README.

import { digits, origin, paragraph, spread, table } from './tables.mjs'

/** The first questions of most people, and where the bus is slower: each beside another library, with its range. */
export function numbers(results) {
  const beside = (what, name, { unit, ours, ratio }) => [
    what,
    spread(ours, ` ${unit.replace(/ per .*/, '')}`),
    name,
    spread(ratio, '× as fast'),
  ]
  const rows = [
    beside(
      'one event at a time, 3 listeners: `emit` until all are done',
      '`setImmediate`, its floor',
      results.line('single', 'setImmediate, then EventEmitter.emit'),
    ),
    beside('the same', 'a promise per listener, in the microtask queue', results.line('single', 'prototype')),
    beside(
      'the same in bursts of 10 000, per event',
      '`EventEmitter.emit`, which calls them at once',
      results.line('deliver-3-emitter'),
    ),
    beside(
      `one \`emitAndWait\` at a time to a thread: ${results.payload('echo')}`,
      'a `postMessage` echo',
      results.line('echo', 'postMessage echo'),
    ),
    beside(
      `bursts to a thread until heard, per event: ${results.payload('burst-1')}`,
      'BroadcastChannel',
      results.line('burst-1', 'BroadcastChannel'),
    ),
    beside(
      `\`request\`, 1000 in flight, 2 threads, per task: ${results.payload('request')}`,
      'piscina',
      results.line('request', 'piscina'),
    ),
  ]
  return table(['', 'takes', 'beside', 'the bus is'], rows)
}

const POOLS = ['piscina', 'tinypool', 'workerpool', 'poolifier']

/** The same work by the bus and by pools of threads: their times, and how well the bus uses the cores. */
export function pools(results) {
  const line = (what, id) => {
    const theirs = POOLS.map((pool) => results.lines.find((each) => each.id === id && each.against === pool))
    const { ours, unit } = theirs.find((each) => each !== undefined)
    const cell = (times) => (times === undefined ? '–' : digits(times.median))
    return [`${what}, ${unit.replace(/ per .*/, '')}`, cell(ours), ...theirs.map((each) => cell(each?.theirs))]
  }
  const ideal = (what, id) => {
    const { ratio } = results.line(id, 'the ceiling')
    return [...line(what, id), spread(ratio, ' %')]
  }
  const rows = [
    ideal('1 task of 200 ms and 40 of 5 ms, until all are done', 'mixed-one-long'),
    ideal('60 tasks of 1 to 100 ms, most of them short', 'mixed-pareto'),
    ideal('40 tasks of 5 ms', 'mixed-equal'),
    [...line('99 of 100 short tasks beside a long one', 'beside'), ''],
    [...line('one of 1000 requests in flight that do nothing', 'request'), ''],
    [...line('start of a pool, until both threads have done a task', 'pool'), ''],
  ]
  return table(['on 2 threads', 'the bus', ...POOLS, 'the bus, of the ideal'], rows)
}

/** For which payloads the bus is faster than BroadcastChannel, and for which slower. */
export function kinds(results) {
  const all = results.kinds.map(({ name, ratio }) => ({
    text: `${name} ${digits(ratio.median)}×`,
    ratio: ratio.median,
  }))
  const listed = (some) => some.map(({ text }) => text).join(', ')
  const isFaster = ({ ratio }) => ratio >= 1
  const slower = all.filter((kind) => !isFaster(kind))
  return paragraph(
    'By kind of payload, in bursts to one thread beside BroadcastChannel, as fast or faster:',
    `${listed(all.filter(isFaster))}.`,
    ...(slower.length === 0 ? [] : [`Slower: ${listed(slower)}.`]),
  )
}

/** Where they are from. */
export function from(results) {
  return paragraph(`${origin(results)}.`.replaceAll('\n', ' '))
}
