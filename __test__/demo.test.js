'use strict'

// The demo, as a program on a small tree, and those of its parts that need no clock.

const assert = require('node:assert/strict')
const { spawn } = require('node:child_process')
const { createHash } = require('node:crypto')
const { once } = require('node:events')
const { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, truncateSync, writeFileSync } = require('node:fs')
const { tmpdir } = require('node:os')
const { join } = require('node:path')
const { after, before, describe, test } = require('node:test')
const { gzipSync } = require('node:zlib')
const blocking = require('../examples/demo/blocking.js')
const { rowsOf } = require('../examples/demo/lanes.js')
const listeners = require('../examples/demo/listeners.js')
const { main } = require('../examples/demo/main.js')
const { someAtATime } = require('../examples/demo/measure.js')
const { introduction } = require('../examples/demo/report.js')
const { compare, largest } = require('../examples/demo/results.js')
const { runWithThreads } = require('../examples/demo/runs.js')
const register = require('../examples/demo/thread.js')
const { drawTimeline } = require('../examples/demo/timeline.js')
const { cap, walk } = require('../examples/demo/walk.js')
const { ParallelEventBus } = require('../index.js')

const MAIN = join(__dirname, '../examples/demo/main.js')
const USAGE = 'Usage: npm run demo -- [directory] [--threads n]\n'
const WINDOWS = process.platform === 'win32'

const FILES = {
  empty: Buffer.alloc(0),
  'two-lines.txt': Buffer.from('one\ntwo\n'),
  'no-final-newline.txt': Buffer.from('one\ntwo\nthree'),
  'nested/deeper/binary': Buffer.from(Array.from({ length: 70_000 }, (_, index) => (index * 7) % 256)),
}
const COUNT = Object.keys(FILES).length
const BYTES = Object.values(FILES).reduce((sum, { length }) => sum + length, 0)

let root

before(() => {
  root = mkdtempSync(join(tmpdir(), 'parallel-event-bus-demo-'))
})

after(() => rmSync(root, { recursive: true, force: true }))

/** A directory of its own with `FILES` in it. */
function tree() {
  const directory = mkdtempSync(join(root, 'tree-'))
  mkdirSync(join(directory, 'nested/deeper'), { recursive: true })
  for (const [name, content] of Object.entries(FILES)) writeFileSync(join(directory, name), content)
  return directory
}

function start(...args) {
  return spawn(process.execPath, [MAIN, ...args])
}

async function run(...args) {
  const child = start(...args)
  const outputs = Promise.all([child.stdout, child.stderr].map(text))
  const [code] = await once(child, 'close')
  const [stdout, stderr] = await outputs
  return { code, stdout, stderr }
}

async function text(stream) {
  return (await stream.setEncoding('utf8').toArray()).join('')
}

/** Calls `main` in this process, for what no argument can bring about. */
async function call(args, replaced) {
  const output = { stdout: '', stderr: '' }
  const stream = (name) => ({ write: (chunk) => (output[name] += chunk) })
  const streams = { stdout: stream('stdout'), stderr: stream('stderr') }
  const code = await main(args, { ...streams, listeners: { ...listeners, ...replaced } })
  return { code, ...output }
}

/** The cells of a row of the table, where it has no frame. */
function row(stdout, label) {
  const line = stdout.split('\n').find((each) => each.startsWith(`${label}  `))
  return line
    ?.slice(label.length)
    .trim()
    .split(/\s{2,}/)
}

function both(number) {
  return times(2, number)
}

function times(columns, number) {
  return Array(columns).fill(number.toLocaleString('en-US'))
}

