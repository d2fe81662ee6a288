'use strict'

// The demands of Node's own tests on EventEmitter, as far as they fit an emitter that delivers later. In Node each test
// runs on EventEmitter, too: so it is EventEmitter's contract, in this version.

const assert = require('node:assert/strict')
const { EventEmitter, captureRejectionSymbol, errorMonitor } = require('node:events')
const { describe, test } = require('node:test')
const { inherits } = require('node:util')
const { ParallelEventBus } = require('../..')

/** Resolves when all emitted events have been delivered. */
const settled = (emitter) => emitter.idle?.()

/** A log, and a function for each name that writes it there. */
function logging() {
  const log = []
  const functions = new Map()
  const logs = (name) => {
    if (!functions.has(name)) functions.set(name, (...args) => log.push([name, ...args].join(' ')))
    return functions.get(name)
  }
  return { log, logs }
}

/** Resolves to the next warnings of the process; they come a tick later. */
async function warningsOf(cause) {
  const warnings = []
  const listen = (warning) => warnings.push(warning)
  const printing = process.listeners('warning')
  process.removeAllListeners('warning').on('warning', listen)
  cause()
  await new Promise(setImmediate)
  process.off('warning', listen)
  for (const print of printing) process.on('warning', print)
  return warnings
}

/** The EventEmitter of other runtimes is their own. */
const isNode = process.versions.bun === undefined && process.versions.deno === undefined

for (const Class of isNode ? [EventEmitter, ParallelEventBus] : [ParallelEventBus]) {
  describe(Class.name, () => {
    registering(Class)
    removing(Class)
    emitting(Class)
    looking(Class)
    failing(Class)
    inheriting(Class)
    capturing(Class)
    warning(Class)
  })
}

function registering(Class) {
  test('on is addListener, off is removeListener, and each other method has its own name', () => {
    const { prototype } = Class
    assert.equal(prototype.on, prototype.addListener)
    assert.equal(prototype.off, prototype.removeListener)
    for (const name of Object.getOwnPropertyNames(EventEmitter.prototype)) {
      if (['constructor', 'on', 'off'].includes(name) || typeof prototype[name] !== 'function') continue
      assert.equal(prototype[name].name, name)
    }
  })

  test('newListener tells of the listener as it was passed, before it is there', () => {
    const emitter = new Class()
    const told = []
    const listener = () => {}
    emitter.on('newListener', (event, added) => told.push([event, added, emitter.listenerCount(event)]))
    emitter.on('a', listener)
    emitter.once('b', listener)
    emitter.prependListener('a', listener)
    assert.deepEqual(told, [
      ['a', listener, 0],
      ['b', listener, 0],
      ['a', listener, 1],
    ])
  })

  test('a listener that newListener adds comes before the one it was told of', () => {
    const emitter = new Class()
    const [first, second] = [() => {}, () => {}]
    emitter.once('newListener', () => {
      assert.deepEqual(emitter.listeners('x'), [])
      emitter.once('newListener', () => assert.deepEqual(emitter.listeners('x'), []))
      emitter.on('x', second)
    })
    emitter.on('x', first)
    assert.deepEqual(emitter.listeners('x'), [second, first])
  })

  test('a prepended listener is called first', async () => {
    const emitter = new Class()
    const { log, logs } = logging()
    emitter.on('x', logs('on'))
    emitter.prependListener('x', logs('prependListener'))
    emitter.prependOnceListener('x', logs('prependOnceListener'))
    for (let times = 0; times < 2; times++) {
      emitter.emit('x')
      await settled(emitter)
    }
    assert.deepEqual(log, ['prependOnceListener', 'prependListener', 'on', 'prependListener', 'on'])
  })

  test('listeners that are no functions are refused in the same words by every method', () => {
    const wrong = [null, undefined, 1, 'text', {}, [], Symbol('s'), 1n, true, new (class Odd {})()]
    for (const value of wrong) {
      const refusals = ['on', 'once', 'addListener', 'prependListener', 'prependOnceListener', 'removeListener'].map(
        (method) => {
          try {
            return new Class()[method]('x', value)
          } catch ({ name, code, message }) {
            return `${name} ${code} ${message}`
          }
        },
      )
      assert.equal(new Set(refusals).size, 1, refusals.join('\n'))
      assert.match(
        refusals[0],
        /^TypeError ERR_INVALID_ARG_TYPE The "listener" argument must be of type function\. Rec/,
      )
    }
  })

  test('names that objects have are events like others', async () => {
    const emitter = new Class()
    const { log, logs } = logging()
    for (const name of ['__proto__', 'toString', 'hasOwnProperty', '__defineGetter__', 'constructor']) {
      assert.equal(emitter.listenerCount(name), 0)
      assert.equal(emitter.emit(name), false)
      emitter.on(name, logs(name))
      assert.equal(emitter.emit(name, 1), true)
    }
    await settled(emitter)
    assert.deepEqual(emitter.eventNames(), [
      '__proto__',
      'toString',
      'hasOwnProperty',
      '__defineGetter__',
      'constructor',
    ])
    assert.deepEqual(
      log,
      emitter.eventNames().map((name) => `${name} 1`),
    )
  })
}

