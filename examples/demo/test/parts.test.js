'use strict'

// Parts of the demo that need neither a clock nor a terminal.

const assert = require('node:assert/strict')
const { createHash } = require('node:crypto')
const { mkdirSync, mkdtempSync, rmSync, writeFileSync } = require('node:fs')
const { tmpdir } = require('node:os')
const { join } = require('node:path')
const { describe, test } = require('node:test')
const { gzipSync } = require('node:zlib')
const { choose, repeat, roundsFor } = require('../job.js')
const variants = require('../listeners.js')
const { someAtATime } = require('../measure.js')
const { remarks } = require('../report.js')
const { compare } = require('../results.js')
const { drawTimeline } = require('../timeline.js')
const { walk } = require('../walk.js')

describe('the files', () => {
  const kilobytes = (...sizes) => sizes.map((size) => ({ size: size * 1024 }))
  const sizes = ({ files }) => files.map(({ size }) => size / 1024)

  test('are none that decides alone, by default', () => {
    const found = kilobytes(1, 8, 300, 256, 60, 0)
    assert.deepEqual(sizes(choose(found, { named: false })), [256, 60, 8])
    assert.equal(choose(found, { named: false }).found, 6)
  })

  test('are those of a directory that is named, but for huge ones', () => {
    assert.deepEqual(sizes(choose(kilobytes(0, 300, 16 * 1024 + 1, 1), { named: true })), [300, 1, 0])
  })

  test('are taken so often that the first run takes its time, and once at least', () => {
    assert.equal(roundsFor(1000), 4)
    assert.equal(roundsFor(0.5), 8000)
    assert.equal(roundsFor(60_000), 1)
    assert.deepEqual(repeat(['a', 'b'], 2), ['a', 'b', 'a', 'b'])
  })

  test('are found in the same order each time', async (t) => {
    const directory = mkdtempSync(join(tmpdir(), 'demo-walk-'))
    t.after(() => rmSync(directory, { recursive: true }))
    mkdirSync(join(directory, 'a/b'), { recursive: true })
    const names = ['x', 'y', 'a/z', 'a/b/c']
    for (const name of names) writeFileSync(join(directory, name), name)
    const files = names.map((name) => ({ path: join(directory, name), size: name.length }))
    assert.deepEqual(await walk(directory), { files, unreadable: 0 })
  })
})

test('the listeners compute the same, whether they block or not', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'demo-listeners-'))
  t.after(() => rmSync(directory, { recursive: true }))
  const contents = [
    ['', 0],
    ['one\ntwo\n', 2],
    ['one\n\nthree', 3],
  ]
  for (const [index, [content, lines]] of contents.entries()) {
    const path = join(directory, String(index))
    writeFileSync(path, content)
    for (const { sha256, lines: count, gzip } of Object.values(variants)) {
      assert.equal(await sha256(path), createHash('sha256').update(content).digest('hex'))
      assert.equal(await count(path), lines)
      assert.equal(await gzip(path), gzipSync(content).length)
    }
  }
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
    const ended = []
    const work = async (item) => {
      started.push(item)
      await new Promise(setImmediate)
      if (item === 2) throw new Error('two')
      ended.push(item)
    }
    await assert.rejects(someAtATime(2, [1, 2, 3, 4, 5], work), { message: 'two' })
    while (ended.length < 2) await new Promise(setImmediate)
    assert.deepEqual(
      [started, ended],
      [
        [1, 2, 3],
        [1, 3],
      ],
    )
  })
})

describe('a comparison', () => {
  const read = (results) => ({ file: 'x', skipped: false, results })
  const skipped = { file: 'x', skipped: true, results: {} }
  const runOf = (...events) => ({ events })

  test('finds results that differ or are missing', () => {
    const first = runOf(read({ lines: 1 }), read({ lines: 2 }))
    assert.deepEqual(compare(first, first, first), { compared: 2, different: [] })
    assert.deepEqual(compare(first, first, runOf(read({ lines: 1 }), read({ lines: 3 }))).different, ['x'])
    assert.deepEqual(compare(first, runOf(read({}), read({ lines: 2 }))).different, ['x'])
  })

  test('leaves out files that a run could not read', () => {
    const runs = [runOf(skipped, read({ lines: 1 })), runOf(read({ lines: 1 }), skipped)]
    assert.deepEqual(compare(...runs), { compared: 0, different: [] })
  })
})

