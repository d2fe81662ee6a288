'use strict'

// Failures and `error` events over threads: the buses that are told of them, and the form in which they are.

const assert = require('node:assert/strict')
const { errorMonitor } = require('node:events')
const { ParallelEventBus } = require('../..')
const { WAYS, stage, test } = require('../fixtures/stage.js')

test('an error that is heard in another thread is not thrown', async (t) => {
  const { bus, start } = stage(t)
  const [other] = await start(1, ({ bus, log }) => bus.on('error', (error) => log.push(error)))
  const monitored = []
  bus.on(errorMonitor, (error) => monitored.push(error))
  const error = Object.assign(new RangeError('heard'), { code: 'E_HEARD' })
  assert.equal(bus.emit('error', error), true)
  assert.deepEqual(await bus.emitAndWait('error', error), { success: 1, failed: 0, errors: [] })
  await bus.idle()
  assert.deepEqual(monitored, [error, error])
  const heard = await other.run(({ log }) => log.map(({ name, message, code }) => ({ name, message, code })))
  assert.deepEqual(heard, new Array(2).fill({ name: 'RangeError', message: 'heard', code: 'E_HEARD' }))
})

test('an error that nobody hears in any thread is thrown, as by EventEmitter', async (t) => {
  const { bus, start } = stage(t)
  const [other] = await start(1, ({ bus, log }) => {
    bus.on('other', () => {})
    bus.on(Symbol.for('nodejs.rejection'), () => {})
    // Monitors are told of the errors of their own bus only, and do not make them heard.
    bus.on(Symbol.for('events.errorMonitor'), (error) => log.push(error))
  })
  const error = new Error('unheard')
  const monitored = []
  bus.on(errorMonitor, (each) => monitored.push(each))
  const isThrown = (thrown) => thrown === error
  assert.throws(() => bus.emit('error', error), isThrown)
  await assert.rejects(bus.emitAndWait('error', error), isThrown)
  assert.throws(() => bus.emit('error', 'no error'), { code: 'ERR_UNHANDLED_ERROR' })
  assert.throws(() => bus.emit('error', () => {}), { code: 'ERR_UNHANDLED_ERROR' }, 'nothing is encoded for nobody')
  assert.equal(monitored.length, 4)
  assert.deepEqual(await other.run(({ log }) => log), [])
  await other.run(({ bus }) => bus.on('error', () => {}))
  assert.equal(bus.emit('error', error), true)
  await other.run(({ bus }) => bus.removeAllListeners('error'))
  assert.throws(() => bus.emit('error', error), isThrown)
  await bus.idle()
})

test('newListener and removeListener are told at once, and in their own thread only', async (t) => {
  const { bus, start } = stage(t)
  const [other] = await start(1, ({ bus, log }) => {
    bus.on('newListener', (event) => log.push(['new', event]))
    bus.on('removeListener', (event) => log.push(['gone', event]))
  })
  const log = []
  const fn = () => {}
  bus.on('newListener', (event, listener) => {
    log.push(['new', event, listener === fn, bus.listenerCount('x'), bus.emit('x')])
  })
  bus.on('removeListener', (event, listener) => log.push(['gone', event, listener === fn, bus.emit('x')]))
  log.length = 0
  bus.on('x', fn)
  bus.once('x', fn, { timeout: 1000 })
  bus.off('x', fn)
  bus.off('x', fn)
  assert.deepEqual(log, [
    ['new', 'x', true, 0, false],
    ['new', 'x', true, 1, true],
    ['gone', 'x', true, true],
    ['gone', 'x', true, false],
  ])
  assert.equal(bus.emit('newListener', 'by hand', fn), true)
  assert.equal((await bus.emitAndWait('newListener', 'by hand', fn)).success, 1)
  assert.deepEqual(await other.run(({ log }) => log), [['new', 'removeListener']])
  await bus.idle()
})