function removing(Class) {
  test('removeListener tells of a removed listener, when it is gone; of nothing where nothing was', () => {
    const emitter = new Class()
    const [first, second] = [() => {}, () => {}]
    const told = []
    emitter.on('removeListener', (event, removed) => told.push([event, removed, emitter.listeners('x').length]))
    emitter.on('x', first)
    emitter.once('x', second)
    assert.equal(
      emitter.removeListener('x', () => {}),
      emitter,
    )
    emitter.removeListener('x', second)
    emitter.off('x', first)
    assert.deepEqual(told, [
      ['x', second, 1],
      ['x', first, 0],
    ])
  })

  test('a removeListener handler may remove and emit', async () => {
    const emitter = new Class()
    const { log, logs } = logging()
    emitter.on('removeListener', (_, removed) => {
      if (removed !== logs('first')) return
      emitter.removeListener('x', logs('second'))
      emitter.emit('x')
    })
    emitter.on('x', logs('first'))
    emitter.on('x', logs('second'))
    emitter.removeListener('x', logs('first'))
    await settled(emitter)
    assert.deepEqual(log, [])
  })

  test('removeAllListeners tells of each, the last first, and of removeListener handlers at last', () => {
    const emitter = new Class()
    const told = []
    const named = (name) => Object.defineProperty(() => {}, 'name', { value: name })
    for (const name of ['1', '2', '3']) emitter.on('x', named(name))
    emitter.on('y', named('4'))
    emitter.on('removeListener', (event, { name }) => told.push(`${event} ${name}`))
    const kept = emitter.listeners('x')
    assert.equal(emitter.removeAllListeners('x'), emitter)
    assert.deepEqual(told, ['x 3', 'x 2', 'x 1'])
    assert.equal(kept.length, 3, 'an earlier copy stays as it was')
    emitter.removeAllListeners()
    assert.deepEqual(told.slice(3), ['y 4'])
    assert.deepEqual(emitter.eventNames(), [])
  })

  test('of the same listener added several times, one goes at a time, the last first', async () => {
    const emitter = new Class()
    const { log, logs } = logging()
    for (const name of ['a', 'b', 'a']) emitter.on('x', logs(name))
    emitter.off('x', logs('a'))
    emitter.emit('x')
    await settled(emitter)
    assert.deepEqual(log, ['a', 'b'])
  })

  test('a listener that another one removes still gets the event, and none after it', async () => {
    const emitter = new Class()
    const { log, logs } = logging()
    emitter.on('x', () => emitter.removeListener('x', logs('removed')))
    emitter.on('x', logs('removed'))
    emitter.emit('x', 1)
    emitter.emit('x', 2)
    await settled(emitter)
    assert.deepEqual(log, ['removed 1'])
  })

  test('listeners may add and remove listeners of their event', async () => {
    const emitter = new Class()
    const { log, logs } = logging()
    const removing = (name) => {
      const listener = () => {
        logs(name)()
        emitter.off('x', listener)
      }
      return listener
    }
    const adding = () => {
      logs('adding')()
      emitter.on('x', removing('first'))
      emitter.on('x', removing('second'))
      emitter.off('x', adding)
    }
    emitter.on('x', adding)
    const counts = []
    for (let times = 0; times < 3; times++) {
      emitter.emit('x')
      await settled(emitter)
      counts.push(emitter.listenerCount('x'))
    }
    assert.deepEqual(
      [counts, log],
      [
        [2, 0, 0],
        ['adding', 'first', 'second'],
      ],
    )
  })

  test('where _events is gone, everything works as if there were no listeners', async () => {
    const calls = {
      removeListener: (emitter) => emitter.removeListener('x', () => {}),
      removeAllListeners: (emitter) => emitter.removeAllListeners(),
      'removeAllListeners of an event': (emitter) => emitter.removeAllListeners('x'),
      on: (emitter) => emitter.on('x', () => {}),
      once: (emitter) => emitter.once('x', () => {}),
    }
    for (const [name, call] of Object.entries(calls)) {
      const emitter = new Class()
      emitter.on('x', assert.fail)
      emitter._events = undefined
      assert.equal(emitter.emit('x'), false, name)
      assert.deepEqual([emitter.listeners('x'), emitter.listenerCount('x')], [[], 0], name)
      assert.equal(call(emitter), emitter, name)
      assert.equal(emitter.listenerCount('x'), name.startsWith('on') ? 1 : 0, name)
    }
  })

  test('_events has the bare function where there is one listener, and a list where there are more', () => {
    const emitter = new Class()
    const [first, second] = [() => {}, () => {}]
    emitter.on('x', first)
    emitter.on('x', second)
    assert.deepEqual([...emitter._events.x], [first, second])
    emitter.off('x', first)
    assert.equal(emitter._events.x, second)
    assert.equal(Object.getPrototypeOf(emitter._events), null)
  })
}

