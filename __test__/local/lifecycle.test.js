'use strict'

// How long things live: the process, the bus, its listeners; and how a busy bus shares the event loop.

const assert = require('node:assert/strict')
const { spawnSync } = require('node:child_process')
const path = require('node:path')
const { test } = require('node:test')
const { setImmediate: turn } = require('node:timers/promises')
const { ParallelEventBus } = require('../..')

const root = path.join(__dirname, '../..')

/** Runs a program in a process of its own, where `bus` is a fresh bus. */
function inProcess(program, ...flags) {
  const prelude = `const { ParallelEventBus } = require(${JSON.stringify(root)}); const bus = new ParallelEventBus();`
  const { status, signal, stdout, stderr } = spawnSync(process.execPath, [...flags, '-e', prelude + program], {
    encoding: 'utf8',
    timeout: 30_000,
  })
  return { status, signal, lines: stdout.split('\n').filter(Boolean), stderr }
}

test('an idle bus lets the process exit, before and after its first event', () => {
  assert.deepEqual(inProcess("bus.on('x', () => {})"), { status: 0, signal: null, lines: [], stderr: '' })
  const used = inProcess("bus.on('x', () => {}); bus.emit('x'); setTimeout(() => console.log('later'), 5)")
  assert.deepEqual(used, { status: 0, signal: null, lines: ['later'], stderr: '' })
})

test('a queued emission keeps the process until it is delivered, and so does all that it emits', () => {
  const one = inProcess("bus.on('x', () => console.log('heard')); bus.emit('x')")
  assert.deepEqual(one.lines, ['heard'])
  const chain = inProcess(`
    bus.on('x', (n) => n > 0 ? bus.emit('x', n - 1) : console.log('end'))
    bus.emit('x', 20000)`)
  assert.deepEqual(chain.lines, ['end'])
  const many = inProcess(`
    let heard = 0
    bus.on('x', () => { if (++heard === 100000) console.log('all') })
    for (let n = 0; n < 100000; n++) bus.emit('x')`)
  assert.deepEqual(many.lines, ['all'])
})

test('a listener that never settles does not keep the process', () => {
  const { status, lines } = inProcess("bus.on('x', () => new Promise(() => {})); bus.emit('x'); bus.on('x', () => {})")
  assert.deepEqual([status, lines], [0, []])
})

test('process.exit delivers queued events, and those of exit handlers, as a synchronous emitter would', () => {
  const { status, lines } = inProcess(`
    bus.on('x', (value) => console.log(value))
    process.on('exit', () => { bus.emit('x', 'early handler') })
    bus.emit('x', 'queued')
    process.on('exit', () => { bus.emit('x', 'late handler') })
    process.exit(3)`)
  assert.equal(status, 3)
  assert.deepEqual(lines.toSorted(), ['early handler', 'late handler', 'queued'])
})

test('the first event of a process may be emitted in its exit event, and its failures are told', () => {
  const { lines, stderr } = inProcess(`
    bus.on('x', () => { console.log('heard'); throw new Error('at the end') })
    process.on('exit', () => { bus.emit('x') })`)
  assert.deepEqual(lines, ['heard'])
  assert.match(stderr, /ParallelEventBusWarning.*\n.*at the end/)
})

test('a removeListener listener that throws keeps an abort from nobody else', () => {
  const { lines } = inProcess(`
    process.on('uncaughtException', (error) => console.log(error.message))
    const controller = new AbortController()
    bus.on('x', () => {}, { signal: controller.signal })
    bus.on('y', () => {}, { signal: controller.signal })
    bus.once('removeListener', () => { throw new Error('from removeListener') })
    controller.abort()
    console.log(bus.eventNames().length)`)
  assert.deepEqual(lines, ['0', 'from removeListener'])
})

test('an uncaught error delivers the events queued before it', () => {
  const { status, lines } = inProcess(
    "bus.on('x', () => console.log('heard')); bus.emit('x'); throw new Error('crash')",
  )
  assert.notEqual(status, 0)
  assert.deepEqual(lines, ['heard'])
})

test('exit from inside a listener delivers the rest, and an endless exchange of events ends', () => {
  const inside = inProcess(
    "bus.on('x', (n) => { console.log(n); if (n === 1) process.exit(0) }); bus.emit('x', 1); bus.emit('x', 2)",
  )
  assert.deepEqual(inside.lines, ['1', '2'])
  const endless = inProcess("bus.on('x', () => { bus.emit('x') }); bus.emit('x'); process.exit(0)")
  assert.deepEqual([endless.status, endless.signal], [0, null])
})

test('an unheard failure is a warning on stderr, not a crash', () => {
  const { status, stderr } = inProcess(
    "bus.on('x', () => { throw new Error('of a listener') }); bus.emit('x'); bus.emit('x')",
  )
  assert.equal(status, 0)
  assert.equal(stderr.match(/ParallelEventBusWarning/g).length, 1)
  assert.match(stderr, /Error: of a listener\n +at /)
})

