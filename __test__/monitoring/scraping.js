'use strict'

// A scrape of a registry of prom-client, as Prometheus does it, and the samples in it.

const assert = require('node:assert/strict')
const { once } = require('node:events')
const { createServer, get } = require('node:http')

/** Serves a registry, and resolves to the text that a scrape gets. */
async function scrape(t, register) {
  const server = createServer(async (_request, response) => {
    response.setHeader('Content-Type', register.contentType)
    response.end(await register.metrics())
  })
  server.listen(0, '127.0.0.1')
  t.after(() => server.close())
  await once(server, 'listening')
  const [response] = await once(get({ port: server.address().port, host: '127.0.0.1', agent: false }), 'response')
  let text = ''
  for await (const part of response.setEncoding('utf8')) text += part
  server.close()
  return text
}

/** The samples of a text, by their names and labels. */
function samplesOf(text) {
  const samples = new Map()
  for (const line of text.split('\n')) {
    if (line === '' || line.startsWith('#')) continue
    const [, name, value] = /^(.+) (\S+)$/.exec(line)
    assert.ok(!samples.has(name), `${name} is there once`)
    samples.set(name, Number(value))
  }
  return samples
}

module.exports = { samplesOf, scrape }