function emitting(Class) {
  test('arguments of any number arrive, and this is the emitter', async () => {
    const emitter = new Class()
    const heard = []
    emitter.on('x', function (...args) {
      heard.push([this === emitter, ...args])
    })
    for (let count = 0; count < 6; count++) emitter.emit('x', ...Array.from({ length: count }, (_, index) => index))
    await settled(emitter)
    assert.deepEqual(
      heard,
      Array.from({ length: 6 }, (_, count) => [true, ...Array.from({ length: count }, (_, index) => index)]),
    )
  })

  test('a once listener gets one event, although it emits the same itself', async () => {
    const emitter = new Class()
    const { log, logs } = logging()
    emitter.once('x', (...args) => {
      logs('first')(...args)
      emitter.emit('x', 'again')
    })
    emitter.once('x', logs('second'))
    emitter.once('y', logs('removed'))
    emitter.off('y', logs('removed'))
    emitter.emit('x', 1, 2, 3)
    emitter.emit('x', 'late')
    emitter.emit('y')
    await settled(emitter)
    assert.equal(log.filter((line) => line.startsWith('first')).length, 1)
    assert.equal(log.filter((line) => line.startsWith('second')).length, 1)
    assert.ok(log.includes('first 1 2 3'))
    assert.equal(log.length, 2)
  })

  test('emit works on any object', () => {
    const { prototype } = Class
    const error = new Error('foo')
    assert.equal(prototype.emit.call({}, 'x'), false)
    assert.throws(() => prototype.emit.call({ __proto__: null }, 'error', error), error)
    const object = {}
    for (let times = 0; times < 2; times++) prototype.on.call(object, 'x', () => {})
    assert.equal(prototype.listenerCount.call(object, 'x'), 2)
  })

  test('symbols are events', async () => {
    const emitter = new Class()
    const { log, logs } = logging()
    const event = Symbol('event')
    emitter.on(event, logs('heard'))
    assert.equal(emitter.emit(event, 1), true)
    assert.equal(emitter.emit(Symbol('event')), false)
    await settled(emitter)
    assert.deepEqual([emitter.eventNames(), emitter.listeners(event), log], [[event], [logs('heard')], ['heard 1']])
    emitter.removeAllListeners(event)
    assert.equal(emitter.emit(event), false)
  })
}

function looking(Class) {
  test('listeners are a copy, without the wrappers of once; rawListeners have them', async () => {
    const emitter = new Class()
    const listener = () => {}
    emitter.once('x', listener)
    emitter.on('x', listener)
    const copy = emitter.listeners('x')
    copy.push(assert.fail)
    assert.deepEqual(emitter.listeners('x'), [listener, listener])
    const [wrapped, bare] = emitter.rawListeners('x')
    assert.equal(bare, listener)
    assert.notEqual(wrapped, listener)
    assert.equal(wrapped.listener, listener)
    wrapped()
    assert.deepEqual(emitter.listeners('x'), [listener])
  })

  test('to look changes nothing', () => {
    const emitter = new Class()
    assert.deepEqual([emitter.listeners('x'), emitter.rawListeners('x'), emitter.listenerCount('x')], [[], [], 0])
    assert.deepEqual([emitter.eventNames(), Object.keys(emitter._events)], [[], []])
  })

  test('listenerCount counts a listener, also one that is once', () => {
    const emitter = new Class()
    const [first, second] = [() => {}, () => {}]
    emitter.on('x', first)
    emitter.once('x', first)
    emitter.on('x', second)
    assert.equal(emitter.listenerCount('x'), 3)
    assert.equal(emitter.listenerCount('y', first), 0)
    assert.equal(Class.listenerCount(emitter, 'x'), 3)
    assert.deepEqual(Class.getEventListeners(emitter, 'x'), [first, first, second])
    assert.deepEqual([emitter.listenerCount('x', first), emitter.listenerCount('x', second)], [2, 1])
  })
}

