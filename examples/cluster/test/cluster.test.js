'use strict'

const assert = require('node:assert/strict')
const test = require('node:test')
const { main } = require('../main.js')

test('processes compute the same digests, and every request is accounted for', { timeout: 120_000 }, async () => {
  const lines = []
  await main(undefined, (line) => lines.push(line))
  assert.equal(lines.at(-1), 'the digests are the same')
  assert.match(
    lines[1],
    /^over a Unix socket: 4000 requests = 4000 digests \+ 0 .*; 0 unsettled; machine \d \d+, machine \d \d+$/,
  )
  const [, requests, digests, gone] = /(\d+) requests = (\d+) digests \+ (\d+) .*; 0 unsettled/.exec(lines[2]) ?? []
  // Without a server the line says so.
  if (requests === undefined) assert.match(lines[2], /^over NATS: left out, /)
  else assert.deepEqual([Number(requests), Number(digests)], [4_000 + Number(gone), 4_000])
})
