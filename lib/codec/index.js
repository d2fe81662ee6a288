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
const { messageTooLarge, outOfMemory } = require('../errors.js')
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

/** One byte is for the road. And the buffer is that of all who use msgpackr in this thread: it is left as it was. */
const MODE = REUSE_BUFFER_MODE | RESERVE_START_SPACE | RESET_BUFFER_MODE | 1

/** Enough for the messages of a burst. */
const MEMORY = 2 ** 14
/** A longer message stays where it is. */
const LONGEST_COPIED = 4096
/** A shorter one is copied word by word: to call what copies would take longer. */
const SHORT = 160
/** Where a message lies is told in numbers of 31 bits. */
const LONGEST = 2 ** 31 - 1

/** A value is looked at or packed. A getter of it may encode something of its own. */
let isBusy = false

/**
 * A message: `buffer` from `start` to `end`. Where that is the encoder's `memory` and it was to be kept, the next one is
 * elsewhere; else it is to be read at once, because the next one may be in the same place.
 *
 * @typedef {{ buffer: Uint8Array, start: number, end: number }} Encoded
 */

class Encoder {
  #packr
  #codebook = Buffer.alloc(0)
  /**
   * Where messages lie that are not long. Shared, so that it stays where it is, whoever reads it and when: what msgpackr
   * and V8 write into may be detached by others, and is passed to nobody for longer than a call.
   */
  memory = new Uint8Array(new SharedArrayBuffer(MEMORY))
  #words = new Int32Array(this.memory.buffer)
  /** A whole number of words. */
  #at = 0
  #encoded = { buffer: this.memory, start: 0, end: 0 }

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
    return this.#encodePlain(this.#packr, values, values, PLAIN, keeps) ?? this.#encodeGraph(values, keeps)
  }

  /** As `encode`, for any value, and without the codebook. */
  encodeAlone(value) {
    return this.#encodePlain(alone, [value], value, PLAIN_ALONE, false) ?? this.#encodeGraph(value, false)
  }

  /** Nothing that was to be kept is needed any more. */
  rewind() {
    this.#at = 0
  }

  /** As `encodeAlone`, for what a listener has thrown: if it can not be sent as it is, as much of it as can be. */
  encodeThrown(thrown) {
    try {
      return this.encodeAlone(thrown)
    } catch (refused) {
      return this.#pack(alone, describePlainly(thrown, refused), PLAIN_ERROR, false)
    }
  }

  /** Returns null where what `values` holds is not plain. */
  #encodePlain(packr, values, value, road, keeps) {
    if (isBusy) return null
    isBusy = true
    try {
      return isPlain(values) ? this.#pack(packr, value, road, keeps) : null
    } finally {
      isBusy = false
    }
  }

  /** Returns null for what turns out not to be plain: a getter gave something else when it was asked again. */
  #pack(packr, value, road, keeps) {
    let buffer
    try {
      buffer = packr.pack(value, MODE)
    } catch {
      return null
    }
    // Where the codebook grew, msgpackr returns a copy that has no start and end.
    const { start = 0, end = buffer.length } = buffer
    // It writes into the same one as long as it can, and begins each message with a whole word.
    if (buffer.words === undefined && buffer.length % 4 === 0) buffer.words = wordsOf(buffer)
    return this.#put(buffer, start, end, road, keeps)
  }

  #encodeGraph(value, keeps) {
    const { bytes, hasErrors } = serialize(value)
    return this.#put(bytes, 0, bytes.length, hasErrors ? GRAPH_WITH_ERRORS : GRAPH, keeps)
  }

  /** Leaves a message in the memory, if it is not too long for that. */
  #put(message, start, end, road, keeps) {
    message[start] = road
    const at = this.#at
    const size = end - start
    if (size > LONGEST_COPIED || at + size > MEMORY) {
      if (size > LONGEST) throw messageTooLarge(size, LONGEST)
      // Not the one object of the others: it would keep these bytes, which may be many, until the next message.
      return { buffer: message, start, end }
    }
    if (size <= SHORT && message.words) copyWords(message.words, start >> 2, (end + 3) >> 2, this.#words, at >> 2)
    else message.copy(this.memory, at, start, end)
    // The next word.
    if (keeps) this.#at = (at + size + 3) & ~3
    const encoded = this.#encoded
    encoded.start = at
    encoded.end = at + size
    return encoded
  }
}

/** The same memory; null where it does not begin with a whole word. */
function wordsOf({ buffer, byteOffset, length }) {
  return byteOffset % 4 === 0 ? new Int32Array(buffer, byteOffset, length / 4) : null
}

function copyWords(from, start, end, to, at) {
  for (let index = start; index < end; index++) to[at++] = from[index]
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
    if (start === end || buffer[start] !== PLAIN) return decodeAlone(buffer, start, end)
    place.start = start + 1
    place.end = end
    return this.#reader.read(buffer, place)
  }
}

/** Reads what `encodeAlone` and `encodeThrown` wrote. */
function decodeAlone(buffer, start, end) {
  // The engine had no memory for it where it was to be kept.
  if (start === end) throw outOfMemory()
  const road = buffer[start]
  if (road === PLAIN_ALONE || road === PLAIN_ERROR) {
    place.start = start + 1
    place.end = end
    const value = alone.unpack(buffer, place)
    return road === PLAIN_ERROR ? restoreError(new Error(), value) : value
  }
  if (road === GRAPH || road === GRAPH_WITH_ERRORS) {
    return deserialize(buffer.subarray(start, end), road === GRAPH_WITH_ERRORS)
  }
  // Of another version, or torn.
  throw new Error(`a message has come by a road that is not known: ${road}`)
}

module.exports = { Encoder, Decoder, decodeAlone }
