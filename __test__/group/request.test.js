'use strict'

// `request`: one listener, of any thread, replies; the emitter gets its value or its error.

const assert = require('node:assert/strict')
const { ParallelEventBus } = require('../..')
const { ACROSS, stage, test, until } = require('../fixtures/stage.js')

test('one listener replies to a request, and its value comes back whole', async (t) => {
  const { bus, cells, start } = stage(t)
  cells.name('called')
  await start(2, ({ bus, cells }) => {
    const returns = {
      nothing: () => {},
      null: () => null,
      promise: async (value) => value,
      thenable: () => ({ then: (resolve) => resolve('then') }),
      several: (...args) => args,
      values: () => [1n, new Date(1), new Map([['a', new Set([1])]]), /x/g, new Uint8Array([1, 2]), -0, NaN],
      large: () => 'x'.repeat(1_000_000),
      error: () => new RangeError('returned'),
    }
    for (const [name, fn] of Object.entries(returns)) {
      bus.on(name, function reply(...args) {
        cells.add('called')
        if (this !== bus) throw new Error('this is not the bus')
        return fn(...args)
      })
    }
  })
  assert.equal(await bus.request('nothing'), undefined)
  assert.equal(await bus.request('null'), null)
  assert.deepEqual(await bus.request('promise', { deep: [1] }), { deep: [1] })
  assert.equal(await bus.request('thenable'), 'then')
  assert.deepEqual(await bus.request('several', 1, undefined, 'three'), [1, undefined, 'three'])
  const values = [1n, new Date(1), new Map([['a', new Set([1])]]), /x/g, new Uint8Array([1, 2]), -0, NaN]
  assert.deepEqual(await bus.request('values'), values)
  assert.equal((await bus.request('large')).length, 1_000_000)
  const error = await bus.request('error')
  assert.deepEqual([error instanceof RangeError, error.message], [true, 'returned'])
  assert.equal(cells.get('called'), 8)
})

test('a request fails with the error of its listener, as an error', async (t) => {
  const { bus, errors, startOne } = stage(t)
  const thread = await startOne(({ bus }) => {
    bus.on('throws', () => {
      throw Object.assign(new TypeError('thrown', { cause: 'why' }), { code: 'E_OWN', own: [1] })
    })
    bus.on('rejects', async () => {
      throw new RangeError('rejected')
    })
    bus.on('text', () => Promise.reject('text'))
    bus.on('nothing', () => {
      throw undefined
    })
  })
  const error = await bus.request('throws').catch((error) => error)
  assert.ok(error instanceof TypeError)
  assert.deepEqual([error.name, error.message, error.code], ['TypeError', 'thrown', 'E_OWN'])
  assert.deepEqual([error.cause, error.own], ['why', [1]])
  assert.match(error.stack, /told-by-a-test\.js/)
  await assert.rejects(bus.request('rejects'), { name: 'RangeError', message: 'rejected' })
  const thrown = (reason) => ({ reason })
  assert.deepEqual(await bus.request('text').catch(thrown), { reason: 'text' })
  assert.deepEqual(await bus.request('nothing').catch(thrown), { reason: undefined })
  // Told where the listener ran, and counted here.
  assert.deepEqual(await thread.run(({ errors }) => errors.map(([event]) => event)), [
    'throws',
    'rejects',
    'text',
    'nothing',
  ])
  assert.deepEqual([errors, bus.getStats().listenersFailed], [[], 4])
})

test('a request that nobody listens to fails at once, and calls nobody', async (t) => {
  const { bus, start } = stage(t)
  const threads = await start(1, ({ bus }) => bus.once('x', () => 'once'))
  await assert.rejects(bus.request('y'), { code: 'ERR_NO_LISTENERS', name: 'NoListenersError', event: 'y' })
  assert.equal(await bus.request('x'), 'once')
  await assert.rejects(bus.request('x'), { code: 'ERR_NO_LISTENERS' })
  await threads[0].terminate()
  await assert.rejects(bus.request('x'), { code: 'ERR_NO_LISTENERS' })
  assert.deepEqual([bus.getStats().eventsEmitted, bus.getStats().pending], [1, 0])
})

