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
const { BESIDE } = require('./format.js')
const { Reader } = require('./reader.js')
const { Shapes } = require('./shapes.js')
const { Writer } = require('./writer.js')

/**
 * The objects beside a message, under a number that the encoder was given for it.
 *
 * @typedef {{ number: number, objects: object[] }} Handles
 */

/**
 * Copies long buffers and strings, which then are beside the message: each is added to a parcel, or to a new one if its
 * number is 0, and the number is returned.
 *
 * @typedef {object} Keeper
 * @property {(parcel: number, buffer: ArrayBuffer) => number} bytes
 * @property {(parcel: number, text: string, isWide: boolean) => number} text
 * @property {(parcel: number) => void} drop
 */

/**
 * A message: `buffer` from `start` to `end`. Where that is the encoder's `memory` and it was to be kept, the next one is
 * elsewhere; else it is to be read at once, because the next one may be in the same place. `parcel` has its
 * long parts, 0 for none. It is to be dropped if nobody takes it.
 *
 * @typedef {{ buffer: Uint8Array, start: number, end: number, handles: Handles | null, parcel: number }} Encoded
 */

class Encoder {
  #publish
  #shapes = new Shapes()
  #writer = new Writer(this.#shapes)
  /** True while it is writing. A getter of the written value may encode something of its own. */
  #isBusy = false
  #encoded = { buffer: this.memory, start: 0, end: 0, handles: null, parcel: 0 }
  #numberHandles
  #keeper

  /**
   * @param {(codebook: Uint8Array) => void} publish leaves the codebook where each `Decoder` finds it
   * @param {((moves: boolean) => number) | null} numberHandles gives a number to the handles of a message, with which ports
   * may move; null refuses them
   * @param {Keeper | null} keeper null has everything else in the messages
   */
  constructor(publish, numberHandles = null, keeper = null) {
    this.#publish = publish
    this.#numberHandles = numberHandles
    this.#keeper = keeper
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
   * @param {Set<MessagePort> | null} ports move with it, as handles
   * @param {unknown} note another value that goes with them; null for none
   * @returns {Encoded}
   * @throws {DOMException} DataCloneError: something cannot be cloned, or not as bytes
   */
  encode(values, keeps = false, ports = null, note = null) {
    const encoded = this.#write(values, true, keeps, this.#numberHandles, this.#keeper, ports, note)
    if (this.#shapes.hasGrown) this.#publishBook()
    return encoded
  }

  /** Encodes any value, without the codebook. */
  encodeAlone(value) {
    return this.#write(value, false, false, this.#numberHandles, this.#keeper)
  }

  /** Frees the memory of messages that were to be kept. */
  rewind() {
    if (!this.#isBusy) this.#writer.start = 0
  }

  /**
   * Encodes a value that a listener has thrown, without the codebook: if it cannot be sent as it is, as much as can be.
   * Handles are refused unless the emitter takes them, and nothing long is beside it.
   */
  encodeThrown(thrown, takesHandles) {
    const numberHandles = takesHandles ? this.#numberHandles : null
    try {
      return this.#write(thrown, false, false, numberHandles, null)
    } catch (refused) {
      return this.#write(errorFor(thrown, refused), false, false, numberHandles, null)
    }
  }

  #write(value, isArguments, keeps, numberHandles, keeper, ports = null, note = null) {
    const writer = this.#isBusy ? new Writer(this.#shapes) : this.#writer
    writer.numberHandles = numberHandles
    writer.keeper = keeper
    writer.ports = ports
    writer.note = note
    if (this.#isBusy) return write(writer, value, isArguments, {})
    this.#isBusy = true
    try {
      const encoded = write(writer, value, isArguments, this.#encoded)
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
function write(writer, value, isArguments, encoded) {
  const { start } = writer
  let end
  let isItsOwn
  let buffer
  let handles
  let parcel
  try {
    end = writer.message(value, isArguments)
    buffer = writer.bytes
    handles = writer.handles
    parcel = writer.takeParcel()
  } finally {
    isItsOwn = writer.finish()
  }
  // `encoded` is for the memory alone.
  if (isItsOwn || parcel !== 0) return { buffer, start, end, handles, parcel }
  encoded.buffer = buffer
  encoded.start = start
  encoded.end = end
  encoded.handles = handles
  encoded.parcel = 0
  return encoded
}

/** Reads messages. One for all: no getter or setter is called while it reads, so none could use it meanwhile. */
const reader = new Reader()

/** Reads the messages of one encoder. */
class Decoder {
  /** The note of the message that was decoded last, or null. */
  get note() {
    return reader.note
  }

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

  /**
   * Returns the value of the message that lies from `start` to `end` of a Uint8Array. It keeps nothing of that. `parts` are
   * the long parts of its parcel, and become the value's own.
   */
  decode(buffer, start, end, parts = null) {
    return read(buffer, start, end, this.#book, this.#handles, parts)
  }
}

/** Reads a message of `encodeAlone` or `encodeThrown`. */
function decodeAlone(buffer, start, end, handles = null, parts = null) {
  return read(buffer, start, end, null, handles, parts)
}

/** Returns true if a message with this first byte has handles. */
function hasHandles(head) {
  return (head & BESIDE) !== 0
}

function read(buffer, start, end, book, handles, parts) {
  // The engine had no memory for it where it was to be kept.
  if (start === end) {
    reader.note = null
    throw outOfMemory()
  }
  return reader.message(buffer, start, end, book, handles, parts)
}

module.exports = { Encoder, Decoder, decodeAlone, hasHandles }
