'use strict'

// The numbers that are told are those of the run they claim to be of.

const assert = require('node:assert/strict')
const { readFileSync } = require('node:fs')
const path = require('node:path')
const { test } = require('node:test')

const root = path.join(__dirname, '../..')
const read = (file) => readFileSync(path.join(root, file), 'utf8')

/** Formatting pads the cells of a table. */
const unpadded = (text) =>
  text
    .replace(/ {2,}/g, ' ')
    .replace(/-{3,}/g, '---')
    .replace(/\n{2,}/g, '\n\n')

test('README, docs/benchmarks.md and the charts have the numbers of docs/benchmarks.json', async () => {
  const { report } = await import('../../benches/js/report/main.mjs')
  const files = Object.entries(report())
  assert.ok(files.length > 2)
  for (const [file, content] of files) {
    assert.equal(unpadded(read(file)), unpadded(content), `${file} is old: npm run bench:report`)
  }
})

test('docs/benchmarks.md shows every chart, and names commands that exist', async () => {
  const page = read('docs/benchmarks.md')
  const { report } = await import('../../benches/js/report/main.mjs')
  const charts = Object.keys(report()).filter((file) => file.endsWith('.svg'))
  assert.deepEqual([...page.matchAll(/]\((charts\/.*?)\)/g)].map(([, file]) => `docs/${file}`).sort(), charts.sort())
  const { scripts } = require('../../package.json')
  for (const [, name] of page.matchAll(/npm run ([\w:]+)/g)) assert.ok(name in scripts, `npm run ${name}`)
})

test('every ratio says how many times as fast the bus is', () => {
  for (const { lines } of JSON.parse(read('docs/benchmarks.json')).results) {
    for (const { id, ours, theirs, ratio, ratioUnit, goal } of lines) {
      if (ours == null || ratio === null) continue
      assert.equal(goal.atMost, undefined, id)
      const asFast = theirs.median / ours.median
      const [lowest, highest] = [ratio.p10, ratio.p90].map((value) => (ratioUnit === ' %' ? value / 100 : value))
      assert.ok(lowest * 0.5 <= asFast && asFast <= highest * 2, `${id}: ${asFast} is not ${lowest} – ${highest}`)
    }
  }
  for (const file of ['README.md', 'docs/benchmarks.md']) assert.doesNotMatch(read(file), /× (the (time|cost)|faster)/)
})

test('every group of rows between threads states its payload', () => {
  const groups = require('../../benches/js/rows/index.js')
  const between = groups.filter(({ title }) => /\b(threads?|channel)\b|by kind of payload/.test(title))
  const remote = between.filter(({ title }) => !title.includes('within a thread'))
  assert.ok(remote.length > 5)
  for (const { title, payload } of remote) assert.ok(payload, title)
})

test('the run was whole and of a commit, and each goal that it missed has a reason', () => {
  const { budget } = require('../../benches/js/budget.js')
  const { machine, quick, results } = JSON.parse(read('docs/benchmarks.json'))
  assert.equal(quick, false)
  assert.match(machine.commit, /^[0-9a-f]{12}/)
  assert.deepEqual(
    results.flatMap(({ lines }) => lines).filter(({ error }) => error !== undefined),
    [],
  )
  const missed = budget(results).filter(({ met }) => !met)
  assert.deepEqual(
    missed.filter(({ reason }) => reason === null),
    [],
  )
})