test('idle resolves when nothing this bus emitted is queued or running', async () => {
  const [bus, other] = [new ParallelEventBus(), new ParallelEventBus()]
  await bus.idle()
  let end
  bus.on(
    'x',
    () =>
      new Promise((resolve) => {
        end = resolve
      }),
  )
  other.on('never', () => new Promise(() => {}))
  other.emit('never')
  bus.emit('x')
  let idle = false
  const [first, second] = [bus.idle(), bus.idle()]
  first.then(() => {
    idle = true
  })
  while (end === undefined) await turn()
  await turn()
  assert.equal(idle, false)
  end()
  await Promise.all([first, second])
  assert.equal(bus.getStats().pending, 0)
})

test('close waits for the events in flight, takes no new ones, and drops the listeners', async () => {
  const bus = new ParallelEventBus()
  const log = []
  bus.on('x', async (value) => {
    await turn()
    log.push(value)
    assert.equal(bus.emit('x', 'new'), false)
  })
  bus.emit('x', 1)
  bus.emit('x', 2)
  const closing = bus.close()
  assert.equal(bus.emit('x', 3), false)
  assert.equal(bus.close(), closing, 'closing twice is closing once')
  await closing
  assert.deepEqual(log, [1, 2])
  assert.deepEqual(bus.eventNames(), [])
  await bus.close()
})

test('await using closes the bus', { skip: Symbol.asyncDispose === undefined }, async () => {
  const bus = new ParallelEventBus()
  let calls = 0
  bus.on('x', () => calls++)
  bus.emit('x')
  await bus[Symbol.asyncDispose]()
  assert.equal(calls, 1)
  assert.equal(bus.emit('x'), false)
})

test('a million queued emissions do not keep a timer, I/O or other listeners from their turn', async () => {
  const bus = new ParallelEventBus()
  let heard = 0
  bus.on('x', () => heard++)
  for (let n = 0; n < 1_000_000; n++) bus.emit('x')
  const turns = []
  const timer = setInterval(() => turns.push(heard), 1)
  await bus.idle()
  clearInterval(timer)
  assert.equal(heard, 1_000_000)
  // Counted, not timed: a drain gives way after 16 384 emissions at most, so the timer had many turns.
  assert.ok(turns.length >= 10, `the timer ran ${turns.length} times`)
  for (let index = 1; index < turns.length; index++) assert.ok(turns[index] - turns[index - 1] <= 4 * 16_384)
})

test('slow listeners do not keep a timer from its turn either', async () => {
  const bus = new ParallelEventBus()
  let heard = 0
  let heardAtTimer
  bus.on('x', () => {
    if (++heard === 1) {
      setTimeout(() => {
        heardAtTimer = heard
      }, 1)
    }
    const end = performance.now() + 0.5
    while (performance.now() < end);
  })
  for (let n = 0; n < 400; n++) bus.emit('x')
  await bus.idle()
  assert.ok(heardAtTimer <= 64, `the timer ran after ${heardAtTimer} of 400 listeners`)
})

test('events that come in endlessly do not keep the others out', async () => {
  const bus = new ParallelEventBus()
  let stop = false
  bus.on('ping', () => {
    if (!stop) bus.emit('ping')
  })
  bus.emit('ping')
  await new Promise((resolve) => setTimeout(resolve, 1))
  await turn()
  stop = true
  await bus.idle()
})

test('a bus that only its own listeners refer to is collected', async () => {
  assert.equal(typeof gc, 'function', 'run with --expose-gc')
  const refs = []
  const create = async () => {
    for (let n = 0; n < 50; n++) {
      const bus = new ParallelEventBus({ onError: () => bus })
      const payload = new Array(1000).fill(bus)
      bus.on('x', () => payload)
      bus.once('y', () => bus, { timeout: 1000 })
      bus.on('never', () => new Promise(() => payload))
      bus.emit('never')
      await bus.emitAndWait('x', payload)
      await bus.with({ timeout: 1000, signal: new AbortController().signal }).emitAndWait('y')
      refs.push(new WeakRef(bus))
    }
  }
  await create()
  for (let round = 0; round < 20 && refs.some((ref) => ref.deref() !== undefined); round++) {
    await turn()
    gc()
  }
  assert.equal(refs.filter((ref) => ref.deref() !== undefined).length, 0)
})

test('event names that are used once and forgotten leave nothing behind', () => {
  const { status, stderr } = inProcess(
    `
    const use = async (count) => {
      for (let n = 0; n < count; n++) {
        const listener = () => {}
        bus.once('abandoned:' + n, listener, { timeout: 1000 })
        bus.off('abandoned:' + n, listener)
        bus.once('replied:' + n, listener)
        bus.emit('replied:' + n)
      }
      await bus.idle()
      await new Promise(setImmediate)
      gc()
      return process.memoryUsage().heapUsed
    }
    const measure = async () => {
      const before = await use(1000)
      const grown = (await use(100_000)) - before
      require('node:assert').ok(grown < 2 * 1024 * 1024, 'the heap grew by ' + grown)
    }
    measure()`,
    '--expose-gc',
  )
  assert.equal(status, 0, stderr)
})
