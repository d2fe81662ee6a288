'use strict'

// The structured clone algorithm as the runtime has it: a value as bytes, and back.
//
// What it would pass on by a handle is refused, as far as it asks: see `graph.js` for the rest.

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

/** Bun has the class, and throws when one is made. Its `serialize` has no format of its own. */
function isThere() {
  try {
    return new Serializer() !== null
  } catch {
    return false
  }
}

function write(value) {
  const serializer = new Serializer()
  serializer.writeHeader()
  serializer.writeValue(value)
  return serializer.releaseBuffer()
}

function read(bytes) {
  const deserializer = new v8.Deserializer(bytes)
  deserializer.readHeader()
  return deserializer.readValue()
}

const structured = isThere() ? { write, read } : { write: v8.serialize, read: v8.deserialize }

module.exports = {
  refusal,
  notByBytes,
  write: structured.write,
  read: structured.read,
  /** What all bytes begin with. */
  FIRST_BYTE: structured.write(null)[0],
}
