'use strict'

// The options of `spawn`: those of its threads, those that its buses inherit, and the checks of all.

const assert = require('node:assert/strict')
const { Writable } = require('node:stream')
const { moduleOf, release, sharedCells } = require('../fixtures/modules.js')
const { stage, stallOf, test, until } = require('../fixtures/stage.js')

const NOTHING = moduleOf(() => {})
/** Waits in the listener until the first number is set. */
const BLOCKING = moduleOf((bus, cells) => {
  bus.on('block', () => Atomics.add(cells, 1, 1) >= 0 && Atomics.wait(cells, 0, 0))
})

test('the threads of a pool inherit the capacity of mailboxes of their bus, unless they are given one', async (t) => {
  const { bus } = stage(t, { mailbox: { maxMessages: 3 } })
  for (const [options, most] of [
    [{}, 3],
    [{ mailbox: { maxMessages: 5 } }, 5],
  ]) {
    const cells = sharedCells()
    const pool = await bus.spawn(BLOCKING, { threads: 1, workerData: cells, ...options })
    const requests = Promise.allSettled(Array.from({ length: 8 }, () => bus.request('block')))
    release(cells, 0)
    const refused = (await requests).filter(({ status }) => status === 'rejected')
    assert.deepEqual(
      refused.map(({ reason }) => reason.code),
      Array(8 - most).fill('ERR_MAILBOX_FULL'),
    )
    await pool.close()
  }
})

test('the threads of a pool inherit the time after which a stall is told', async (t) => {
  const { bus } = stage(t, { stallAfter: 20 })
  const cells = sharedCells()
  const pool = await bus.spawn(BLOCKING, { threads: 1, workerData: cells })
  const running = bus.request('block')
  await until(() => Atomics.load(cells, 1) === 1)
  const requests = [running, bus.request('block')]
  const { ms } = await stallOf(bus, { threadId: pool.threadIds[0] })
  assert.ok(ms >= 20 && ms < 1000, `${ms} ms`)
  release(cells, 0)
  await Promise.all(requests)
})

test('the threads get the arguments, and write to the streams, that they are given', async (t) => {
  const { bus } = stage(t)
  const written = { stdout: '', stderr: '' }
  const streamFor = (name) =>
    new Writable({
      highWaterMark: 1,
      write(chunk, _encoding, done) {
        written[name] += chunk
        setImmediate(done)
      },
    })
  const module = moduleOf((bus) => {
    bus.on('arguments', () => process.argv.slice(2))
    bus.on('write', () => {
      console.log('one')
      console.error('two')
      console.log('three')
    })
  })
  const pool = await bus.spawn(module, {
    threads: 1,
    name: 'scores',
    argv: ['--level', '5'],
    stdout: streamFor('stdout'),
    stderr: streamFor('stderr'),
  })
  assert.deepEqual(await bus.request('arguments'), ['--level', '5'])
  await bus.request('write')
  await pool.close()
  await until(() => written.stdout === 'one\nthree\n' && written.stderr === 'two\n')
  const silent = await bus.spawn(module, { threads: 1, stdout: true, stderr: true })
  await bus.request('write')
  await silent.close()
})

test('every option of spawn is checked, and a misspelt one is refused with the one that is meant', async (t) => {
  const { bus } = stage(t)
  const refused = [
    [{ minThread: 1 }, 'ERR_INVALID_ARG_VALUE', /Did you mean 'minThreads'/],
    [{ teminateAfter: 1 }, 'ERR_INVALID_ARG_VALUE', /Did you mean 'terminateAfter'/],
    [{ minThreads: 0 }, 'ERR_OUT_OF_RANGE'],
    [{ maxThreads: 1.5 }, 'ERR_OUT_OF_RANGE'],
    [{ minThreads: 3, maxThreads: 2 }, 'ERR_OUT_OF_RANGE', /minThreads.*<= options.maxThreads, 2.*3/],
    [{ threads: 2, maxThreads: 2 }, 'ERR_INVALID_ARG_VALUE', /stands alone/],
    [{ idleTimeout: 0 }, 'ERR_OUT_OF_RANGE'],
    [{ idleTimeout: '5' }, 'ERR_INVALID_ARG_TYPE'],
    [{ terminateAfter: 0 }, 'ERR_OUT_OF_RANGE'],
    [{ maxQueue: -1 }, 'ERR_OUT_OF_RANGE'],
    [{ maxQueue: 1.5 }, 'ERR_OUT_OF_RANGE'],
    [{ maxQueue: '1' }, 'ERR_INVALID_ARG_TYPE'],
    [{ terminateAfter: 2 ** 31 }, 'ERR_OUT_OF_RANGE'],
    [{ onError: 5 }, 'ERR_INVALID_ARG_TYPE'],
    [{ mailbox: { maxMessage: 5 } }, 'ERR_INVALID_ARG_VALUE', /Did you mean 'maxMessages'/],
    [{ stallAfter: -1 }, 'ERR_OUT_OF_RANGE'],
    [{ stdout: 'file' }, 'ERR_INVALID_ARG_TYPE'],
    [{ argv: 5 }, 'ERR_INVALID_ARG_TYPE'],
    [{ name: 5 }, 'ERR_INVALID_ARG_TYPE'],
  ]
  for (const [options, code, message = /./] of refused) {
    await assert.rejects(bus.spawn(NOTHING, options), { code, message }, JSON.stringify(options))
  }
  const pool = await bus.spawn(NOTHING, { threads: 1 })
  assert.throws(() => pool.close({ timeout: -1 }), { code: 'ERR_OUT_OF_RANGE' })
  assert.throws(() => pool.close({ timeOut: 1 }), { code: 'ERR_INVALID_ARG_VALUE', message: /Did you mean 'timeout'/ })
  assert.throws(() => bus.close({ timeout: '1' }), { code: 'ERR_INVALID_ARG_TYPE' })
  assert.throws(() => bus.close(null), { code: 'ERR_INVALID_ARG_TYPE' })
})