describe('the remarks', () => {
  const runs = (time) => [{ time, events: [] }]
  const told = (free, time = 4000) =>
    remarks(runs(time), { threads: 2, inFlight: 6, rounds: 3, files: 9, cores: { of: 2, free } }).join('\n')

  test('say how much of the machine was free, and explain it', () => {
    assert.match(told(1.97), /had 1\.97 of 2 cores free for the demo\.$/)
    assert.doesNotMatch(told(1.97), /busy|idle/)
    assert.match(
      told(1.2),
      /is busy: it had 1\.20 of 2 cores free for the demo\. The speed-ups\nare not those of an idle/,
    )
  })

  test('say that a run was too short', () => {
    assert.match(told(1.97, 12), /took 12\.00 ms: too short/)
    assert.doesNotMatch(told(1.97), /too short/)
  })
})

describe('the timeline', () => {
  const plain = (_colour, text) => text
  const span = (start, end) => ({ start, end })
  const runs = [
    {
      name: 'one after another',
      rows: [
        { name: 'a.js', span: span(0, 50), work: [span(0, 20), span(20, 50)] },
        { name: 'b.js', span: span(50, 100), work: [span(50, 70), span(70, 100)] },
      ],
    },
    {
      name: 'through the bus',
      rows: [
        { name: 'a.js', span: span(0, 40), work: [span(0, 20), span(0, 30), span(0, 10)] },
        { name: 'b.js', span: span(0, 60), work: [span(20, 60), span(20, 60), span(20, 60), span(50, 60)] },
      ],
    },
  ]

  test('draws overlapping spans beside each other, darker where listeners of one file overlap', () => {
    assert.deepEqual(drawTimeline(runs, { columns: 28, paint: plain }), [
      'one after another     100 ms',
      '  a.js  ▒▒▒▒▒▒▒▒▒▒',
      '  b.js            ▒▒▒▒▒▒▒▒▒▒',
      'through the bus     60.00 ms',
      '  a.js  ██▓▓▒▒··',
      '  b.js  ····████████',
      '        0             100 ms',
    ])
  })

  test('is as wide as the terminal, and can be drawn on the narrowest one', () => {
    for (const columns of [40, 80, 200]) {
      const widths = drawTimeline(runs, { columns, paint: plain }).map((line) => line.length)
      assert.equal(Math.max(...widths), columns)
    }
    assert.equal(drawTimeline(runs, { columns: 1, paint: plain })[1], '  a.js  ▒▒▒▒▒')
  })

  test('shows a file that took no time, wherever it is', () => {
    const rows = [
      { name: 'at', span: span(0, 0), work: [] },
      { name: 'end', span: span(10, 10), work: [] },
    ]
    const lines = drawTimeline([{ name: 'run', rows }], { columns: 17, paint: plain })
    assert.deepEqual(lines.slice(1, 3), ['  at   ·', '  end           ·'])
    assert.equal(drawTimeline([{ name: 'run', rows: rows.slice(0, 1) }], { columns: 17, paint: plain })[1], '  at  ·')
  })

  test('keeps the end of a long name, without its control characters', () => {
    const rows = [{ name: `directory/\x1b/${'x'.repeat(22)}`, span: span(0, 1), work: [] }]
    const [, line] = drawTimeline([{ name: 'run', rows }], { columns: 60, paint: plain })
    assert.match(line, /^ {2}…\/x{22} +·+$/)
  })

  test('colours nothing but names and bars', () => {
    const painted = drawTimeline(runs, { columns: 28, paint: (colour, text) => `<${colour}>${text}</>` })
    assert.equal(painted[0], '<bold>one after another</>     100 ms')
    assert.equal(painted[5], '  b.js  <cyan>····████████</>')
    assert.deepEqual(
      painted.map((line) => line.replace(/<.*?>/g, '')),
      drawTimeline(runs, { columns: 28, paint: plain }),
    )
  })
})