test('a reply that cannot be cloned is an error of its listener', async (t) => {
  const { bus, startOne } = stage(t)
  const thread = await startOne(({ bus }) => {
    bus.on('function', () => () => {})
    bus.on('deep', async () => ({ deep: [Symbol('s')] }))
  })
  for (const event of ['function', 'deep']) {
    await assert.rejects(bus.request(event), { name: 'DataCloneError' })
    // Of no interest where it is not requested.
    assert.deepEqual(await bus.emitAndWait(event), { success: 1, failed: 0, errors: [] })
  }
  const told = await thread.run(({ errors }) => errors.map(([event, { name }]) => [event, name]))
  assert.deepEqual(told, [
    ['function', 'DataCloneError'],
    ['deep', 'DataCloneError'],
  ])
  bus.on('here', () => () => 'by reference')
  assert.equal((await bus.request('here'))(), 'by reference')
})

test('a request goes to the member with the least in flight, with a group or without', async (t) => {
  const { bus, cells, start } = stage(t)
  const threads = await start(3, (scope) => {
    const { bus, cells, threadId } = scope
    const reply = () => {
      cells.add(threadId)
      return new Promise((resolve) => {
        scope.reply = () => resolve(threadId)
      })
    }
    // One that has a request takes over none.
    if (threadId % 2 === 0) bus.on('x', reply, { concurrency: 1 })
    else bus.on('x', reply, { concurrency: 1, group: 'g' })
  })
  const called = () => threads.filter(({ id }) => cells.get(id) > 0).map(({ id }) => id)
  const replies = new Map()
  for (let number = 0; number < 3; number++) {
    const before = called()
    const reply = bus.request('x')
    await until(() => called().length > before.length)
    const [id] = called().filter((each) => !before.includes(each))
    replies.set(id, reply)
  }
  assert.equal(replies.size, 3)
  // Not the thread that would be next in turn.
  const [, , last] = [...replies.keys()]
  const free = threads.find(({ id }) => id === last)
  await free.run(({ reply }) => reply())
  assert.equal(await replies.get(last), last)
  await free.run(() => {})
  const again = bus.request('x')
  await cells.reach(last, 2)
  assert.deepEqual(
    threads.map(({ id }) => cells.get(id)),
    threads.map(({ id }) => (id === last ? 2 : 1)),
  )
  for (const thread of threads) await thread.run(({ reply }) => reply())
  assert.equal(await again, last)
  for (const [id, reply] of replies) assert.equal(await reply, id)
})

test('a listener of the requesting thread replies like any other, by reference', {
  threadsOnly: 'of equals this process is first',
}, async (t) => {
  const { bus, start } = stage(t)
  const value = { by: 'reference' }
  bus.on('x', (argument) => argument)
  assert.equal(await bus.request('x', value), value)
  const threads = await start(1, ({ bus }) => bus.on('x', () => 'there'))
  const replies = []
  for (let number = 0; number < 10; number++) {
    replies.push(await bus.request('x', 'here'))
    await threads[0].run(() => {})
  }
  assert.deepEqual([...new Set(replies)].sort(), ['here', 'there'])
  bus.removeAllListeners('x')
  bus.on('x', () => {
    throw value
  })
  await threads[0].run(({ bus }) => bus.removeAllListeners('x'))
  assert.deepEqual(await bus.request('x').catch((thrown) => [thrown === value]), [true])
})

test('two threads that request from each other all the time get their replies', async (t) => {
  const { bus, start } = stage(t)
  const threads = await start(2, (scope) => {
    const { bus } = scope
    scope.request = async (other, count) => {
      const requested = Array.from({ length: count }, (_, number) => bus.request(`request ${other}`, number))
      const replies = await Promise.all(requested)
      return replies.every((reply, number) => reply === 2 * number)
    }
  })
  const ids = threads.map(({ id }) => id)
  for (const [index, thread] of threads.entries()) {
    await thread.run(({ bus }, own) => bus.on(`request ${own}`, (number) => 2 * number), ids[index])
  }
  const requested = threads.map((thread, index) =>
    thread.run(({ request }, other) => request(other, 2000), ids[1 - index]),
  )
  assert.deepEqual(await Promise.all(requested), [true, true])
  assert.equal(await bus.request(`request ${ids[0]}`, 21), 42)
})

