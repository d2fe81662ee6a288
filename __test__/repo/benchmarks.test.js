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

/** The charts, by file and in the colours of both themes. */
async function charts() {
  const { report } = await import('../../benches/js/report/main.mjs')
  return Object.keys(report()).filter((file) => file.endsWith('.svg'))
}

test('docs/benchmarks.md shows every chart, light and dark, and names commands that exist', async () => {
  const page = read('docs/benchmarks.md')
  const shown = [...page.matchAll(/(?:srcset|src)="(charts\/.*?)"/g)].map(([, file]) => `docs/${file}`)
  assert.deepEqual(shown.sort(), (await charts()).sort())
  for (const [, dark, light] of page.matchAll(/dark\)" srcset="(.*?)">\s*<img [^>]*src="(.*?)">/g)) {
    assert.equal(dark, light.replace('-light.svg', '-dark.svg'))
  }
  const { scripts } = require('../../package.json')
  for (const [, name] of page.matchAll(/npm run ([\w:]+)/g)) assert.ok(name in scripts, `npm run ${name}`)
})

test('every colour of a chart has a contrast of at least 4.5 to its background, the pages of GitHub', async () => {
  for (const file of await charts()) {
    const svg = read(file)
    const [, background] = svg.match(/<rect width="100%" height="100%" fill="(#\w{6})">/)
    assert.equal(background, file.endsWith('-dark.svg') ? '#0d1117' : '#ffffff', file)
    const drawn = svg.replace(/<rect width="100%"[^>]*>/, '')
    const colours = new Set([...drawn.matchAll(/\b(?:fill|stroke)(?:="|:\s*)([^";]+)/g)].map(([, colour]) => colour))
    colours.delete('none')
    assert.ok(colours.size > 1, file)
    for (const colour of colours) {
      assert.ok(contrast(colour, background) >= 4.5, `${file}: ${colour} on ${background}`)
    }
    // A colour that lets the background through is another one.
    assert.doesNotMatch(drawn, /opacity="(?!1")/, file)
  }
})

/** As WCAG 2 defines it: of two colours as `#rrggbb`. */
function contrast(one, other) {
  const [light, dark] = [luminance(one), luminance(other)].sort((a, b) => b - a)
  return (light + 0.05) / (dark + 0.05)
}

function luminance(colour) {
  assert.match(colour, /^#[\da-f]{6}$/)
  const [red, green, blue] = [1, 3, 5]
    .map((at) => Number.parseInt(colour.slice(at, at + 2), 16) / 255)
    .map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4))
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue
}

test('every chart says which way is better, and which of its axes are logarithmic', async () => {
  for (const file of await charts()) {
    const svg = read(file)
    const isOfBars = svg.includes('aria-label="bar"')
    const said = isOfBars
      ? /(shorter|longer) is better/
      : /lower is better; (both axes are|the (horizontal|vertical) axis is) (linear|logarithmic)/
    assert.match(svg, said, file)
  }
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
