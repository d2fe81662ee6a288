// Channels, groups and threads.

import { Worker } from 'node:worker_threads'
import {
  type DeadLetter,
  MailboxFullError,
  ParallelEventBus,
  type RegisterListeners,
  type Stall,
  type ThreadExit,
  ThreadExitedError,
  type ThreadPool,
} from '@cynic/parallel-event-bus'
import { check, type Equal } from './check.js'

type Events = {
  created: [order: { id: number }]
  score: (text: string) => number
}

const bus = new ParallelEventBus<Events>({
  channel: 'orders',
  group: 'scorers',
  mailbox: { maxMessages: 10, maxBytes: 2 ** 20 },
  stallAfter: 0,
})
bus.on('score', (text) => text.length, { group: 'others', timeout: 5 })
bus.on('created', () => {}, { group: null })
// @ts-expect-error: the name of a group is a string
bus.on('created', () => {}, { group: 5 })
// @ts-expect-error: the name of a channel is a string
new ParallelEventBus({ channel: Symbol('orders') })

// Told of

bus.on(ParallelEventBus.threadExit, (about) => check<Equal<typeof about, ThreadExit>>())
bus.on(ParallelEventBus.deadLetter, (about) => check<Equal<typeof about, DeadLetter>>())
bus.on(ParallelEventBus.deadLetter, ({ args, count }) =>
  check<Equal<[typeof args, typeof count], [unknown[] | undefined, number]>>(),
)
bus.on(ParallelEventBus.stall, (about) => check<Equal<typeof about, Stall>>())
// @ts-expect-error: the argument has no such property
bus.on(ParallelEventBus.threadExit, ({ exitCode }) => exitCode)

// Pacing and liveness

check<Equal<typeof bus.needsDrain, boolean>>()
// @ts-expect-error: read only
bus.needsDrain = true
check<Equal<ReturnType<typeof bus.drained>, Promise<void>>>()
bus.ref().unref().emit('created', { id: 1 })

// Threads

async function spawning() {
  const pool = await bus.spawn(new URL('file:///score.js'), {
    threads: 2,
    workerData: { model: 'small' },
    resourceLimits: { maxOldGenerationSizeMb: 64 },
    env: { MODE: 'test' },
    execArgv: [],
  })
  check<Equal<typeof pool, ThreadPool>>()
  check<Equal<typeof pool.threadIds, number[]>>()
  await bus.spawn('./score.js')
  // @ts-expect-error: a number
  await bus.spawn('./score.js', { threads: '2' })
  // @ts-expect-error: other options of `new Worker` are not passed on
  await bus.spawn('./score.js', { eval: true })
  await bus.spawn('./score.js', {
    minThreads: 1,
    maxThreads: 4,
    idleTimeout: Infinity,
    terminateAfter: 1000,
    concurrency: Infinity,
    maxQueue: 100,
    mailbox: { maxMessages: 5 },
    stallAfter: 0,
    onError: (event, error, listener, origin) => console.error(event, error, listener, origin?.threadId),
    name: 'scores',
    argv: ['--fast'],
    stdout: process.stdout,
    stderr: true,
  })
  // @ts-expect-error: no such option
  await bus.spawn('./score.js', { maxThread: 4 })
  const bundled = await bus.spawn(() => new Worker('./score.js'))
  check<Equal<typeof bundled, ThreadPool>>()
  // @ts-expect-error: a worker
  await bus.spawn(() => 'worker')
  ParallelEventBus.spawned<Events, { factor: number }>((bus, { factor }) => {
    bus.on('score', (item) => item.length * factor)
    return async () => {}
  })
  await pool.recycle()
  const closed = await pool.close({ timeout: 1000 })
  check<Equal<typeof closed.unsettled, number>>()
  await pool.terminate()
}

const register: RegisterListeners<Events, { model: string }> = (own, data) => {
  own.on('score', (text) => text.length + data.model.length)
  // @ts-expect-error: the reply to a score is a number
  own.on('score', (text) => text)
}

// Errors

declare const error: unknown
if (error instanceof ThreadExitedError) check<Equal<typeof error.code, 'ERR_THREAD_EXITED'>>()
if (error instanceof MailboxFullError) check<Equal<typeof error.threadId, number | undefined>>()
if (error instanceof MailboxFullError) check<Equal<typeof error.count, number>>()

export { register, spawning }

// Moving

const moved = new ArrayBuffer(8)
const view = bus.with({ transfer: [moved, new MessageChannel().port1], timeout: 5 })
view.emit('created', { id: 1 })
// @ts-expect-error: a number is not moved
bus.with({ transfer: [5] })
// @ts-expect-error: the list is an array
bus.with({ transfer: new Set([moved]) })
