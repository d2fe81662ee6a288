'use strict'

// The server of the live view: one page, and reports until a reader goes.

const assert = require('node:assert/strict')
const { once } = require('node:events')
const { get } = require('node:http')
const { test } = require('node:test')
const { ParallelEventBus } = require('../../../index.js')
const { serve } = require('../server.js')

async function open(t) {
  const bus = new ParallelEventBus({ channel: 'dashboard test', recordTiming: true })
  const server = await serve(bus, { every: 1 })
  t.after(async () => {
    server.closeAllConnections()
    server.close()
    await bus.close()
  })
  const ask = async (path) => {
    const [response] = await once(
      get({ port: server.address().port, host: '127.0.0.1', path, agent: false }),
      'response',
    )
    return response.setEncoding('utf8')
  }
  return { bus, server, ask }
}

test('serves the page', async (t) => {
  const { ask } = await open(t)
  const response = await ask('/')
  let text = ''
  for await (const part of response) text += part
  assert.equal(response.headers['content-type'], 'text/html; charset=utf-8')
  assert.match(text, /new EventSource\('\/metrics'\)/)
  assert.equal((await ask('/nothing')).statusCode, 404)
})

test('reports again and again, until the reader goes', async (t) => {
  const { bus, server, ask } = await open(t)
  bus.on('x', () => {})
  await bus.emitAndWait('x')
  const response = await ask('/metrics')
  let text = ''
  for await (const part of response) {
    text += part
    if (text.split('\n\n').length > 3) break
  }
  const reports = text
    .split('\n\n')
    .slice(0, 3)
    .map((report) => JSON.parse(report.replace(/^data: /, '')))
  for (const { channel, events, threads } of reports) {
    assert.deepEqual([channel, events.x.delivered, events.x.run.count, threads.length], ['dashboard test', 1, 1, 1])
  }
  response.destroy()
  while ((await new Promise((resolve) => server.getConnections((_error, open) => resolve(open)))) > 0) {
    await new Promise(setImmediate)
  }
})
