'use strict'

const assert = require('node:assert/strict')
const test = require('node:test')
const { main } = require('../main.js')

/** Each request has a digest, or its process had died; both processes had some. */
function assertAccounted(line, where) {
  const account = /^(.+), machine 1 killed in the middle: (\d+) requests = 4000 digests \+ (\d+) .*; 0 unsettled; (.+)$/
  const [, title, requests, gone, shares] = account.exec(line) ?? assert.fail(line)
  assert.equal(title, where)
  assert.equal(Number(requests), 4_000 + Number(gone))
  assert.ok(Number(gone) > 0, 'it was killed at work')
  assert.match(shares, /^machine \d \d+, machine \d \d+$/)
}

test('processes compute the same digests, and every request is accounted for', { timeout: 120_000 }, async () => {
  const lines = []
  await main(undefined, (line) => lines.push(line))
  assert.equal(lines.at(-1), 'the digests are the same')
  assertAccounted(lines[1], 'over a Unix socket')
  // Without a server the line says so.
  if (!lines[2].startsWith('over NATS: left out, ')) assertAccounted(lines[2], 'over NATS')
})
