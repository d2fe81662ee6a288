'use strict'

// The three listeners of a file: functions of its path. They depend on nothing else here.
//
// Reading and gzip leave the JavaScript thread, for one of libuv's; hashing and counting do not. In a thread of their
// own listeners may block, so the same three in `blocking` do all of it there: libuv has four threads for the whole
// process, however many cores there are.

const { createHash } = require('node:crypto')
const { readFileSync } = require('node:fs')
const { readFile } = require('node:fs/promises')
const { promisify } = require('node:util')
const { gzip, gzipSync } = require('node:zlib')

const NEWLINE = 0x0a
const compress = promisify(gzip)

/** The SHA-256 digest, in hex. */
function digest(content) {
  return createHash('sha256').update(content).digest('hex')
}

/** The number of lines; the last one counts without a newline, too. */
function countLines(content) {
  let count = 0
  for (let at = content.indexOf(NEWLINE); at !== -1; at = content.indexOf(NEWLINE, at + 1)) count++
  return content.length === 0 || content.at(-1) === NEWLINE ? count : count + 1
}

const listeners = {
  sha256: async (path) => digest(await readFile(path)),
  lines: async (path) => countLines(await readFile(path)),
  /** The size in bytes after gzip, at its default level. */
  gzip: async (path) => (await compress(await readFile(path))).length,
}

const blocking = {
  sha256: (path) => digest(readFileSync(path)),
  lines: (path) => countLines(readFileSync(path)),
  gzip: (path) => gzipSync(readFileSync(path)).length,
}

module.exports = { blocking, listeners }
