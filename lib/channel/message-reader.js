'use strict'

// Messages of the engine as words, strings and values, read from front to end.

const { outOfMemory } = require('../errors.js')
const native = require('../native.js')
const { Decoder, decodeAlone } = require('../codec/index.js')
const { note } = require('../given.js')
const { fromEngine } = require('./names.js')
const { APART, HAS_OFFERS, HEAD_BYTES, MORE_TO_READ } = require('./protocol.js')

/** Size of the buffer in 32-bit words. A message that needs more gets more, until there is nothing to read. */
const BUFFER_WORDS = 65_536
/** Number of decoders that are kept. Threads come and go; a decoder that is forgotten is made again. */
const MOST_DECODERS = 64

class MessageReader {
  /** The reason why the last value could not be read, or null. */
  unreadable = null
  /** True if the engine may have events that other threads have not started, for this one to take over. */
  hasOffers = false
  #thread
  #words = new Uint32Array(BUFFER_WORDS)
  #bytes = new Uint8Array(this.#words.buffer)
  #at = 0
  #end = 0
  /** A message that lies apart, if it is not long itself. Nothing of it is needed once it is decoded. */
  #head = new Uint8Array(HEAD_BYTES)
  /** @type {Map<number, Decoder>} by the endpoint that encodes */
  #decoders = new Map()
  /** The batch or delivery that is being read. */
  #isBatch = false
  #handle = 0
  #handles
  /** Decodes messages without a codebook: replies and errors. */
  #alone

  /** @param {(number: number) => object[]} handles gets the handles of a message */
  constructor(thread, handles) {
    this.#thread = thread
    this.#handles = handles
    this.#alone = { decode: (buffer, start, end, parts) => decodeAlone(buffer, start, end, handles, parts) }
  }

  /** Gets messages with no more than about `room` events. Returns whether to get more, soon. */
  next(room) {
    const size = this.#get((words) => native.read(this.#thread, room, words))
    // Nothing is read where there is no memory even for messages without payloads.
    const flags = size < 0 ? MORE_TO_READ : this.#words[0]
    const again = (flags & MORE_TO_READ) !== 0
    this.hasOffers = (flags & HAS_OFFERS) !== 0
    if (!again && size === 1 && this.#words.length > BUFFER_WORDS) this.#allocate(BUFFER_WORDS)
    return again
  }

  /** Gets messages with events of this thread for other buses of it. Returns whether there were any. */
  nextLoopback() {
    return this.#get((words) => native.readLoopback(this.#thread, words)) > 1
  }

  /** @param {(words: Uint32Array) => number} read as `native.read` */
  #get(read) {
    let size = read(this.#words)
    if (size < 0) {
      if (!this.#allocate(-size)) native.strip(this.#thread)
      size = read(this.#words)
    }
    this.#at = 1
    this.#end = size
    return size
  }

  /** Makes the buffer so large. Returns false where there is no memory for it. */
  #allocate(words) {
    try {
      this.#words = new Uint32Array(words)
    } catch {
      return false
    }
    this.#bytes = new Uint8Array(this.#words.buffer)
    return true
  }

  get isAtEnd() {
    return this.#at >= this.#end
  }

  word() {
    return this.#words[this.#at++]
  }

  /** Passes over so many words. Returns where they are, for `wordAt`. */
  skip(count) {
    const at = this.#at
    this.#at += count
    return at
  }

  wordAt(at) {
    return this.#words[at]
  }

  /** Reads the name of an event. */
  name() {
    const bytes = this.word()
    const start = this.skip((bytes + 3) >>> 2) * 4
    return fromEngine(Buffer.from(this.#bytes.buffer, start, bytes).toString())
  }

  /** Reads an encoded value. Returns undefined where that fails, and `unreadable` is the reason. */
  value(decoder = this.#alone) {
    const bytes = this.word()
    if (bytes === APART) return this.#valueApart(decoder, this.word())
    const start = this.skip((bytes + 3) >>> 2) * 4
    this.unreadable = null
    try {
      return decoder.decode(this.#bytes, start, start + bytes)
    } catch (error) {
      this.unreadable = error
      return undefined
    }
  }

  /** Returns a copy of the bytes of a value at this place. */
  bytesAt(at) {
    const start = 4 * (at + 1)
    return this.#bytes.slice(start, start + this.#words[at])
  }

  /** Passes over the value of an event if it lies apart, and returns whether it does. `take` takes it, or `share` does not. */
  liesApart() {
    // It is nothing to the event that is read now if the one before could not be read: that had settled, say.
    this.unreadable = null
    if (this.#words[this.#at] !== APART) return false
    this.#at++
    return true
  }

  #valueApart(decoder, index) {
    return this.#unpack(decoder, () => native.unpackRead(this.#thread, index, this.#head, allocate))
  }

  /**
   * As `value`, for one that lies apart, of the batch or delivery of `decoderFor`: its listeners are about to be called.
   * Returns null if the event has settled.
   */
  take(decoder, index) {
    const [thread, isBatch, handle] = [this.#thread, this.#isBatch, this.#handle]
    return this.#unpack(decoder, () => native.unpackEvent(thread, isBatch, handle, index, this.#head, allocate))
  }

  /** As `take`, for a delivery that may still go to another thread. */
  share(decoder) {
    return this.#unpack(decoder, () => native.unpackCopy(this.#thread, this.#handle, this.#head, allocate))
  }

  /** @param {() => (number | ArrayBuffer | string)[] | null} unpack as `native.unpackEvent` */
  #unpack(decoder, unpack) {
    this.unreadable = null
    try {
      const parts = unpack()
      if (parts === null) return null
      const message = parts.shift()
      for (const part of parts) if (typeof part !== 'string') note(part)
      if (typeof message === 'number') return decoder.decode(this.#head, 0, message, parts)
      return decoder.decode(new Uint8Array(message), 0, message.byteLength, parts)
    } catch (error) {
      this.unreadable = error
      return undefined
    }
  }

  /** Returns the decoder for a batch, or a delivery, of an endpoint. By that message it gets the codebook, if needed. */
  decoderFor(endpoint, isBatch, handle, isForeign = false) {
    this.#isBatch = isBatch
    this.#handle = handle
    let decoder = this.#decoders.get(endpoint)
    if (decoder === undefined) {
      if (this.#decoders.size === MOST_DECODERS) this.#decoders.clear()
      const codebook = () => native.codebook(this.#thread, this.#isBatch, this.#handle)
      decoder = new Decoder(codebook, isForeign ? null : this.#handles)
      this.#decoders.set(endpoint, decoder)
    }
    return decoder
  }
}

/** Memory that is not filled with zeros first. */
function allocate(bytes) {
  try {
    return Buffer.allocUnsafeSlow(bytes).buffer
  } catch {
    throw outOfMemory(bytes)
  }
}

module.exports = { MessageReader }
