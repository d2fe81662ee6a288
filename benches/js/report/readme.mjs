// The numbers of the README.

import { origin, paragraph, spread, table } from './tables.mjs'

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
      'a promise per listener',
      results.line('burst-length-1', 'prototype'),
    ),
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

/** Where they are from. */
export function from(results) {
  return paragraph(`${origin(results)}.`.replaceAll('\n', ' '))
}
