'use strict'

// One thing has one word, in Rust and JavaScript alike. Words that a thing had before it got that one stay away.

const assert = require('node:assert/strict')
const { readFileSync, readdirSync } = require('node:fs')
const path = require('node:path')
const { test } = require('node:test')

const ROOT = path.join(__dirname, '../..')
const PLACES = ['src', 'lib', 'tests', 'benches/rust', 'index.js', 'index.d.ts', 'ARCHITECTURE.md', 'CONTRIBUTING.md']

/** As parts of names and as words of comments. A dead letter is the field's own term, and public. */
const GONE = {
  'message or notice': /(?<!dead[ -]?)letter/i,
  batch: /packet/i,
  burst: /unsent/i,
  cancel: /withdr[ae]w/i,
  capacity: /quota/i,
  timer: /deadline/i,
  'run queue': /outbox/i,
  link: /inbox/i,
  member: /membership/i,
  tracker: /dispatcher/i,
  waker: /doorbell|nudge/i,
  request: /to_one|toOne|TO_ONE/,
}

function* filesIn(place) {
  const whole = path.join(ROOT, place)
  if (/\.\w+$/.test(place)) {
    yield place
    return
  }
  for (const file of readdirSync(whole, { recursive: true })) if (/\.(rs|js)$/.test(file)) yield path.join(place, file)
}

test('no word is left that a thing had before', () => {
  const left = PLACES.flatMap((place) => [...filesIn(place)]).flatMap((file) =>
    readFileSync(path.join(ROOT, file), 'utf8')
      .split('\n')
      .flatMap((line, index) =>
        Object.entries(GONE)
          .filter(([, word]) => word.test(line))
          .map(([now]) => `${file}:${index + 1} should say ${now}: ${line.trim()}`),
      ),
  )
  assert.deepEqual(left, [])
})
