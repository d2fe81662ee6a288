'use strict'

// Values as bytes, and back: what carries the arguments of an event from thread to thread.
//
// The meaning is that of `structuredClone`, but for errors, of which more comes through (`errors.js`), and for what
// `structuredClone` hands over by a handle, which is refused. There are two roads: plain values (`plain.js`) take
// msgpackr, which is the fastest for small ones, everything else the runtime's own serializer (`graph.js`). The first byte
// of a message tells which.
//
// The keys of plain objects are not in each message. msgpackr numbers the shapes that it meets, and the list of them,
// the codebook, is published once for all threads before the first message that needs it is sent.

// This build of msgpackr has no native part, which would take long to load. How messages are read: `reader.js`.
const { Packr, RESERVE_START_SPACE, REUSE_BUFFER_MODE, RESET_BUFFER_MODE } = require('msgpackr/index-no-eval')
const { describePlainly, restoreError } = require('./errors.js')
const { deserialize, serialize } = require('./graph.js')
const { isPlain } = require('./plain.js')
const { Reader } = require('./reader.js')

const PLAIN = 0
const GRAPH = 1
const GRAPH_WITH_ERRORS = 2
/** As PLAIN, with its keys in it. */
const PLAIN_ALONE = 3
/** As PLAIN_ALONE, what is left of an error. */
const PLAIN_ERROR = 4
/** So many shapes are in the codebook; messages with others carry them. */
const MOST_SHAPES = 32

/** Where msgpackr is to read; one object for all. */
const place = { start: 0, end: 0 }
/** For values without a codebook. */
const alone = new Packr({ useRecords: false, copyBuffers: true, writeFunction: refuse })

/** The next message may be behind this one, or in its place. */
const BEHIND = REUSE_BUFFER_MODE | RESERVE_START_SPACE | 1
const IN_PLACE = BEHIND | RESET_BUFFER_MODE

/** A value is looked at or packed. A getter of it may encode something of its own. */
let isBusy = false

/**
 * A message: `buffer` from `start` to `end`. To be copied at once, unless it was to be kept: the next one may be in the
 * same place.
 *
 * @typedef {{ buffer: Uint8Array, start: number, end: number }} Encoded
 */

class Encoder {
  #packr
  #codebook = Buffer.alloc(0)
  #encoded = { buffer: new Uint8Array(0), start: 0, end: 0 }

  /** @param {(codebook: Uint8Array) => void} publish leaves the codebook where each `Decoder` finds it */
  constructor(publish) {
    const saveStructures = (shapes) => {
      this.#codebook = Buffer.from(JSON.stringify(shapes))
      publish(this.#codebook)
      return true
    }
    this.#packr = new Packr({ structures: [], maxSharedStructures: MOST_SHAPES, saveStructures, writeFunction: refuse })
  }

  get codebook() {
    return this.#codebook
  }

  /**
   * @param {unknown[]} values a list, as `...args` are
   * @param {boolean} keeps the messages that come behind it are in other places, until `rewind`
   * @returns {Encoded}
   * @throws {DOMException} DataCloneError: something can not be cloned, or not as bytes
   */
  encode(values, keeps = false) {
    return this.#encodePlain(this.#packr, values, values, PLAIN, keeps ? BEHIND : IN_PLACE) ?? this.#encodeGraph(values)
  }

  /** As `encode`, for any value, and without the codebook. */
  encodeAlone(value) {
    return this.#encodePlain(alone, [value], value, PLAIN_ALONE, IN_PLACE) ?? this.#encodeGraph(value)
  }

  /** Nothing that was to be kept is needed any more. */
  rewind() {
    if (!isBusy) this.#packr.position = 0
  }

  /** As `encodeAlone`, for what a listener has thrown: if it can not be sent as it is, as much of it as can be. */
  encodeThrown(thrown) {
    try {
      return this.encodeAlone(thrown)
    } catch (refused) {
      return this.#pack(alone, describePlainly(thrown, refused), PLAIN_ERROR, IN_PLACE)
    }
  }

  /** Returns null where what `values` holds is not plain. */
  #encodePlain(packr, values, value, road, mode) {
    if (isBusy) return null
    isBusy = true
    try {
      return isPlain(values) ? this.#pack(packr, value, road, mode) : null
    } finally {
      isBusy = false
    }
  }

  /** Returns null for what turns out not to be plain: a getter gave something else when it was asked again. */
  #pack(packr, value, road, mode) {
    let buffer
    try {
      buffer = packr.pack(value, mode)
    } catch {
      return null
    }
    // Where the codebook grew, msgpackr returns a copy that has no start and end.
    const { start = 0, end = buffer.length } = buffer
    buffer[start] = road
    const encoded = this.#encoded
    encoded.buffer = buffer
    encoded.start = start
    encoded.end = end
    return encoded
  }

  #encodeGraph(value) {
    const { bytes, hasErrors } = serialize(value)
    bytes[0] = hasErrors ? GRAPH_WITH_ERRORS : GRAPH
    // Not the one object of the short road: it would keep these bytes, which may be many, until the next message.
    return { buffer: bytes, start: 0, end: bytes.length }
  }
}

function refuse() {
  throw new TypeError('a function is not plain')
}

/** Reads the messages of one encoder. */
class Decoder {
  #reader

  /** @param {() => Uint8Array} codebook gets what the encoder has published */
  constructor(codebook) {
    this.#reader = new Reader(codebook)
  }

  /** The value of the message that lies from `start` to `end` of a Uint8Array, no Buffer. It keeps nothing of that. */
  decode(buffer, start, end) {
    if (buffer[start] !== PLAIN) return decodeAlone(buffer, start, end)
    place.start = start + 1
    place.end = end
    return this.#reader.read(buffer, place)
  }
}

/** Reads what `encodeAlone` and `encodeThrown` wrote. */
function decodeAlone(buffer, start, end) {
  const road = buffer[start]
  if (road === PLAIN_ALONE || road === PLAIN_ERROR) {
    place.start = start + 1
    place.end = end
    const value = alone.unpack(buffer, place)
    return road === PLAIN_ERROR ? restoreError(new Error(), value) : value
  }
  return deserialize(buffer.subarray(start, end), road === GRAPH_WITH_ERRORS)
}

module.exports = { Encoder, Decoder, decodeAlone }
