// A program that is bundled by esbuild, with the package left outside, and run with source maps: says what it did.

import Bus, { deadLetter, ParallelEventBus } from '@cynic/parallel-event-bus'

type Events = { score: (text: string) => number; broken: [] }

const failures: string[] = []
const bus = new ParallelEventBus<Events>({
  onError: (_event, error) => {
    const stack = String((error as Error).stack)
    failures.push(/main\.ts:\d+/.exec(stack)?.[0] ?? stack)
  },
})
bus.on('score', (text) => text.length)
bus.on('broken', () => {
  throw new Error('on purpose')
})
const score = await bus.request('score', 'good dog')
await bus.emitAndWait('broken')
console.log(JSON.stringify({ score, failures, same: Bus === ParallelEventBus, symbol: typeof deadLetter }))
