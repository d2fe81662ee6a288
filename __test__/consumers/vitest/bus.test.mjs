// A suite that uses the package, under Vitest, in each of its pools: as that of Jest.

import { fileURLToPath } from 'node:url'
import Bus, { ListenerTimeoutError, NoListenersError, ParallelEventBus } from '@cynic/parallel-event-bus'
import { afterEach, expect, test, vi } from 'vitest'

afterEach(() => {
  vi.useRealTimers()
})

test('emits, waits and answers', async () => {
  expect(Bus).toBe(ParallelEventBus)
  const bus = new ParallelEventBus({ onError() {} })
  bus.on('x', (value) => value + 1)
  bus.on('x', () => {
    throw new TypeError('on purpose')
  })
  expect(bus.emit('x', 1)).toBe(true)
  const { success, failed, errors } = await bus.emitAndWait('x', 1)
  expect([success, failed]).toEqual([1, 1])
  expect(errors[0]).toBeInstanceOf(TypeError)
  await expect(bus.request('x', 1)).resolves.toBe(2)
})

test('errors are instances of their classes', async () => {
  await expect(new ParallelEventBus().request('x')).rejects.toBeInstanceOf(NoListenersError)
})

test('a faked clock neither keeps events nor ends the time of a listener', async () => {
  vi.useFakeTimers()
  const bus = new ParallelEventBus({ onError() {} })
  bus.on('quick', () => 5)
  bus.on('slow', () => new Promise(() => {}))
  await expect(bus.request('quick')).resolves.toBe(5)
  const late = bus.with({ timeout: 50 }).request('slow')
  vi.advanceTimersByTime(1_000_000)
  expect(bus.getStats().pending).toBe(1)
  await expect(late).rejects.toBeInstanceOf(ListenerTimeoutError)
})

test('after a reset of the modules buses and errors are what they were', async () => {
  vi.resetModules()
  const copy = await import('@cynic/parallel-event-bus')
  const log = []
  const buses = [new ParallelEventBus(), new copy.ParallelEventBus()]
  for (const [index, bus] of buses.entries()) bus.on('x', (value) => log.push([index, value]))
  for (let value = 0; value < 4; value++) buses[value % 2].emit('x', value)
  await Promise.all(buses.map((bus) => bus.idle()))
  expect(log).toEqual([0, 1, 2, 3].map((value) => [value % 2, value]))
  await expect(buses[1].request('unheard')).rejects.toBeInstanceOf(NoListenersError)
})

test('buses of a channel hear each other, and a thread answers', async () => {
  const [bus, other] = [new ParallelEventBus({ channel: 'x' }), new ParallelEventBus({ channel: 'x' })]
  other.on('sent', (value) => value)
  await expect(bus.request('sent', { of: ['any', 'kind'] })).resolves.toEqual({ of: ['any', 'kind'] })
  await bus.spawn(fileURLToPath(new URL('./thread.mjs', import.meta.url)), { threads: 1 })
  await expect(bus.request('doubled', 4)).resolves.toBe(8)
  await Promise.all([bus.close(), other.close()])
})
