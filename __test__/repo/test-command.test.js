'use strict'

// The report of `npm test`: each failure in full, and one summary.

const assert = require('node:assert/strict')
const { spawnSync } = require('node:child_process')
const { mkdtempSync, rmSync, writeFileSync } = require('node:fs')
const { tmpdir } = require('node:os')
const path = require('node:path')
const { test } = require('node:test')
const { countsIn, failuresIn } = require('../../scripts/test/cargo.js')
const { testFiles } = require('../../scripts/test/files.js')
const { countsOf, summary } = require('../../scripts/test/summary.js')

const RUNNER = path.join(__dirname, '../../scripts/test/javascript.js')

const FILES = {
  'mixed.test.js': `
    const { describe, test } = require('node:test')
    console.log('printed by mixed')
    test('passes', () => {})
    test('is skipped', { skip: true }, () => {})
    test('is known to fail', { todo: true }, () => { throw new Error('of the known') })
    describe('outer', () => test('inner', () => { throw new Error('of the inner', { cause: new Error('the cause') }) }))`,
  'passing.test.js': `
    console.log('printed by passing')
    require('node:test').test('passes, too', () => globalThis.gc())`,
  'crashing.test.js': `throw new Error('at load')`,
}

/** Runs `FILES` in a process of its own, because a test runner does not start within another. */
function run(t) {
  const folder = mkdtempSync(path.join(tmpdir(), 'test-command-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const files = Object.entries(FILES).map(([name, code]) => {
    writeFileSync(path.join(folder, name), code)
    return path.join(folder, name)
  })
  const program = path.join(folder, 'run.js')
  const code = `
    const reports = []
    const options = { report: (text) => reports.push(text), progress() {} }
    require(${JSON.stringify(RUNNER)}).runFiles(${JSON.stringify(files)}, options).then((counts) =>
      console.log(JSON.stringify({ counts, report: reports.join('\\n') })))`
  writeFileSync(program, code)
  const { NODE_TEST_CONTEXT, ...env } = process.env
  const { stdout, stderr } = spawnSync(process.execPath, ['--expose-gc', program], { encoding: 'utf8', env })
  assert.equal(stderr, '')
  return JSON.parse(stdout)
}

test('JavaScript: tests are counted, and those that fail reported in full', (t) => {
  const { counts, report } = run(t)
  assert.deepEqual(counts, countsOf({ pass: 2, fail: 2, skipped: 1, todo: 1 }))
  for (const part of ['outer › inner', /mixed\.test\.js:\d+:\d+/, 'Error: of the inner', 'Error: the cause']) {
    assert.match(report, new RegExp(part))
  }
  assert.match(report, /crashing\.test\.js: the process ended with 1/)
  assert.match(report, /Error: at load/)
  assert.match(report, /printed by mixed/)
  assert.doesNotMatch(report, /of the known|printed by passing|subtest/)
})

const CARGO = `
running 2 tests
..
test result: ok. 2 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.01s

running 1 test
settles --- FAILED
thread 'settles' panicked at tests/x.rs:1:1
test result: FAILED. 0 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.01s

error: test failed, to rerun pass \`--test x\`
running 3 tests
error: process did not exit successfully (signal: 6)

running 4 tests
....
test result: ok. 4 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.01s
`

test('Rust: tests are counted, and programs that fail or crash reported in full', () => {
  assert.deepEqual(countsIn(CARGO), countsOf({ pass: 6, fail: 1, skipped: 1 }))
  const report = failuresIn(CARGO)
  assert.match(report, /thread 'settles' panicked/)
  assert.match(report, /signal: 6/)
  assert.doesNotMatch(report, /: ok/)
})

test('the summary has a line for each part, and the totals as node prints them', () => {
  const rust = { name: 'rust', took: 30_000, ...countsOf({ pass: 5 }) }
  const js = { name: 'js', took: 90_000, ...countsOf({ pass: 7, skipped: 1, todo: 2 }) }
  const passed = summary([rust, js], { quick: false })
  assert.match(passed, /^rust +30 s +5 passed$/m)
  assert.match(passed, /^js +1\.5 min +7 passed, 1 skipped, 2 known to fail$/m)
  assert.match(passed, /^# tests 15\n# pass 12\n# fail 0\n# skipped 1\n# todo 2$/m)
  assert.match(passed, /^All passed\. It took 2\.0 min\.$/m)
  assert.match(summary([{ ...rust, ...countsOf({ pass: 5, fail: 1 }) }], { quick: true }), /^1 failed, see above\./m)
})

test('every file of tests is found; a quick run has fewer', () => {
  const [all, quick] = [false, true].map((quick) => testFiles({ quick }))
  assert.ok(all.includes(__filename))
  assert.ok(quick.length > 10 && quick.length < all.length)
  assert.ok(quick.every((file) => all.includes(file)))
  assert.equal(new Set(all).size, all.length)
})
