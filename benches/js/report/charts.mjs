// The charts, each with one message. Titles have their numbers from the run.

import { bars, curves, THEMES, US } from './drawing.mjs'
import { digits } from './results.mjs'
import { spread } from './tables.mjs'

/** A scale of x in powers of ten, with a tick for each. */
function powers(label, most) {
  const ticks = Array.from({ length: Math.log10(most) + 1 }, (_, power) => 10 ** power)
  return { type: 'log', label, ticks, tickFormat: inWords }
}

/** File name and SVG of each, in each theme. */
export function charts(results) {
  return Object.fromEntries(Object.entries(CHARTS).flatMap(([name, chart]) => inThemes(name, chart(results))))
}

function inThemes(name, draw) {
  return Object.entries(THEMES).map(([theme, colours]) => [`${name}-${theme}.svg`, draw(colours)])
}

const CHARTS = {
  deliver,
  wait,
  requests,
  cpu,
  threads,
  listeners,
  names,
  'burst-length': burstLength,
  waiting,
  'in-flight': inFlight,
  payload,
  kinds,
}

// Bars

function deliver(results) {
  const ours = results.line('deliver-3-emitter')
  const prototype = results.line('deliver-3-prototype')
  const entries = [
    [US, ours.ours.median],
    ['EventEmitter', ours.theirs.median],
    ...results.lines.filter(({ id }) => id === 'peers-3').map(({ against, theirs }) => [against, theirs.median]),
    ['a promise per listener', prototype.theirs.median],
  ]
  return bars({
    title: `Delivered later and isolated, ${digits(prototype.ratio.median)}× as fast as with a promise per listener`,
    subtitle: 'emit and delivery to 3 listeners, ns per event; all but first and last call them on the emitter’s stack',
    better: 'shorter',
    bars: entries.map(([name, ns]) => bar(name, ns, ' ns')),
  })
}

function wait(results) {
  const rows = results.lines.filter(({ id, theirs }) => id === 'wait-10-sync' && theirs !== undefined)
  const named = ({ against, theirs }) => [against === 'prototype' ? 'Promise.all of promises' : against, theirs.median]
  const entries = [[US, rows[0].ours.median], ...rows.map(named)]
  const emittery = rows.filter(({ against }) => against.startsWith('emittery')).at(-1)
  return bars({
    title: `Waiting for all listeners: ${digits(emittery.ratio.median)}× as fast as ${emittery.against}`,
    subtitle: 'emitAndWait, 10 sync listeners, 100 in flight, ns per event',
    better: 'shorter',
    bars: entries.map(([name, ns]) => bar(name, ns, ' ns')),
  })
}

function requests(results) {
  const rows = results.lines.filter(({ id }) => id === 'request')
  const perSecond = (us) => 1e6 / us.median
  const entries = [[US, perSecond(rows[0].ours)], ...rows.map(({ against, theirs }) => [against, perSecond(theirs)])]
  return bars({
    title: `Requests beside piscina: ${spread(results.line('request', 'piscina').ratio, '× as fast')}`,
    subtitle: 'request to 2 threads, 1000 in flight, thousands per second',
    better: 'longer',
    bars: entries.map(([name, rate]) => bar(name, rate / 1000, ' k')),
  })
}

function cpu(results) {
  const [ours, ...others] = results.lines.filter(({ id }) => id === 'cpu')
  const name = ({ what }) => what.replace(', beside it', '')
  const entries = [
    ['tasks without messages', 100],
    [US, ours.ratio.median],
    ...others.map((line) => [name(line), line.ratio.median]),
  ]
  return bars({
    title: `CPU-bound listeners get ${spread(ours.ratio, ' %')} of what two cores can do`,
    subtitle: '8 requests of 5 ms on 2 threads, share of the speed without any message',
    better: 'longer',
    bars: entries.map(([name, share]) => bar(name, share, ' %')),
  })
}

function kinds(results) {
  const lines = results.kinds
  const faster = lines.filter(({ ratio }) => ratio.median >= 1)
  return bars({
    title: `Faster than BroadcastChannel for ${faster.length} of ${lines.length} kinds of payload`,
    subtitle: 'bursts to a thread until heard, times as fast as BroadcastChannel',
    better: 'longer',
    bars: [
      ...faster.map(({ name, ratio }) => bar(name, ratio.median, '×')),
      bar('BroadcastChannel', 1, '×'),
      ...lines.slice(faster.length).map(({ name, ratio }) => bar(name, ratio.median, '×')),
    ],
  })
}

