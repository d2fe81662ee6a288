'use strict'

// The structured clone algorithm as the runtime has it: a value as bytes, and back.
//
// What it would pass on by a handle is refused, as far as it asks: see `graph.js` for the rest. The first byte is for the
// caller to use: nothing is read there.

const v8 = require('node:v8')

/** Not `v8.DefaultSerializer`, which has a format of its own for Buffers and other views. */
class Serializer extends v8.Serializer {
  // No method: Deno gives each serializer a property of this name.
  _getDataCloneError = refusal

  _writeHostObject(object) {
    throw notByBytes(object)
  }

  _getSharedArrayBufferId(buffer) {
    throw notByBytes(buffer)
  }
}

function refusal(message) {
  return new DOMException(message, 'DataCloneError')
}

function notByBytes(object) {
  const name = object?.constructor?.name ?? 'Object'
  return refusal(`#<${name}> could not be cloned: it can not be sent as bytes.`)
}

/** Always the same where V8 writes. */
const FIRST_OF_V8 = 0xff

const byV8 = {
  write(value) {
    const serializer = new Serializer()
    serializer.writeHeader()
    serializer.writeValue(value)
    return serializer.releaseBuffer()
  },

  read(bytes) {
    // The buffer is the reader's own.
    bytes[0] = FIRST_OF_V8
    const deserializer = new v8.Deserializer(bytes)
    deserializer.readHeader()
    return deserializer.readValue()
  },
}

/** Bun's own: its `v8.serialize` has a format for Buffers. */
const runtime = process.getBuiltinModule?.('bun:jsc') ?? v8

const byRuntime = {
  write: (value) => Buffer.concat([Buffer.alloc(1), runtime.serialize(value, { binaryType: 'nodebuffer' })]),
  read: (bytes) => runtime.deserialize(bytes.subarray(1)),
}

/** Bun has the class, and throws when one is made. */
function hasSerializer() {
  try {
    return new Serializer() !== null
  } catch {
    return false
  }
}

const { write, read } = hasSerializer() ? byV8 : byRuntime

module.exports = { notByBytes, read, refusal, write }