describe('on a tree', () => {
  test('counts files and bytes, agrees with itself, and exits with 0', async () => {
    const { code, stdout, stderr } = await run(tree())
    assert.equal(stderr, '')
    assert.equal(code, 0)
    assert.deepEqual(row(stdout, 'files'), both(COUNT))
    assert.deepEqual(row(stdout, 'bytes'), both(BYTES))
    assert.deepEqual(row(stdout, 'skipped'), ['0', '0'])
    assert.match(stdout, /The event that took longest: /)
    assert.match(stdout, new RegExp(`listenersInvoked: ${3 * COUNT},`))
    assert.match(stdout, new RegExp(`same results for every file they could read \\(${COUNT}\\)`))
  })

  test('says that the speed-up comes from the listeners alone', async () => {
    const { stdout } = await run(tree())
    assert.match(stdout, /one file in flight at a time: a speed-up comes from the listeners of each file alone/)
    assert.doesNotMatch(stdout, /thread [12]|threads|CPU time|cores|▒/)
  })

  test('writes no control characters where there is no terminal', async () => {
    const directory = mkdtempSync(join(root, 'odd-'))
    writeFileSync(join(directory, WINDOWS ? 'file' : 'fi\x1b[31m\nle'), 'content')
    const { stdout } = await run(directory)
    assert.doesNotMatch(stdout.replaceAll('\n', ''), /\p{Cc}/u)
    assert.match(stdout, WINDOWS ? /longest: file,/ : /longest: fi\?\[31m\?le,/)
  })

  test('does not follow symbolic links', { skip: WINDOWS }, async () => {
    const directory = tree()
    symlinkSync(join(directory, 'two-lines.txt'), join(directory, 'link-to-file'))
    symlinkSync(directory, join(directory, 'link-to-directory'))
    const { code, stdout } = await run(directory)
    assert.equal(code, 0)
    assert.deepEqual(row(stdout, 'files'), both(COUNT))
  })

  test('skips a file that may not be read', { skip: WINDOWS || process.getuid() === 0 }, async () => {
    const directory = tree()
    writeFileSync(join(directory, 'secret'), 'secret')
    chmodSync(join(directory, 'secret'), 0)
    const { code, stdout, stderr } = await run(directory)
    assert.equal(stderr, '')
    assert.equal(code, 0)
    assert.deepEqual(row(stdout, 'files'), both(COUNT))
    assert.deepEqual(row(stdout, 'skipped'), ['1', '1'])
  })

  test('leaves out a directory that may not be read', { skip: WINDOWS || process.getuid() === 0 }, async () => {
    const directory = tree()
    mkdirSync(join(directory, 'closed'), { mode: 0 })
    const { code, stdout } = await run(directory)
    assert.equal(code, 0)
    assert.match(stdout, /left out: 1 of its directories/)
    assert.deepEqual(row(stdout, 'files'), both(COUNT))
  })

  test('skips a file that vanishes', async () => {
    const directory = tree()
    const vanishing = join(directory, 'two-lines.txt')
    const sha256 = (path) => {
      rmSync(vanishing, { force: true })
      return listeners.sha256(path)
    }
    const { code, stdout, stderr } = await call([directory], { sha256 })
    assert.equal(stderr, '')
    assert.equal(code, 0)
    assert.deepEqual(row(stdout, 'files'), both(COUNT - 1))
    assert.deepEqual(row(stdout, 'skipped'), ['1', '1'])
    assert.deepEqual(row(stdout, 'bytes'), both(BYTES - FILES['two-lines.txt'].length))
  })

  test('exits with 1 and one line if the runs differ', async () => {
    let calls = 0
    const { code, stderr } = await call([tree()], { lines: async () => calls++ })
    assert.equal(code, 1)
    assert.equal(stderr, `The runs differ in ${COUNT} of ${COUNT} files, first in empty: did it change?\n`)
  })

  test('does not take a bug in a listener for a file that can not be read', async () => {
    const lines = async () => {
      throw new TypeError('a bug')
    }
    await assert.rejects(call([tree()], { lines }), { message: 'a bug' })
  })

  test('has nothing to do in an empty directory', async () => {
    const { code, stdout } = await run(mkdtempSync(join(root, 'empty-')))
    assert.equal(code, 0)
    assert.match(stdout, /: 0 files/)
  })
})

describe('with --threads', () => {
  test('shows the three runs side by side, agrees with itself, and exits with 0', async () => {
    const { code, stdout, stderr } = await run(tree(), '--threads', '2')
    assert.equal(stderr, '')
    assert.equal(code, 0)
    assert.match(stdout, /^ +one after another +through the bus +bus, 2 threads$/m)
    assert.deepEqual(row(stdout, 'files'), times(3, COUNT))
    assert.deepEqual(row(stdout, 'bytes'), times(3, BYTES))
    assert.deepEqual(row(stdout, 'skipped'), times(3, 0))
    assert.equal(row(stdout, 'cores in use').length, 3)
    assert.match(stdout, /^All runs have 16 files in flight at a time/m)
    assert.match(stdout, /^The largest file: nested.deeper.binary, /m)
    // Which listener ran in which thread.
    for (const each of [/^ {2}sha256, thread [12] /m, /^ {2}lines, here /m, /^ {2}gzip, thread [12] /m]) {
      assert.match(stdout, each)
    }
    const [, ...lines] = stdout.split('\n')
    assert.ok(lines.every((line) => line.length <= 80))
    assert.match(stdout, new RegExp(`All 3 runs have the same results for every file they could read \\(${COUNT}\\)`))
    assert.match(stdout, new RegExp(`listenersInvoked: ${3 * COUNT},`))
  })

  test('has the results of the threads', async () => {
    const { files } = await walk(tree())
    const { events } = await runWithThreads(files, listeners, { threads: 2, inFlight: 3, onFile() {} })
    assert.deepEqual(Array.from(events.keys()), files)
    for (const [{ path }, { results, spans }] of events) {
      for (const [name, listener] of Object.entries(listeners)) {
        assert.equal(results[name], await listener(path), `${name} of ${path}`)
        assert.equal(spans[name].thread === 0, name === 'lines')
        assert.ok(spans[name].start <= spans[name].end)
      }
    }
  })

  test('has the spans of the threads on the clock of this one', async () => {
    const { files } = await walk(tree())
    const { events } = await runWithThreads(files, listeners, { threads: 1, inFlight: 1, onFile() {} })
    for (const { start, end, spans } of events.values()) {
      for (const span of Object.values(spans)) assert.ok(start <= span.start && span.end <= end)
    }
  })

  test('compares them with those of the other runs', async () => {
    const { code, stderr } = await call([tree(), '--threads', '1'], { sha256: async () => 'wrong' })
    assert.equal(code, 1)
    assert.equal(stderr, `The runs differ in ${COUNT} of ${COUNT} files, first in empty: did it change?\n`)
  })

  test('skips a file that only the threads can not read', async () => {
    const directory = tree()
    const path = join(directory, 'two-lines.txt')
    const { files } = await walk(directory)
    const lines = async () => rmSync(path, { force: true })
    const { events } = await runWithThreads(files, { ...listeners, lines }, { threads: 1, inFlight: 1, onFile() {} })
    assert.deepEqual(
      Array.from(events.values(), ({ skipped }) => skipped),
      files.map((file) => file.path === path),
    )
  })

  test('skips a file that vanished before', async () => {
    const directory = tree()
    const sha256 = (path) => {
      rmSync(join(directory, 'two-lines.txt'), { force: true })
      return listeners.sha256(path)
    }
    const { code, stdout, stderr } = await call([directory, '--threads', '2'], { sha256 })
    assert.equal(stderr, '')
    assert.equal(code, 0)
    assert.deepEqual(row(stdout, 'skipped'), times(3, 1))
    assert.deepEqual(row(stdout, 'files'), times(3, COUNT - 1))
  })

  test('does not take a bug in a listener for a file that can not be read', async () => {
    const { files } = await walk(tree())
    const lines = async () => {
      throw new TypeError('a bug')
    }
    const running = runWithThreads(files, { ...listeners, lines }, { threads: 1, inFlight: 2, onFile() {} })
    await assert.rejects(running, { message: 'a bug' })
  })

  test('leaves it to who asked to speak of a file that can not be read', async (t) => {
    const warned = t.mock.method(process, 'emitWarning', () => {})
    const bus = new ParallelEventBus()
    register(bus)
    bus.emit('gzip', join(root, 'missing'))
    await bus.close()
    assert.equal(bus.getStats().listenersFailed, 1)
    assert.equal(warned.mock.callCount(), 0)
  })

  test('a file is the same read in one go, however large', async () => {
    const directory = mkdtempSync(join(root, 'sizes-'))
    for (const size of [0, 1, 262_143, 262_144, 262_145, 600_000]) {
      const path = join(directory, String(size))
      writeFileSync(path, Buffer.from(Array.from({ length: size }, (_, index) => (index * index) % 251)))
      assert.equal(await blocking.sha256(path), await listeners.sha256(path), `sha256 of ${size} bytes`)
      assert.equal(await blocking.gzip(path), await listeners.gzip(path), `gzip of ${size} bytes`)
    }
  })
})

describe('arguments', () => {
  test('a missing directory: exit code 2 and one line', async () => {
    const missing = join(root, 'missing')
    assert.deepEqual(await run(missing), {
      code: 2,
      stdout: '',
      stderr: `Can not read '${missing}': no such directory\n`,
    })
  })

  test('a file: exit code 2 and one line', async () => {
    const file = join(tree(), 'two-lines.txt')
    assert.deepEqual(await run(file), { code: 2, stdout: '', stderr: `Can not read '${file}': not a directory\n` })
  })

  test('an unknown option, or one argument too many: exit code 2 and the usage', async () => {
    for (const args of [['--fast'], [root, root]]) {
      assert.deepEqual(await run(...args), { code: 2, stdout: '', stderr: USAGE })
    }
  })

  test('--threads that is no number of threads: exit code 2 and the usage', async () => {
    for (const threads of ['0', 'x', '', '1.5', '-1', '1e1', '17']) {
      assert.deepEqual(await call([root, `--threads=${threads}`]), { code: 2, stdout: '', stderr: USAGE }, threads)
    }
    assert.deepEqual(await run(root, '--threads'), { code: 2, stdout: '', stderr: USAGE })
  })

  test('--help: exit code 0 and the usage', async () => {
    const { code, stdout, stderr } = await run('--help')
    assert.equal(code, 0)
    assert.equal(stderr, '')
    assert.ok(stdout.startsWith(USAGE))
    assert.match(stdout, /--threads n .* 1 to 16 worker threads/)
  })
})

describe('ends early', () => {
  test('quietly, when nobody reads on', async () => {
    const child = start(tree())
    child.stdout.destroy()
    const [stderr] = await Promise.all([text(child.stderr), once(child, 'close')])
    assert.equal(stderr, '')
    assert.equal(child.exitCode, 0)
  })

  test('with 130, at Ctrl-C', { skip: WINDOWS }, async () => {
    const directory = tree()
    const large = join(directory, 'large')
    writeFileSync(large, '')
    // Without blocks on the disk, and far from done when the signal comes.
    truncateSync(large, 2 ** 32)
    const child = start(directory)
    await once(child.stdout, 'data')
    child.kill('SIGINT')
    const [code] = await once(child, 'exit')
    assert.equal(code, 130)
  })

  test('with 130, at Ctrl-C while the threads work', { skip: WINDOWS }, async () => {
    const child = start(tree(), '--threads', '2')
    for await (const chunk of child.stdout.setEncoding('utf8').iterator({ destroyOnReturn: false })) {
      if (chunk.includes('Pass: bus, 2 threads')) break
    }
    child.kill('SIGINT')
    const [code] = await once(child, 'exit')
    assert.equal(code, 130)
  })
})

test('the listeners compute what they say', async () => {
  const directory = tree()
  const lines = { empty: 0, 'two-lines.txt': 2, 'no-final-newline.txt': 3 }
  for (const [name, content] of Object.entries(FILES)) {
    const path = join(directory, name)
    assert.equal(await listeners.sha256(path), createHash('sha256').update(content).digest('hex'), name)
    assert.equal(await listeners.gzip(path), gzipSync(content).length, name)
    if (name in lines) assert.equal(await listeners.lines(path), lines[name], name)
  }
  // More than one chunk of a stream, the last of them without a newline at its end.
  const content = FILES['nested/deeper/binary']
  assert.notEqual(content.at(-1), 0x0a)
  const expected = content.filter((byte) => byte === 0x0a).length + 1
  assert.equal(await listeners.lines(join(directory, 'nested/deeper/binary')), expected)
})

test('the walk finds every file once, in the same order each time', async () => {
  const directory = tree()
  const { files, unreadable } = await walk(directory)
  const names = ['empty', 'no-final-newline.txt', 'two-lines.txt', 'nested/deeper/binary']
  assert.equal(unreadable, 0)
  assert.deepEqual(
    files,
    names.map((name) => ({ path: join(directory, name), size: FILES[name].length })),
  )
})

test('the cap keeps the files that fit', () => {
  const files = [3, 5, 1, 1, 1].map((size) => ({ size }))
  assert.deepEqual(cap(files, { maxFiles: 3, maxBytes: 6 }), [files[0], files[2], files[3]])
  assert.deepEqual(cap(files, { maxFiles: 9, maxBytes: 99 }), files)
})

test('the introduction says that files were left out', () => {
  const tree = { directory: 'tree', files: [{ size: 1e6 }], unreadable: 0, names: ['lines'] }
  assert.match(introduction({ ...tree, found: 2 })[1], /a part of its 2 files: name a directory/)
  assert.ok(introduction({ ...tree, found: 1 }).every((line) => !line.includes('a part of')))
})

describe('compare', () => {
  const one = { path: 'one' }
  const two = { path: 'two' }
  const runOf = (...events) => ({ events: new Map(events) })
  const read = (results) => ({ skipped: false, results })
  const skipped = { skipped: true, results: {} }

  test('finds nothing where all results are the same', () => {
    const runs = [runOf([one, read({ lines: 1 })]), runOf([one, read({ lines: 1 })])]
    assert.deepEqual(compare(...runs), { compared: 1, different: [] })
  })

  test('finds a result that differs, is missing, or belongs to no event', () => {
    const first = runOf([one, read({ lines: 1, gzip: 2 })])
    assert.deepEqual(compare(first, runOf([one, read({ lines: 1, gzip: 3 })])).different, [one])
    assert.deepEqual(compare(first, runOf([one, read({ lines: 1 })])).different, [one])
    assert.deepEqual(compare(first, runOf()).different, [one])
  })

  test('does not compare what either run could not read', () => {
    const runs = [runOf([one, skipped], [two, read({ lines: 1 })]), runOf([one, read({ lines: 1 })], [two, skipped])]
    assert.deepEqual(compare(...runs), { compared: 0, different: [] })
  })
})

test('the largest file is one that every run could read', () => {
  const [one, two, three] = [3, 9, 5].map((size) => ({ size }))
  const read = { skipped: false }
  const runOf = (...events) => ({ events: new Map(events) })
  const runs = [
    runOf([one, read], [two, read], [three, read]),
    runOf([one, read], [two, { skipped: true }], [three, read]),
  ]
  assert.equal(largest(...runs), three)
  assert.equal(largest(runOf(), runOf()), undefined)
})

describe('some at a time', () => {
  test('is so many, as long as there are more', async () => {
    let [running, most] = [0, 0]
    const done = []
    await someAtATime(3, [1, 2, 3, 4, 5], async (item) => {
      most = Math.max(most, ++running)
      await new Promise(setImmediate)
      running--
      done.push(item)
    })
    assert.equal(most, 3)
    assert.deepEqual(done, [1, 2, 3, 4, 5])
  })

  test('starts none after one has failed', async () => {
    const started = []
    const work = async (item) => {
      started.push(item)
      await new Promise(setImmediate)
      if (item === 2) throw new Error('two')
    }
    await assert.rejects(someAtATime(2, [1, 2, 3, 4, 5], work), { message: 'two' })
    await new Promise((resolve) => setTimeout(resolve, 10))
    assert.deepEqual(started, [1, 2, 3])
  })
})

describe('the rows of a timeline', () => {
  const span = (start, end, thread) => ({ start, end, thread })

  test('are the listeners, where no thread is known', () => {
    const event = { start: 100, end: 130, spans: { lines: { start: 110, end: 120 } } }
    assert.deepEqual(rowsOf({ events: new Map([['file', event]]) }, event), [
      { name: 'lines', span: { start: 10, end: 20 } },
    ])
  })

  test('have what else the thread did meanwhile, and the threads that had no part', () => {
    const event = { start: 100, end: 130, spans: { sha256: span(110, 120, 2), lines: span(100, 101, 0) } }
    const other = { start: 90, end: 150, spans: { sha256: span(90, 105, 2), gzip: span(125, 150, 1) } }
    const later = { start: 130, end: 170, spans: { sha256: span(150, 170, 3) } }
    const events = new Map([event, other, later].map((each, index) => [index, each]))
    assert.deepEqual(rowsOf({ events }, event), [
      { name: 'sha256, thread 2', span: { start: 10, end: 20 }, others: [{ start: -10, end: 5 }] },
      { name: 'lines, here', span: { start: 0, end: 1 }, others: [] },
      { name: 'thread 1', others: [{ start: 25, end: 30 }] },
      { name: 'thread 3', others: [] },
    ])
  })

  test('have two listeners in one thread beside each other', () => {
    const event = { start: 0, end: 9, spans: { sha256: span(1, 2, 1), gzip: span(2, 9, 1) } }
    assert.deepEqual(
      rowsOf({ events: new Map([['file', event]]) }, event).map(({ others }) => others),
      [[{ start: 2, end: 9 }], [{ start: 1, end: 2 }]],
    )
  })
})

describe('the timeline', () => {
  const plain = (_colour, text) => text
  const rows = (spans) => Object.entries(spans).map(([name, span]) => ({ name, span }))
  const runs = [
    {
      name: 'one after another',
      rows: rows({ sha256: { start: 0, end: 250 }, lines: { start: 250, end: 500 }, gzip: { start: 500, end: 1000 } }),
    },
    {
      name: 'through the bus',
      rows: rows({ sha256: { start: 0, end: 250 }, lines: { start: 0, end: 300 }, gzip: { start: 0, end: 600 } }),
    },
  ]

  test('puts both runs on one axis', () => {
    assert.deepEqual(drawTimeline(runs, { columns: 38, paint: plain }), [
      'one after another',
      '  sha256  █████                 250 ms',
      '  lines        █████            250 ms',
      '  gzip              ██████████  500 ms',
      'through the bus',
      '  sha256  █████                 250 ms',
      '  lines   ██████                300 ms',
      '  gzip    ████████████          600 ms',
      '          0             1.00 s',
    ])
  })

  test('is as wide as the terminal', () => {
    for (const columns of [40, 80, 200]) {
      const widths = drawTimeline(runs, { columns, paint: plain }).map((line) => line.length)
      assert.equal(Math.max(...widths), columns)
    }
  })

  test('can be drawn on the narrowest terminal', () => {
    const lines = drawTimeline(runs, { columns: 1, paint: plain })
    assert.equal(lines[1], '  sha256  ███         250 ms')
  })

  test('shows a listener that took no time, wherever it is', () => {
    const spans = { at: { start: 0, end: 0 }, end: { start: 10, end: 10 } }
    const lines = drawTimeline([{ name: 'run', rows: rows(spans) }], { columns: 26, paint: plain })
    assert.deepEqual(lines.slice(1, 3), ['  at   █           0.00 ms', '  end           █  0.00 ms'])
    const still = drawTimeline([{ name: 'run', rows: rows({ at: spans.at }) }], { columns: 26, paint: plain })
    assert.match(still[1], /^ {2}at {2}█ +0\.00 ms$/)
  })

  test('shades what else a thread did, in proportion, and never over the bar', () => {
    const threaded = {
      name: 'threads',
      rows: [
        {
          name: 'gzip',
          span: { start: 40, end: 80 },
          others: [
            { start: -5, end: 50 },
            { start: 90, end: 95 },
          ],
        },
        { name: 'idle', others: [] },
        {
          name: 'busy',
          others: [
            { start: 0, end: 49 },
            { start: 51, end: 100 },
          ],
        },
        { name: 'last', span: { start: 90, end: 100 } },
      ],
    }
    assert.deepEqual(drawTimeline([threaded], { columns: 28, paint: plain }), [
      'threads',
      '  gzip  ▒▒▒▒████    40.00 ms',
      '  idle',
      '  busy  ▒▒▒▒▒▒▒▒▒▒',
      '  last           █  10.00 ms',
      '        0   100 ms',
    ])
  })

  test('colours nothing but names and bars', () => {
    const painted = drawTimeline(runs, { columns: 38, paint: (colour, text) => `<${colour}>${text}</>` })
    assert.equal(painted[0], '<bold>one after another</>')
    assert.equal(painted[2], '  lines        <yellow>█████</>            250 ms')
    assert.deepEqual(
      painted.map((line) => line.replace(/<.*?>/g, '')),
      drawTimeline(runs, { columns: 38, paint: plain }),
    )
  })
})