function failing(Class) {
  test('an error that nobody hears is thrown, by emit itself', () => {
    const emitter = new Class()
    const error = new Error('unheard')
    assert.throws(() => emitter.emit('error', error), error)
    const told = (value) => ({ name: 'Error', code: 'ERR_UNHANDLED_ERROR', context: value })
    for (const value of [false, 'text', { message: 'text' }, undefined]) {
      assert.throws(() => emitter.emit('error', value), told(value))
    }
    assert.throws(() => emitter.emit('error', 'text'), { message: "Unhandled error. ('text')" })
    assert.throws(() => emitter.emit('error'), { message: 'Unhandled error. (undefined)' })
  })

  test('monitors of errors hear them, and do not count as listeners', async () => {
    const emitter = new Class()
    const { log, logs } = logging()
    const error = new Error('seen')
    emitter.on(errorMonitor, ({ message }) => logs('monitor')(message))
    assert.throws(() => emitter.emit('error', error), error)
    assert.deepEqual(log, ['monitor seen'], 'before it is thrown')
    emitter.on('error', ({ message }) => logs('listener')(message))
    assert.equal(emitter.emit('error', error), true)
    await settled(emitter)
    assert.deepEqual(log, ['monitor seen', 'monitor seen', 'listener seen'])
    emitter.emit(errorMonitor, new Error('by hand'))
    await settled(emitter)
    assert.deepEqual(log.at(-1), 'monitor by hand')
  })
}

function inheriting(Class) {
  test('a function inherits with util.inherits, and need not call the constructor', async () => {
    const { log, logs } = logging()
    function Calling() {
      Class.call(this)
    }
    function Silent() {}
    for (const Inheriting of [Calling, Silent]) {
      inherits(Inheriting, Class)
      const emitter = new Inheriting()
      const other = new Inheriting()
      emitter.on('x', logs(Inheriting.name))
      assert.equal(other.listenerCount('x'), 0)
      assert.equal(emitter.emit('x', 1), true)
      await settled(emitter)
      assert.ok(emitter instanceof Class)
    }
    assert.deepEqual(log, ['Calling 1', 'Silent 1'])
  })

  test('a constructor may use its inherited methods before it calls its parent, which begins anew', async () => {
    const { log, logs } = logging()
    function Eager() {
      this.once('x', logs('heard'))
      this.emit('x', 1)
      this.removeAllListeners()
      Class.call(this)
    }
    Object.setPrototypeOf(Eager.prototype, Class.prototype)
    Object.setPrototypeOf(Eager, Class)
    const emitter = new Eager()
    await new Promise(setImmediate)
    await settled(emitter)
    assert.deepEqual([log, Object.keys(emitter._events)], [['heard 1'], []])
    assert.ok(!(emitter._events instanceof Object))
  })

  test('a constructor that emits an unheard error throws that', () => {
    function Failing() {
      this.emit('error', new Error('at once'))
    }
    Object.setPrototypeOf(Failing.prototype, Class.prototype)
    assert.throws(() => new Failing(), /at once/)
  })

  test('an emitter may be the prototype of others, which do not share its listeners', () => {
    function Old() {
      Class.call(this)
    }
    Old.prototype = new Class()
    const [first, second] = [new Old(), new Old()]
    first.on('x', () => {})
    assert.deepEqual(
      [first, second, Old.prototype].map((emitter) => emitter.listenerCount('x')),
      [1, 0, 0],
    )
  })
}