for (const { way, options } of WAYS) {
  test(`a failure is told where its listener ran, and counted where its event came from, ${way}`, async (t) => {
    const { bus, errors, start } = stage(t)
    const [other] = await start(
      1,
      ({ bus, data }) => {
        bus.on(
          'x',
          function throwing() {
            throw new TypeError('thrown')
          },
          data,
        )
        bus.on(
          'x',
          async function rejecting() {
            throw new RangeError('rejected')
          },
          data,
        )
        bus.on('x', function fine() {}, data)
      },
      { data: options },
    )
    bus.emit('x')
    const { success, failed, errors: failures } = await bus.emitAndWait('x')
    assert.deepEqual([success, failed, failures.map(String)], [1, 2, ['TypeError: thrown', 'RangeError: rejected']])
    await bus.idle()
    const told = await other.run(({ errors }) => errors.map(([event, error, name]) => `${event}, ${error}, ${name}`))
    const [throwing, rejecting] = ['x, TypeError: thrown, throwing', 'x, RangeError: rejected, rejecting']
    assert.deepEqual(told.sort(), [rejecting, rejecting, throwing, throwing])
    assert.deepEqual(errors, [])
    assert.equal(bus.getStats().listenersFailed, 4)
    assert.equal(await other.run(({ bus }) => bus.getStats().listenersFailed), 0)
  })

  test(`without onError the first failure of a listener is a warning in its thread, ${way}`, async (t) => {
    const { bus, start } = stage(t)
    const [other] = await start(
      1,
      (scope) => {
        const { bus, data, log } = scope
        process
          .removeAllListeners('warning')
          .on('warning', ({ code, detail }) => log.push([code, detail.split('\n')[0]]))
        bus.clearErrorHandler()
        bus.on(
          'x',
          () => {
            throw new Error('thrown')
          },
          data,
        )
      },
      { data: options },
    )
    for (let number = 0; number < 3; number++) bus.emit('x')
    await bus.idle()
    const warnings = await other.run(async ({ turn, log }) => {
      await turn()
      return log
    })
    assert.deepEqual(warnings, [['PARALLEL_EVENT_BUS_LISTENER_FAILED', 'Error: thrown']])
  })
}

test('captured rejections become error events of the bus where the listener ran', async (t) => {
  const { bus, start } = stage(t)
  const [other] = await start(
    1,
    ({ bus, log }) => {
      bus.on('error', (error) => log.push(error.message))
      bus.on('x', async () => {
        throw new Error('captured')
      })
    },
    { options: { captureRejections: true, onError: undefined } },
  )
  await bus.emitAndWait('x')
  bus.emit('x')
  await bus.idle()
  await other.run(({ bus }) => bus.idle())
  assert.deepEqual(await other.run(({ log }) => log), ['captured', 'captured'])
})

test('errors come back as errors, those of this thread first and those of each thread in order', async (t) => {
  const { bus, start } = stage(t)
  await start(1, ({ bus }) => {
    bus.on('x', () => {
      const cause = new SyntaxError('the cause')
      throw Object.assign(new TypeError('first', { cause }), { code: 'E_FIRST', own: { map: new Map([[1, 2n]]) } })
    })
    bus.on('x', async () => {
      class Custom extends Error {
        name = 'Custom'
      }
      throw new Custom('second')
    })
    bus.on('x', () => {
      throw undefined
    })
    bus.on('x', () => Promise.reject('text'))
    bus.on('x', () => {
      throw Object.assign(new Error('fifth'), { fn: () => {} })
    })
  })
  const local = new Error('local')
  bus.on('x', () => {
    throw local
  })
  const { success, failed, errors } = await bus.emitAndWait('x')
  assert.deepEqual([success, failed, errors.length], [0, 6, 6])
  assert.equal(errors[0], local)
  const [, first, second, third, fourth, fifth] = errors
  assert.ok(first instanceof TypeError)
  assert.deepEqual([first.message, first.code, first.own], ['first', 'E_FIRST', { map: new Map([[1, 2n]]) }])
  assert.match(first.stack, /TypeError: first\n +at /)
  assert.ok(first.cause instanceof SyntaxError)
  assert.deepEqual([second instanceof Error, second.name, second.message], [true, 'Custom', 'second'])
  assert.deepEqual([third, fourth], [undefined, 'text'])
  assert.ok(fifth instanceof Error, 'also where it holds something that cannot be sent')
  assert.match(fifth.message, /fifth/)
})

