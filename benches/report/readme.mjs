// The speed tables of the README.

import { digits, origin, paragraph, table } from './tables.mjs'

/** Events within a thread. */
export function within(results) {
  const over = (numbers, cell) => numbers.map((number) => cell(number))
  const delivered = [1, 3, 10, 50]
  const waited = (kind, against) => [
    '',
    ...over([3, 10], (number) => times(results.ratio(`wait-${number}-${kind}`, against))),
    '',
  ]
  const emitteries = ['emittery 1', 'emittery 2'].filter((name) => results.has('wait-3-sync', name))
  const waiting = (kind, what) => [
    [what, 'that `Promise.all`', ...waited(kind, 'prototype')],
    ...emitteries.map((name) => ['', name, ...waited(kind, name)]),
  ]
  const ns = (listeners) => digits(results.ours(`deliver-${listeners}-emitter`))
  const sentences = [
    `In nanoseconds an event with one listener costs ${ns(1)}, with three ${ns(3)}, with ten ${ns(10)}.`,
    `EventEmitter takes ${digits(results.theirs('deliver-1-emitter'))} for one: V8 inlines it into the emitting loop.`,
    'Deferring an event means keeping it, and with it the AsyncResource that carries AsyncLocalStorage to the listeners:',
    `${digits(results.ours('queued'))} bytes while it is queued. A 20 ms timer under a million queued events came`,
    `${digits(results.ours('timer'))} ms late, and ten million events left the process`,
    `${digits(Math.max(0, results.ours('memory')))} MiB larger.`,
  ]
  const head = ['', 'against', '1 listener', '3', '10', '50']
  const rows = [
    [
      '`emit` and delivery, bursts of 10 000: cost',
      '`EventEmitter.emit`',
      ...over(delivered, (number) => times(results.ratio(`deliver-${number}-emitter`))),
    ],
    [
      'the same: speed',
      'a promise per listener under `Promise.all`',
      ...over(delivered, (number) => times(results.ratio(`deliver-${number}-prototype`))),
    ],
    ...waiting('sync', '`emitAndWait`, 100 in flight, sync listeners: speed'),
    ...waiting('async', 'the same, async listeners: speed'),
  ]
  return `${table(head, rows)}\n\n${paragraph(...sentences)}`
}

/** Events between threads. */
export function between(results) {
  const bursts = (against) => results.curve('threads', against)
  const speeds = (lines) => lines.map(({ ratio }) => marked(ratio.median)).join(', ')
  const single = (id, against) => marked(results.speed(id, against))
  const [ours, ...others] = results.lines.filter(({ id }) => id === 'cpu')
  const shares = others.map(({ what, ratio }) => `${what.replace(', beside it', '')} ${percent(ratio)}`)
  const sizes = results.curve('size-buffer', 'BroadcastChannel')
  const threads = bursts('BroadcastChannel').map(({ x }) => x)
  const rows = [
    [`bursts of small events to ${threads.join(', ')} threads`, 'BroadcastChannel', speeds(bursts('BroadcastChannel'))],
    ['', '`postMessage` to each', speeds(bursts('postMessage'))],
    ['`emitAndWait` to a thread, one at a time', 'a `postMessage` echo', single('echo', 'postMessage echo')],
    ['', 'piscina', single('echo', 'piscina.run')],
    ...['piscina', 'tinypool', 'workerpool'].map((name, index) => [
      index === 0 ? '`request`, 1000 in flight, 2 threads' : '',
      name,
      single('request', name),
    ]),
    [
      '8 requests that take 5 ms of CPU each, 2 threads',
      'what two cores can do',
      `${percent(ours.ratio)} (${shares.join(', ')})`,
    ],
    [
      `a Buffer of ${sizes.map(({ what }) => what.replace('a Buffer of ', '')).join(', ')} to one thread`,
      'BroadcastChannel',
      speeds(sizes),
    ],
  ]
  const sentences = [
    'Bold: the other is faster. An event that was emitted just before 50 ms of blocking work is heard',
    `${digits(results.ours('late'))} ms later, and a thousand of them cost ${results.ours('late-burst').toFixed(0)} wakes.`,
  ]
  return `${table(['', 'against', 'speed'], rows)}\n\n${paragraph(...sentences)}`
}

/** Where all of it is from. */
export function from(results) {
  return paragraph(`The numbers below are those of one run: ${origin(results)}.`.replaceAll('\n', ' '))
}

function times(ratio) {
  return `${digits(ratio)}×`
}

function marked(speed) {
  return speed < 1 ? `**${times(speed)}**` : times(speed)
}

function percent({ median }) {
  return `${median.toFixed(0)} %`
}
