// The numbers of the README.

import { digits, origin, paragraph, table } from './tables.mjs'

/** What most people ask first: each beside somebody, with its range. */
export function numbers(results) {
  const rows = [
    [
      'an event with 3 listeners, in bursts: emit and delivery',
      '`EventEmitter.emit`',
      cost(results.line('deliver-3-emitter')),
    ],
    [
      '`emitAndWait` to a thread, one at a time',
      'a `postMessage` echo',
      speed(results.line('echo', 'postMessage echo')),
    ],
    ['small events to a thread, in bursts, until heard', 'BroadcastChannel', speed(results.line('burst-1'))],
    ['`request`, 1000 in flight, 2 threads', 'piscina', speed(results.line('request', 'piscina'))],
  ]
  return table(['', 'beside', 'the bus'], rows)
}

/** Where they are from. */
export function from(results) {
  return paragraph(`${origin(results)}.`.replaceAll('\n', ' '))
}

function cost({ ratio: { median, p10, p90 } }) {
  return `${digits(median)}× the time (${digits(p10)} – ${digits(p90)})`
}

/** How many times faster the bus is, whichever way the row has it. */
function speed({ ratio: { median, p10, p90 }, goal }) {
  const isSpeed = goal.atLeast !== undefined
  const [middle, least, most] = isSpeed ? [median, p10, p90] : [1 / median, 1 / p90, 1 / p10]
  return `${digits(middle)}× as fast (${digits(least)} – ${digits(most)})`
}