test('an error that cannot be sent still comes to the emitter as a failure, with as much of it as can be', async (t) => {
  const { bus, start } = stage(t)
  const [other] = await start(1, ({ bus }) => {
    const error = Object.assign(new RangeError('proxy'), { code: 'E_PROXY', fn() {} })
    const revoked = Proxy.revocable({}, {})
    revoked.revoke()
    const hostile = {
      fn() {},
      get message() {
        throw undefined
      },
    }
    const thrown = [new Proxy(error, {}), { message: 'no error', code: 5, fn() {} }, () => 'a function', Symbol('s')]
    for (const each of [...thrown, Promise.resolve(), revoked.proxy, hostile]) {
      bus.on('x', () => {
        throw each
      })
    }
  })
  const { success, failed, errors } = await bus.emitAndWait('x')
  assert.deepEqual([success, failed, errors.every((error) => error instanceof Error)], [0, 7, true])
  const [proxy, noError, ...rest] = errors
  assert.ok(proxy instanceof RangeError)
  assert.deepEqual([proxy.message, proxy.code, noError.message, noError.code], ['proxy', 'E_PROXY', 'no error', 5])
  for (const { message } of rest)
    assert.match(message, /^the value that the listener threw cannot be sent to another thread/)
  const requested = bus.request('x')
  await assert.rejects(requested, { message: 'proxy' })
  assert.equal(await other.run(({ errors }) => errors.length), 8)
})

test('subclasses with methods of their own work on a channel', async (t) => {
  const { channel, cells, startOne } = stage(t)
  cells.name('heard')
  class Bus extends ParallelEventBus {
    _stats = { own: 1 }
    _history = []
    debug = true
    getStats() {
      return this._stats
    }
    request() {
      return 'request'
    }
    clear() {
      return this.removeAllListeners()
    }
    publish(...args) {
      return this.emit(...args)
    }
    idle() {
      throw new Error('not for the bus itself')
    }
    drained() {
      throw new Error('not for the bus itself')
    }
  }
  const own = new Bus({ channel })
  t.after(() => own.close())
  const other = await startOne(
    (scope) => {
      const { ParallelEventBus, cells, data } = scope
      class Bus extends ParallelEventBus {
        getStats() {
          return 'own'
        }
        request() {
          throw new Error('not for the bus itself')
        }
        clear() {
          throw new Error('not for the bus itself')
        }
        emit(event, ...args) {
          return super.emit(event, ...args, 'more')
        }
      }
      scope.own = new Bus({ channel: data })
      scope.own.on('x', () => cells.add('heard'))
      scope.own.once('x', () => cells.add('heard'))
    },
    { data: channel },
  )
  assert.equal(own.publish('x'), true)
  assert.deepEqual(await own.emitAndWait('x'), { success: 1, failed: 0, errors: [] })
  assert.equal(cells.get('heard'), 3)
  const heard = new Promise((resolve) => own.once('y', (...args) => resolve(args)))
  await other.run(({ own }) => own.emit('y', 1))
  assert.deepEqual(await heard, [1, 'more'])
  assert.deepEqual([own.getStats(), own.request()], [{ own: 1 }, 'request'])
  own.clear()
})

test('a failure that an emitter in another thread waits for is no warning where it ran', async (t) => {
  const { bus, start } = stage(t)
  const [thread] = await start(1, ({ bus, log }) => {
    bus.clearErrorHandler()
    process.on('warning', ({ code }) => log.push(code))
    bus.on('x', () => {
      throw new Error('x')
    })
  })
  assert.equal((await bus.emitAndWait('x')).failed, 1)
  await assert.rejects(bus.request('x'), /x/)
  bus.emit('x')
  await bus.idle()
  assert.deepEqual(await thread.run(({ log }) => log), ['PARALLEL_EVENT_BUS_LISTENER_FAILED'])
})
