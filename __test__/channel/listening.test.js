'use strict'

// Readiness: `ParallelEventBus.listening` resolves when so many threads listen to an event.

const assert = require('node:assert/strict')
const { ParallelEventBus, listening } = require('../..')
const { stage, test, turn } = require('../fixtures/stage.js')

/** Notes whether a promise has settled. */
function noted(promise) {
  const note = { isSettled: false }
  promise.then(
    () => {
      note.isSettled = true
    },
    () => {
      note.isSettled = true
    },
  )
  return note
}

test('listening resolves when so many threads listen, each counted once', async (t) => {
  const { bus, launch } = stage(t)
  const [one, two] = [listening(bus, 'x'), listening(bus, 'x', { threads: 2 })]
  const [second, other] = [noted(two), noted(listening(bus, 'y'))]
  const first = launch(({ bus }) => bus.on('x', () => {}).on('x', () => {}))
  await one
  await first.ready
  await turn()
  assert.equal(second.isSettled, false, 'two listeners of one thread are one thread')
  const last = launch(({ bus }) => bus.on('x', () => {}))
  await two
  await last.ready
  assert.equal((await bus.emitAndWait('x')).success, 3)
  assert.equal(other.isSettled, false)
  await listening(bus, 'x', { threads: 2 })
  await assert.rejects(
    listening(bus, 'x', { threads: 3, signal: AbortSignal.abort('now') }),
    (reason) => reason === 'now',
  )
})

test('the thread of the bus counts if it listens, and one that listens no more does not', async (t) => {
  const { bus, join } = stage(t)
  const listener = () => {}
  bus.on('x', listener)
  await listening(bus, 'x')
  const two = noted(listening(bus, 'x', { threads: 2 }))
  join().on('x', listener)
  await turn()
  assert.equal(two.isSettled, false, 'buses of one thread are one thread')
  const gone = noted(listening(bus, 'gone'))
  bus.off('x', listener)
  await turn()
  assert.equal(gone.isSettled, false)
})

test('a wait ends with its signal and with its bus, and leaves other waits alone', async (t) => {
  const { bus, launch } = stage(t)
  const controller = new AbortController()
  const aborted = assert.rejects(listening(bus, 'x', { signal: controller.signal }), { message: 'enough' })
  const other = listening(bus, 'x')
  const third = listening(bus, 'z')
  controller.abort(new Error('enough'))
  await aborted
  await launch(({ bus }) => bus.on('x', () => {})).ready
  await other
  const closed = assert.rejects(third, { code: 'ERR_BUS_CLOSED', event: 'z' })
  await bus.close()
  await closed
  await assert.rejects(listening(bus, 'x'), { code: 'ERR_BUS_CLOSED' })
})

test('names are told apart as the bus tells them apart', async (t) => {
  const { bus, join } = stage(t)
  bus.ref()
  const waits = [listening(bus, 5), listening(bus, '\ud800')]
  const wrong = noted(listening(bus, '\ud801'))
  join()
    .on('5', () => {})
    .on('\ud800', () => {})
  await Promise.all(waits)
  assert.equal(wrong.isSettled, false)
})

test('the arguments of listening are checked', async (t) => {
  const { bus } = stage(t)
  const refused = [
    [[{}, 'x'], 'ERR_INVALID_ARG_TYPE'],
    [[undefined, 'x'], 'ERR_INVALID_ARG_TYPE'],
    [[bus, ParallelEventBus.stall], 'ERR_INVALID_ARG_TYPE'],
    [[bus, 'x', null], 'ERR_INVALID_ARG_TYPE'],
    [[bus, 'x', { threads: '1' }], 'ERR_INVALID_ARG_TYPE'],
    [[bus, 'x', { threads: 0 }], 'ERR_OUT_OF_RANGE'],
    [[bus, 'x', { signal: {} }], 'ERR_INVALID_ARG_TYPE'],
    [[bus, 'x', { thread: 1 }], 'ERR_INVALID_ARG_VALUE'],
    [[new ParallelEventBus(), 'x'], 'ERR_INVALID_ARG_VALUE'],
  ]
  for (const [args, code] of refused) await assert.rejects(listening(...args), { code })
})
