'use strict'

// Serves one page, and the metrics of a bus's channel to it, by server-sent events.

const { createServer } = require('node:http')
const { readFile } = require('node:fs/promises')
const path = require('node:path')
const { ParallelEventBus } = require('../../index.js')

const PAGE = path.join(__dirname, 'page.html')

/**
 * Resolves to a server that listens on the loopback address.
 *
 * @param {ParallelEventBus} bus
 * @param {{ port?: number, every?: number }} options `every`: milliseconds from one report to the next
 */
async function serve(bus, { port = 0, every = 500 } = {}) {
  const readers = new Set()
  const server = createServer(async (request, response) => {
    if (request.url === '/metrics') return stream(response, readers)
    if (request.url !== '/') return response.writeHead(404).end()
    response.writeHead(200, { 'Content-Type': 'text/html; charset=utf-8' }).end(await readFile(PAGE))
  })
  const timer = setInterval(async () => {
    if (readers.size === 0) return
    const text = `data: ${JSON.stringify(await ParallelEventBus.metrics(bus))}\n\n`
    // A reader that does not keep up misses some: the next one tells all.
    for (const reader of readers) if (!reader.writableNeedDrain) reader.write(text)
  }, every)
  server.on('close', () => clearInterval(timer))
  await new Promise((resolve, reject) => server.once('error', reject).listen(port, '127.0.0.1', resolve))
  return server
}

function stream(response, readers) {
  response.writeHead(200, { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store' })
  response.flushHeaders()
  readers.add(response)
  response.on('close', () => readers.delete(response))
}

module.exports = { serve }