function bar(name, value, unit) {
  return { name, value, text: `${digits(value)}${unit}` }
}

// Curves

function threads(results) {
  const last = results.curve('threads', 'BroadcastChannel').at(-1)
  return curves({
    title: `To ${last.x} threads, beside BroadcastChannel: ${spread(last.ratio, '× as fast')}`,
    subtitle: 'bursts of small events, µs per event until the last thread has heard it',
    series: beside(results, 'threads', ['BroadcastChannel', 'postMessage']),
    scales: { x: { label: 'threads', ticks: [1, 2, 4, 8], tickFormat: 'd' }, y: {} },
  })
}

function listeners(results) {
  const perListener = ({ x, y }) => ({ x, y: y / x })
  const series = beside(results, 'listeners', ['EventEmitter.emit'])
  for (const one of series) one.points = one.points.map(perListener)
  return curves({
    title: `With many listeners, each takes ${digits(series[0].points.at(-1).y)} ns`,
    subtitle: 'emit and delivery within a thread, ns per listener',
    series,
    scales: { x: powers('listeners of the event', 1000), y: {} },
  })
}

function names(results) {
  const [few, many] = [results.curve('names')[0], results.curve('names').at(-1)]
  return curves({
    title: `With ${inWords(many.x)} names of events: ${cost(many, 'ns')} each, with one ${cost(few, 'ns')}`,
    subtitle: 'emit and delivery within a thread, one listener for each name, ns per event',
    series: beside(results, 'names', ['EventEmitter.emit']),
    scales: { x: powers('names', 100_000), y: {} },
  })
}

function burstLength(results) {
  return together(results, 'burst-length', 'prototype', {
    title: (count) => `In a burst of ${count}`,
    subtitle: 'emit and delivery to 3 listeners within a thread',
    unit: 'ns',
    axis: 'events of the burst',
  })
}

function waiting(results) {
  return together(results, 'waiting', 'prototype', {
    title: (count) => `${count} waiting`,
    subtitle: 'emitAndWait within a thread, 3 sync listeners',
    unit: 'ns',
    axis: 'in flight',
  })
}

function inFlight(results) {
  return together(results, 'in-flight', 'piscina', {
    title: (count) => `${count} in flight to a thread`,
    subtitle: 'emitAndWait to another thread',
    unit: 'µs',
    axis: 'in flight',
  })
}

/** The cost of an event among many, and alone. */
function together(results, id, peer, { title, subtitle, unit, axis }) {
  const points = results.curve(id)
  const [one, many] = [points[0], points.at(-1)]
  return curves({
    title: `${title(inWords(many.x))}: ${cost(many, unit)} each, one alone ${cost(one, unit)}`,
    subtitle: `${subtitle}, ${unit} per event`,
    series: beside(results, id, [peer]),
    scales: { x: powers(axis, 100_000), y: { type: 'log' } },
  })
}

function payload(results) {
  const points = results.curve('size-buffer', 'BroadcastChannel')
  const slower = points.findIndex(({ ours, theirs }) => ours.median > theirs.median)
  const size = ({ what }) => what.replace('a Buffer of ', '')
  const title =
    slower < 1
      ? 'Large payloads are copied: share memory instead'
      : `Faster than BroadcastChannel up to ${size(points.at(slower - 1))}; beyond that, share memory`
  return curves({
    title,
    subtitle: 'a Buffer to another thread, µs per event',
    series: beside(results, 'size-buffer', ['BroadcastChannel']),
    scales: { x: { type: 'log', base: 2, label: 'bytes', tickFormat: inBytes }, y: { type: 'log' } },
  })
}

function cost({ ours }, unit) {
  return `${digits(ours.median)} ${unit}`
}

/** The bus, and others where they were measured. */
function beside(results, curve, others) {
  const own = new Map(results.curve(curve).map(({ x, ours }) => [x, ours.median]))
  const series = others.map((name) => ({
    name: name === 'prototype' ? 'Promise.all' : name,
    points: results.curve(curve, name).map(({ x, theirs }) => ({ x, y: theirs.median })),
  }))
  return [{ name: US, points: [...own].map(([x, y]) => ({ x, y })) }, ...series]
}

function inWords(number) {
  return number.toLocaleString('en').replaceAll(',', ' ')
}

function inBytes(bytes) {
  if (bytes >= 2 ** 20) return `${bytes / 2 ** 20} Mi`
  return bytes >= 2 ** 10 ? `${bytes / 2 ** 10} Ki` : String(bytes)
}