test('thousands of requests at once are shared by all listeners', async (t) => {
  const { bus, cells, start } = stage(t)
  const threads = await start(2, ({ bus, cells, threadId }) => {
    bus.on('square', async (number) => {
      cells.add(threadId)
      return number * number
    })
  })
  const numbers = Array.from({ length: 4000 }, (_, number) => number)
  const replies = await Promise.all(numbers.map((number) => bus.request('square', number)))
  assert.deepEqual(
    replies,
    numbers.map((number) => number * number),
  )
  const counts = threads.map(({ id }) => cells.get(id))
  assert.equal(counts[0] + counts[1], 4000)
  assert.ok(Math.min(...counts) > 0)
})

test('a request is bounded by a timeout and a signal, with a listener in any thread', async (t) => {
  const { bus, cells, startOne } = stage(t)
  cells.name('called', 'go')
  await startOne(({ bus, cells }) => {
    bus.on('x', () => {
      cells.add('called')
      cells.block('go')
    })
  })
  const controller = new AbortController()
  const late = { code: 'ERR_LISTENER_TIMEOUT', event: 'x', timeout: 50 }
  // Its time may be over before the listener is called.
  while (cells.get('called') === 0) await assert.rejects(bus.with({ timeout: 50 }).request('x'), late)
  const queued = bus.with({ signal: controller.signal }).request('x')
  const expected = assert.rejects(queued, { name: 'AbortError' })
  controller.abort()
  await expected
  // In another process it is skipped when the word of the abort comes.
  if (ACROSS) await until(() => bus.getStats().pending === 0)
  cells.set('go', 1)
  assert.equal(await bus.request('x'), undefined)
  assert.equal(cells.get('called'), 2)
  await bus.idle()
})

test('a request to a listener that is removed before its turn has no listeners', async (t) => {
  const { bus, cells, startOne } = stage(t)
  cells.name('busy', 'go')
  await startOne(({ bus, cells }) => {
    bus.on('leave', () => {
      cells.set('busy', 1)
      cells.block('go')
      bus.removeAllListeners('x')
    })
    bus.on('x', () => {})
  })
  bus.emit('leave')
  await cells.reach('busy')
  const reply = bus.request('x')
  cells.set('go', 1)
  await assert.rejects(reply, { code: 'ERR_NO_LISTENERS' })
  await bus.idle()
})

test('a bus of another copy of the class, with its own request, still replies', async (t) => {
  const { bus, channel } = stage(t)
  class Bus extends ParallelEventBus {
    request() {
      throw new Error('not for the bus itself')
    }
  }
  const other = new Bus({ channel })
  other.on('x', () => 'reply')
  assert.equal(await bus.request('x'), 'reply')
  await other.close()
})

test('a request that nobody hears is told which channel it was, and what is heard there', async (t) => {
  const { bus, channel, start } = stage(t)
  const message = (rest) => `nobody listens to 'scoer' on channel '${channel}' (${rest})`
  await assert.rejects(bus.request('scoer'), { message: message('no other thread; nothing is heard there') })
  await start(1, ({ bus }) => bus.on('score', () => {}).on('created', () => {}))
  await start(1, ({ bus }) => bus.on('score', () => {}))
  await assert.rejects(bus.request('scoer'), ({ message: text }) => {
    assert.ok(text.startsWith(message('').slice(0, -2)), text)
    assert.equal(
      text
        .match(/\(2 threads; heard there: (.*)\)$/)[1]
        .split(', ')
        .sort()
        .join(),
      'created,score',
    )
    return true
  })
})
