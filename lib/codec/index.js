'use strict'

// Values as bytes, and back: the arguments of an event travel so from thread to thread.
//
// The meaning is that of `structuredClone`, but more of an error comes through (`errors.js`). docs/codec-format.md draws
// the messages, and lists the smaller differences.
//
// An object that `structuredClone` hands over by a handle, such as a SharedArrayBuffer, cannot be bytes. The encoder
// collects it beside the message, for its user to send, and writes a number. Where nobody can send it, it is refused.
//
// The keys of plain objects are not in each message, nor are strings that a field has again and again. The encoder
// numbers them, and the list of them, the codebook, is shared once with all threads, before the first message that
// needs it is sent.

const { outOfMemory } = require('../errors.js')
const { Book } = require('./book.js')
const { errorFor } = require('./errors.js')
const { Reader } = require('./reader.js')
const { Shapes } = require('./shapes.js')
const { Writer } = require('./writer.js')

/**
 * What goes beside a message, under a number that the encoder was given for it.
 *
 * @typedef {{ number: number, objects: object[] }} Handles
 */

/**
 * A message: `buffer` from `start` to `end`. Where that is the encoder's `memory` and it was to be kept, the next one is
 * elsewhere; else it is to be read at once, because the next one may be in the same place.
 *
 * @typedef {{ buffer: Uint8Array, start: number, end: number, handles: Handles | null }} Encoded
 */

class Encoder {
  #publish
  #shapes = new Shapes()
  #writer = new Writer(this.#shapes)
  /** True while it is writing. A getter of the written value may encode something of its own. */
  #isBusy = false
  #encoded = { buffer: this.memory, start: 0, end: 0, handles: null }
  #numberHandles

  /**
   * @param {(codebook: Uint8Array) => void} publish leaves the codebook where each `Decoder` finds it
   * @param {(() => number) | null} numberHandles gives a number to the handles of a message; null refuses them
   */
  constructor(publish, numberHandles = null) {
    this.#publish = publish
    this.#numberHandles = numberHandles
  }

  /** The memory of messages that are not long. It is shared memory, so it stays where it is for any reader at any time. */
  get memory() {
    return this.#writer.memory
  }

  get codebook() {
    return this.#shapes.codebook
  }

  /**
   * @param {unknown[]} values a list, as `...args` are
   * @param {boolean} keeps the messages that come behind it are in other places, until `rewind`
   * @returns {Encoded}
   * @throws {DOMException} DataCloneError: something cannot be cloned, or not as bytes
   */
  encode(values, keeps = false) {
    const encoded = this.#write(values, true, keeps, this.#numberHandles)
    if (this.#shapes.hasGrown) this.#publishBook()
    return encoded
  }

  /** Encodes any value, without the codebook. */
  encodeAlone(value) {
    return this.#write(value, false, false, this.#numberHandles)
  }

  /** Frees the memory of messages that were to be kept. */
  rewind() {
    if (!this.#isBusy) this.#writer.start = 0
  }

  /**
   * Encodes a value that a listener has thrown, without the codebook: if it cannot be sent as it is, as much as can be.
   * Handles are refused unless the emitter takes them.
   */
  encodeThrown(thrown, takesHandles) {
    const numberHandles = takesHandles ? this.#numberHandles : null
    try {
      return this.#write(thrown, false, false, numberHandles)
    } catch (refused) {
      return this.#write(errorFor(thrown, refused), false, false, numberHandles)
    }
  }

  #write(value, isArguments, keeps, numberHandles) {
    if (this.#isBusy) return write(new Writer(this.#shapes), value, isArguments, {}, numberHandles)
    this.#isBusy = true
    try {
      const encoded = write(this.#writer, value, isArguments, this.#encoded, numberHandles)
      if (keeps && encoded === this.#encoded) this.#writer.start = encoded.end
      return encoded
    } finally {
      this.#isBusy = false
      this.#shapes.trim()
    }
  }

  #publishBook() {
    this.#shapes.hasGrown = false
    this.#publish(this.#shapes.codebook)
  }
}

/** Writes a message, and returns its place: in `encoded`, or in an object of its own where its buffer is its own. */
function write(writer, value, isArguments, encoded, numberHandles) {
  const { start } = writer
  let end
  let isItsOwn
  let buffer
  let handles
  writer.numberHandles = numberHandles
  try {
    end = writer.message(value, isArguments)
    buffer = writer.bytes
    handles = writer.handles
  } finally {
    isItsOwn = writer.finish()
  }
  // `encoded` is for the memory alone.
  if (isItsOwn) return { buffer, start, end, handles }
  encoded.buffer = buffer
  encoded.start = start
  encoded.end = end
  encoded.handles = handles
  return encoded
}

/** Reads messages. One for all: no getter or setter is called while it reads, so none could use it meanwhile. */
const reader = new Reader()

/** Reads the messages of one encoder. */
class Decoder {
  #book
  #handles

  /**
   * @param {() => Uint8Array} codebook gets the codebook that the encoder has shared
   * @param {((number: number) => object[]) | null} handles gets the objects beside a message; throws where there are none
   */
  constructor(codebook, handles = null) {
    this.#book = new Book(codebook)
    this.#handles = handles
  }

  /** Returns the value of the message that lies from `start` to `end` of a Uint8Array. It keeps nothing of that. */
  decode(buffer, start, end) {
    return read(buffer, start, end, this.#book, this.#handles)
  }
}

/** Reads a message of `encodeAlone` or `encodeThrown`. */
function decodeAlone(buffer, start, end, handles = null) {
  return read(buffer, start, end, null, handles)
}

function read(buffer, start, end, book, handles) {
  // The engine had no memory for it where it was to be kept.
  if (start === end) throw outOfMemory()
  return reader.message(buffer, start, end, book, handles)
}

module.exports = { Encoder, Decoder, decodeAlone }
