'use strict'

// Two of the listeners, for a thread of their own: it has nobody to keep waiting, so they read and compute in one go.
//
// For a large file they are the listeners that stream it. So memory is bounded whatever the file's size, and the files
// that wait for the same thread need not wait for all of a large one.

const { createHash } = require('node:crypto')
const { closeSync, openSync, readSync } = require('node:fs')
const { gzipSync } = require('node:zlib')
const streaming = require('./listeners.js')

const LARGE = 256 * 1024

/** Every small file of this thread is read into it. */
const buffer = Buffer.allocUnsafeSlow(LARGE)

async function sha256(path) {
  const content = readSmall(path)
  return content === null ? streaming.sha256(path) : createHash('sha256').update(content).digest('hex')
}

async function gzip(path) {
  const content = readSmall(path)
  return content === null ? streaming.gzip(path) : gzipSync(content).length
}

/** The content, valid until the next call; null of a large file. */
function readSmall(path) {
  const file = openSync(path)
  try {
    const size = fill(file)
    return size < LARGE ? buffer.subarray(0, size) : null
  } finally {
    closeSync(file)
  }
}

/** Reads as much as there is, and there is room for. */
function fill(file) {
  let size = 0
  while (size < LARGE) {
    const read = readSync(file, buffer, size, LARGE - size, null)
    if (read === 0) break
    size += read
  }
  return size
}

module.exports = { sha256, gzip }
