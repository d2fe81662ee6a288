'use strict'

// Values as bytes, and back: what carries the arguments of an event from thread to thread.
//
// The meaning is that of `structuredClone`, but for errors, of which more comes through (`errors.js`), and for what
// `structuredClone` hands over by a handle, which is refused. docs/codec-format.md says how messages are laid out, and
// what else is different.
//
// The keys of plain objects are not in each message, nor are strings that a field has again and again: the encoder
// numbers them, and the list of them, the codebook, is published once for all threads before the first message that
// needs it is sent.

const { outOfMemory } = require('../errors.js')
const { Book } = require('./book.js')
const { errorFor } = require('./errors.js')
const { Reader } = require('./reader.js')
const { Shapes } = require('./shapes.js')
const { Writer } = require('./writer.js')

/**
 * A message: `buffer` from `start` to `end`. Where that is the encoder's `memory` and it was to be kept, the next one is
 * elsewhere; else it is to be read at once, because the next one may be in the same place.
 *
 * @typedef {{ buffer: Uint8Array, start: number, end: number }} Encoded
 */

class Encoder {
  #publish
  #shapes = new Shapes()
  #writer = new Writer(this.#shapes)
  /** It is writing. A getter of what it writes may encode something of its own. */
  #isBusy = false
  #encoded = { buffer: this.memory, start: 0, end: 0 }

  /** @param {(codebook: Uint8Array) => void} publish leaves the codebook where each `Decoder` finds it */
  constructor(publish) {
    this.#publish = publish
  }

  /** Where messages lie that are not long. It is shared memory, so it stays where it is, whoever reads it and when. */
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
    const encoded = this.#write(values, true, keeps)
    if (this.#shapes.hasGrown) this.#publishBook()
    return encoded
  }

  /** As `encode`, for any value, and without the codebook. */
  encodeAlone(value) {
    return this.#write(value, false, false)
  }

  /** Nothing that was to be kept is needed any more. */
  rewind() {
    if (!this.#isBusy) this.#writer.start = 0
  }

  /** As `encodeAlone`, for what a listener has thrown: if it cannot be sent as it is, as much of it as can be. */
  encodeThrown(thrown) {
    try {
      return this.encodeAlone(thrown)
    } catch (refused) {
      return this.encodeAlone(errorFor(thrown, refused))
    }
  }

  #write(value, isArguments, keeps) {
    if (this.#isBusy) return write(new Writer(this.#shapes), value, isArguments, {})
    this.#isBusy = true
    try {
      const encoded = write(this.#writer, value, isArguments, this.#encoded)
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

/** Writes a message, and says where it is: in `encoded`, or in an object of its own where its buffer is its own. */
function write(writer, value, isArguments, encoded) {
  const { start } = writer
  let end
  let isItsOwn
  let buffer
  try {
    end = writer.message(value, isArguments)
    buffer = writer.bytes
  } finally {
    isItsOwn = writer.finish()
  }
  // `encoded` is for the memory alone.
  if (isItsOwn) return { buffer, start, end }
  encoded.buffer = buffer
  encoded.start = start
  encoded.end = end
  return encoded
}

/** Reads messages. One that a getter or setter of what it reads could call does not exist: it calls nobody. */
const reader = new Reader()

/** Reads the messages of one encoder. */
class Decoder {
  #book

  /** @param {() => Uint8Array} codebook gets what the encoder has published */
  constructor(codebook) {
    this.#book = new Book(codebook)
  }

  /** The value of the message that lies from `start` to `end` of a Uint8Array. It keeps nothing of that. */
  decode(buffer, start, end) {
    return read(buffer, start, end, this.#book)
  }
}

/** Reads what `encodeAlone` and `encodeThrown` wrote. */
function decodeAlone(buffer, start, end) {
  return read(buffer, start, end, null)
}

function read(buffer, start, end, book) {
  // The engine had no memory for it where it was to be kept.
  if (start === end) throw outOfMemory()
  return reader.message(buffer, start, end, book)
}

module.exports = { Encoder, Decoder, decodeAlone }
