'use strict'

// The soak, for a moment; and that it would say so if something were wrong.

const assert = require('node:assert/strict')
const { spawnSync } = require('node:child_process')
const path = require('node:path')
const { test } = require('node:test')
const { Checks } = require('../../scripts/soak/checks.js')
const { growthOf } = require('../../scripts/soak/growth.js')
const { Ledger } = require('../../scripts/soak/ledger.js')
const { makeListener } = require('../../scripts/soak/listeners.js')
const { Random } = require('../../scripts/soak/random.js')
const { Numbers } = require('../../scripts/soak/watch.js')

const MAIN = path.join(__dirname, '../../scripts/soak/main.js')

/** A listener that only checks its arguments, and the violations that were told so far. */
function checking(event) {
  const ledger = new Ledger()
  const told = []
  const checks = { violated: (what) => told.push(what) }
  const random = new Random(1)
  random.weighted = () => 'quick'
  return { told, ...makeListener({ random, ledger, checks, thread: 0 }, event) }
}

const nothing = { kind: 'nothing', size: 1, value: undefined }
const mark = (sequence, about) => ({ bus: 1, thread: 1, sequence, event: sequence, isCounted: true, ...about })

test('a soak of a moment finds nothing, and reports its work', { timeout: 120_000 }, () => {
  const args = [MAIN, '--seconds', '2', '--seed', '7']
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' })
  assert.equal(status, 0, stdout + stderr)
  assert.match(stdout, /^seed 7, 2 s$/m)
  assert.match(stdout, /^[1-9][\d,]* events, [1-9][\d,]* calls of listeners, [1-9][\d,]* promises$/m)
  assert.match(stdout, /^nothing was violated$/m)
})

test('a soak tells of metrics that fall, do not rise by percentile, or are less than nothing', () => {
  const told = []
  const numbers = new Numbers({ violated: (what) => told.push(what) })
  const times = { p50: 1, p90: 2, p99: 3, p999: 4, max: 5 }
  const total = { emitted: 2, unheard: 0, failed: 0, timedOut: 0, refused: 1, lost: 0 }
  const thread = { running: 0, queued: 1, queuedBytes: 9, stalledFor: 0 }
  const check = (about) => {
    const metrics = { channel: 'a', total, events: { x: { wait: times } }, threads: [thread], ...about }
    numbers.check(metrics)
    return told.splice(0)
  }
  assert.deepEqual(check(), [])
  assert.deepEqual(check({ channel: 'b', total: { ...total, emitted: 1 } }), [], 'of another channel')
  assert.deepEqual(check({ total: { ...total, refused: 0 } }), ['refused falls'])
  assert.deepEqual(check({ events: { x: { run: { ...times, p99: 1 } } } }), ['times of x'])
  assert.deepEqual(check({ threads: [{ ...thread, queued: -1 }] }), ['numbers of a thread'])
})

test('wrong arguments of a soak are refused', () => {
  const { status, stderr } = spawnSync(process.execPath, [MAIN, '--seconds', 'x'], { encoding: 'utf8' })
  assert.notEqual(status, 0)
  assert.match(stderr, /--seconds must be a whole number\. Received x/)
})

test('an event that comes again, too late, twice or damaged is a violation', () => {
  const plain = checking('plain')
  plain.listener(mark(1), nothing)
  plain.listener(mark(2), nothing)
  plain.listener(mark(1, { thread: 2 }), nothing)
  assert.deepEqual(plain.told, [])
  plain.listener(mark(2), nothing)
  plain.listener(mark(0), nothing)
  assert.equal(plain.told.length, 2)
  plain.listener(mark(9), { kind: 'text', size: 3, value: 'éx' })
  assert.equal(plain.told.length, 3)

  const grouped = checking('grouped')
  grouped.listener(mark(1), nothing)
  grouped.listener(mark(0), nothing)
  assert.deepEqual(grouped.told, [])
  grouped.listener(mark(1), nothing)
  assert.deepEqual(grouped.told, ['grouped was started twice'])
})

test('an outcome that does not add up, and an error that nobody made, are violations', (t) => {
  const ledger = new Ledger()
  const checks = new Checks(ledger, 'a test')
  t.mock.method(checks, 'violated', () => ledger.add('violations'))
  checks.outcome({ success: 2, failed: 1, errors: [new Error('on purpose')] }, 3)
  checks.expected(Object.assign(new Error('full'), { code: 'ERR_MAILBOX_FULL' }), 'here')
  assert.deepEqual([ledger.get('violations'), ledger.get('refused')], [0, 1])
  checks.outcome({ success: 2, failed: 0, errors: [] }, 3)
  checks.expected(new TypeError('internal'), 'here')
  assert.equal(ledger.get('violations'), 2)
})

test('memory that grows throughout is told of; one step is none', () => {
  const rounds = (level) => Array.from({ length: 40 }, (_, round) => ({ rss: level(round), heapUsed: 0, external: 0 }))
  const MIB = 2 ** 20
  assert.equal(growthOf(rounds((round) => (100 + (round % 5)) * MIB)), null)
  assert.equal(growthOf(rounds((round) => (round > 20 ? 400 : 100) * MIB)), null)
  assert.match(growthOf(rounds((round) => (100 + 3 * round) * MIB)), /^rss grows: /)
})

test('a seed determines the numbers that are drawn', () => {
  const draw = (seed) => {
    const random = new Random(seed)
    return Array.from({ length: 50 }, () => random.integer(0, 1000))
  }
  assert.deepEqual(draw(5), draw(5))
  assert.notDeepEqual(draw(5), draw(6))
  assert.ok(new Set(draw(5)).size > 40)
})