function capturing(Class) {
  /** Resolves to the errors that `error` listeners get, when there are so many. */
  const errorsOf = (emitter, count = 1) =>
    new Promise((resolve) => {
      const errors = []
      emitter.on('error', (error) => errors.push(error) === count && resolve(errors))
    })

  test('captureRejections emits rejections of listeners as errors', async () => {
    const emitter = new Class({ captureRejections: true })
    const [first, second] = [new Error('first'), new Error('second')]
    emitter.on('x', () => Promise.reject(first))
    emitter.on('x', () => Promise.reject(second))
    const errors = errorsOf(emitter, 2)
    emitter.emit('x')
    assert.deepEqual(await errors, [first, second])
  })

  test('captureRejections calls the method for it with the event and its arguments, where there is one', async () => {
    const emitter = new Class({ captureRejections: true })
    const failure = new Error('rejected')
    const called = new Promise((resolve) => {
      emitter[captureRejectionSymbol] = (...args) => resolve(args)
    })
    emitter.on('x', () => Promise.reject(failure))
    emitter.emit('x', 42, 'text')
    assert.deepEqual(await called, [failure, 'x', 42, 'text'])
  })

  test('captureRejections takes a thenable that is no promise, and reads its then once', async () => {
    const failure = new Error('rejected')
    let reads = 0
    const thenables = [
      () =>
        Object.defineProperty({}, 'then', {
          get() {
            reads++
            return (_, reject) => reject(failure)
          },
        }),
      () =>
        Object.defineProperty({}, 'then', {
          get() {
            reads++
            throw failure
          },
        }),
    ]
    for (const thenable of thenables) {
      const emitter = new Class({ captureRejections: true })
      emitter.on('x', thenable)
      const errors = errorsOf(emitter)
      emitter.emit('x')
      assert.deepEqual(await errors, [failure])
    }
    assert.equal(reads, 2)
  })

  test('captureRejections of the class is for emitters that do not say, also for those without a constructor', async (t) => {
    t.after(() => {
      Class.captureRejections = false
    })
    assert.equal(Class.captureRejections, false)
    Class.captureRejections = true
    const failure = new Error('rejected')
    function Silent() {}
    inherits(Silent, Class)
    for (const emitter of [new Class(), new Silent()]) {
      emitter.on('x', () => Promise.reject(failure))
      const errors = errorsOf(emitter)
      emitter.emit('x')
      assert.deepEqual(await errors, [failure])
    }
  })

  test('captureRejections that is no boolean is refused', () => {
    for (const value of [1, [], () => {}, {}, 'text', Infinity]) {
      const message = /^The "options\.captureRejections" property must be of type boolean\. Received /
      const refusal = { name: 'TypeError', code: 'ERR_INVALID_ARG_TYPE', message }
      assert.throws(() => new Class({ captureRejections: value }), refusal)
      assert.throws(
        () => {
          Class.captureRejections = value
        },
        { name: 'TypeError', code: 'ERR_INVALID_ARG_TYPE' },
      )
    }
  })
}

function warning(Class) {
  test('too many listeners are warned of once for each event, by the name of the class', async () => {
    for (const event of ['text', Symbol('symbol'), null]) {
      const emitter = new Class()
      const warnings = await warningsOf(() => {
        emitter.setMaxListeners(1)
        for (let count = 0; count < 5; count++) emitter.on(event, () => {})
      })
      assert.equal(warnings.length, 1)
      const [{ name, emitter: of, type, count, message }] = warnings
      assert.deepEqual([name, of, type, count], ['MaxListenersExceededWarning', emitter, event, 2])
      const text = `2 ${String(event)} listeners added to [${Class.name}]. MaxListeners is 1.`
      assert.ok(message.includes(text), message)
      assert.equal(emitter._events[event].warned, true)
    }
  })

  test('the limit is the one that was set; 0 and Infinity are none', async () => {
    const emitter = new Class()
    assert.equal(emitter.getMaxListeners(), Class.defaultMaxListeners)
    for (const limit of [0, Infinity]) {
      assert.equal(emitter.setMaxListeners(limit), emitter)
      assert.equal(emitter.getMaxListeners(), limit)
      const warnings = await warningsOf(() => {
        for (let count = 0; count < 100; count++) emitter.on(`x ${limit}`, () => {})
      })
      assert.deepEqual(warnings, [])
    }
    for (const limit of [Number.NaN, -1, 'text']) {
      const wrong = { code: typeof limit === 'number' ? 'ERR_OUT_OF_RANGE' : 'ERR_INVALID_ARG_TYPE' }
      assert.throws(() => emitter.setMaxListeners(limit), wrong)
      assert.throws(() => {
        Class.defaultMaxListeners = limit
      }, wrong)
    }
  })

  test('the default of the class is that of the emitters that it makes', async (t) => {
    const { defaultMaxListeners } = Class
    t.after(() => {
      Class.defaultMaxListeners = defaultMaxListeners
    })
    Class.defaultMaxListeners = 3
    const emitter = new Class()
    const warnings = await warningsOf(() => {
      for (let count = 0; count < 3; count++) emitter.on('x', () => {})
    })
    assert.deepEqual(warnings, [])
    assert.equal((await warningsOf(() => emitter.on('x', () => {}))).length, 1)
  })

  test('the limit of an emitter overrides the default, and is set before listeners are there', async () => {
    const emitter = new Class()
    const warnings = await warningsOf(() => {
      emitter.on('newListener', () => emitter.setMaxListeners(1))
      emitter.on('x', () => {})
      emitter.on('x', () => {})
    })
    assert.equal(warnings.length, 1)
  })
}
