// Draws the pictures of the README: the same three listeners one after another, and through the bus; and the timeline of a
// trace. `npm run picture` runs both, and writes them to docs/charts/, once for light pages and once for dark ones.

import { writeFileSync } from 'node:fs'
import { setTimeout as after } from 'node:timers/promises'
import { ParallelEventBus } from '@cynic/parallel-event-bus'
import { drawing } from './drawing.mjs'
import { timeline, traced } from './timeline.mjs'

/** Milliseconds that each listener waits for something, as a database or a file. */
const LISTENERS = { store: 50, mail: 30, index: 80 }

/** Times of a run, in milliseconds: the start and the end of each listener, and the end of all. */
async function watch(run) {
  const start = performance.now()
  const now = () => performance.now() - start
  const spans = []
  const listeners = Object.entries(LISTENERS).map(([name, ms]) => async () => {
    const from = now()
    await after(ms)
    spans.push({ name, from, to: now() })
  })
  await run(listeners)
  const order = Object.keys(LISTENERS)
  return { spans: spans.toSorted((a, b) => order.indexOf(a.name) - order.indexOf(b.name)), end: now() }
}

const sequential = await watch(async (listeners) => {
  for (const listener of listeners) await listener()
})

const parallel = await watch(async (listeners) => {
  const bus = new ParallelEventBus()
  for (const listener of listeners) bus.on('order', listener)
  await bus.emitAndWait('order')
})

const trace = traced()

for (const theme of ['light', 'dark']) {
  const fileOf = (name) => new URL(`../../docs/charts/${name}-${theme}.svg`, import.meta.url)
  writeFileSync(fileOf('overlap'), drawing(theme, { 'one after another': sequential, ParallelEventBus: parallel }))
  writeFileSync(fileOf('trace'), timeline(theme, trace))
}
console.log(`${sequential.end.toFixed(0)} ms one after another, ${parallel.end.toFixed(0)} ms through the bus`)
