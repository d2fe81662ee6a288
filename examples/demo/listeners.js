'use strict'

// The three listeners of a file. Each streams it on its own, so its memory is bounded whatever the file's size.
//
// They depend on nothing else here. Reading and gzip happen on libuv's threads; hashing and counting on this one.

const { createHash } = require('node:crypto')
const { createReadStream } = require('node:fs')
const { pipeline } = require('node:stream/promises')
const { createGzip } = require('node:zlib')

const NEWLINE = 0x0a

/** The SHA-256 digest, in hex. */
async function sha256(path) {
  const hash = createHash('sha256')
  for await (const chunk of createReadStream(path)) hash.update(chunk)
  return hash.digest('hex')
}

/** How many lines there are; the last one counts without a newline, too. */
async function lines(path) {
  let count = 0
  let last = NEWLINE
  for await (const chunk of createReadStream(path)) {
    count += newlines(chunk)
    last = chunk[chunk.length - 1]
  }
  return last === NEWLINE ? count : count + 1
}

/** The size in bytes after gzip, at its default level. */
async function gzip(path) {
  let size = 0
  await pipeline(createReadStream(path), createGzip(), async (chunks) => {
    for await (const chunk of chunks) size += chunk.length
  })
  return size
}

function newlines(chunk) {
  let count = 0
  for (let at = chunk.indexOf(NEWLINE); at !== -1; at = chunk.indexOf(NEWLINE, at + 1)) count++
  return count
}

module.exports = { sha256, lines, gzip }
