'use strict'

// Memory that grows, in which a message is written: numbers and strings, and which objects the message has already.
//
// Nothing here looks for room byte by byte. There are always RESERVE bytes behind `high`. It is enough to compare with
// `high` before a value, and after a value that may be long.

const { messageTooLarge, outOfMemory } = require('../errors.js')
const { LONGEST_SHORT_TEXT, REFERS, SHORT_TEXT, tags } = require('./format.js')

const { APART, BIGINT, DOUBLE, INTEGER, LATIN1, REFERENCE, WIDE } = tags

/** Number of bytes above any primitive's, and any object's primitives'; longer strings ask for room by themselves. */
const RESERVE = 2048
const FIRST_SIZE = 65_536
/** Largest number of bytes. The place of a message is told to the engine in numbers of 31 bits. */
const LONGEST = 2 ** 31 - 1
/** Size of the largest buffer that is kept for the next message. */
const LARGEST_KEPT = 2 ** 21 + FIRST_SIZE
/** Number of characters above which strings are written by a call, which takes about as long as so many characters. */
const LONGEST_BY_HAND = 14
/** Fails at once, however long the string is, where V8 keeps it in one byte for each character. */
const BEYOND_LATIN1 = /[^\0-\xff]/
/** Number of objects above which a call compares with them, several at a time; and above which they are looked up in a map. */
const FEW_COMPARED = 24
const MOST_COMPARED = 200
/** Bytes of a buffer or a string that goes beside the message, where that is possible: it is copied once. */
const LEAST_APART = 16_384

/** Memory to write into, in the three ways in which it is written. */
class Page {
  /** @param {ArrayBufferLike} memory */
  constructor(memory) {
    this.bytes = new Uint8Array(memory)
    this.buffer = Buffer.from(memory)
    this.view = new DataView(memory)
  }
}

class Sink {
  /** The page in which messages begin. It is read after the call, so it is shared memory, which cannot be transferred. */
  #first = new Page(new SharedArrayBuffer(FIRST_SIZE))
  /** A larger page that the last message needed. It is read in the call, and at once. */
  #larger = null
  bytes
  /** The same memory. */
  buffer
  view
  /** The position past which there has to be more room. */
  high
  /** The start of the message; the bytes before it are kept. */
  start = 0
  /** The position of `writeDeep`. */
  at = 0
  /** Flags of the message. */
  flags = 0
  /** True if shapes and words of the codebook may be named. */
  usesBook = false
  /** Number of open objects. */
  depth = 0
  /** Shapes that this message has defined. */
  defined = []
  /** Objects that go beside this message, or null. */
  handles = null
  /** Ports that move with this message: they are handles too. Null where none does. */
  ports = null
  /** Copies long parts of the message. Null where everything has to be in it. */
  keeper = null
  /** The keeper's number for the parts of this message, 0 for none; and how many they are. */
  parcel = 0
  #parts = 0
  /** Objects of this message by their numbers; `numbers` has them, too, where there are many. */
  #met = []
  #count = 0
  #numbers = null

  constructor() {
    this.#use(this.#first)
  }

  #use({ bytes, buffer, view }) {
    this.bytes = bytes
    this.buffer = buffer
    this.view = view
    this.high = bytes.length - RESERVE
  }

  get memory() {
    return this.#first.bytes
  }

  /** Returns the number of the parts, for a caller that takes care of them from now on. */
  takeParcel() {
    const { parcel } = this
    this.parcel = 0
    this.#parts = 0
    return parcel
  }

  /** Ends the message, and keeps nothing of it alive. Returns true if it lies elsewhere than in the `memory`. */
  finish() {
    if (this.defined.length > 0) this.defined = []
    this.handles = null
    const met = this.#met
    if (this.#count > FEW_COMPARED) this.#met = []
    else for (let index = 0; index < this.#count; index++) met[index] = null
    this.#numbers = null
    this.#count = 0
    if (this.parcel !== 0) this.keeper.drop(this.takeParcel())
    if (this.bytes === this.memory) return false
    if (this.bytes.length > LARGEST_KEPT) this.#larger = null
    this.#use(this.#first)
    return true
  }

  /** Makes room for `more` bytes behind a position, and the reserve. */
  grow(position, more) {
    const least = position + more + 2 * RESERVE
    if (least > LONGEST) throw messageTooLarge(least, LONGEST)
    const { bytes, start } = this
    const isEnough = this.#larger !== null && this.#larger.bytes !== bytes && this.#larger.bytes.length >= least
    if (!isEnough) this.#larger = new Page(allocate(Math.min(LONGEST, Math.max(2 * bytes.length, least))))
    this.#use(this.#larger)
    this.bytes.set(bytes.subarray(start, position), start)
  }

  // Long parts, beside the message

  /** Returns whether so many bytes are to go beside the message. */
  goApart(bytes) {
    return bytes >= LEAST_APART && this.keeper !== null
  }

  bufferApart(buffer, position) {
    this.parcel = this.keeper.bytes(this.parcel, buffer)
    return this.#apart(position)
  }

  #textApart(text, isWide, position) {
    this.parcel = this.keeper.text(this.parcel, text, isWide)
    return this.#apart(position)
  }

  #apart(position) {
    this.bytes[position] = APART
    this.view.setUint32(position + 1, this.#parts++, true)
    return position + 5
  }

  // Objects that are met twice

  /** Returns the number of an object that was met before, else -1. */
  meet(object) {
    const count = this.#count
    const met = this.#met
    if (count < FEW_COMPARED) {
      for (let index = 0; index < count; index++) if (met[index] === object) return index
      met[count] = object
      this.#count = count + 1
      return -1
    }
    return this.#meetMany(object)
  }

  #meetMany(object) {
    if (this.#count < MOST_COMPARED) {
      // The array has no more than these.
      const number = this.#met.indexOf(object)
      if (number < 0) this.#met[this.#count++] = object
      return number
    }
    this.#numbers ??= new Map(this.#met.slice(0, this.#count).map((each, index) => [each, index]))
    const number = this.#numbers.get(object)
    if (number !== undefined) return number
    this.#numbers.set(object, this.#count)
    this.#met[this.#count++] = object
    return -1
  }

  reference(number, position) {
    this.flags |= REFERS
    this.bytes[position] = REFERENCE
    this.view.setUint32(position + 1, number, true)
    return position + 5
  }

  /** Returns a mark, for `takeBack` to forget all bytes that are written from here on. */
  mark(position) {
    const handles = this.handles?.objects.length ?? 0
    return { position, count: this.#count, defined: this.defined.length, depth: this.depth, handles }
  }

  /** Forgets the bytes behind a mark. Returns its position. */
  takeBack({ position, count, defined, depth, handles }) {
    for (let index = count; index < this.#count; index++) {
      this.#numbers?.delete(this.#met[index])
      this.#met[index] = null
    }
    // Those that are compared are not looked for there.
    if (count <= MOST_COMPARED) this.#numbers = null
    this.#count = count
    this.defined.length = defined
    this.depth = depth
    if (handles > 0) this.handles.objects.length = handles
    else this.handles = null
    return position
  }

  // Numbers and strings: each returns the position behind it

  number(value, position) {
    if ((value | 0) !== value || (value === 0 && 1 / value < 0)) {
      this.bytes[position] = DOUBLE
      this.view.setFloat64(position + 1, value, true)
      return position + 9
    }
    if (value >= 0 && value < SHORT_TEXT) {
      this.bytes[position] = value
      return position + 1
    }
    this.bytes[position] = INTEGER
    this.view.setInt32(position + 1, value, true)
    return position + 5
  }

  string(value, position) {
    const { length } = value
    if (length > LONGEST_BY_HAND) return this.#longString(value, length, position)
    const { bytes } = this
    let at = position + 1
    for (let index = 0; index < length; index++) {
      const code = value.charCodeAt(index)
      if (code > 0xff) return this.#wideString(value, length, position)
      bytes[at++] = code
    }
    bytes[position] = SHORT_TEXT + length
    return at
  }

  #longString(value, length, position) {
    if (BEYOND_LATIN1.test(value)) return this.#wideString(value, length, position)
    if (this.goApart(length)) return this.#textApart(value, false, position)
    if (position + length > this.high) this.grow(position, length)
    const start = this.#lengthOfText(length, position)
    this.buffer.latin1Write(value, start, length)
    return start + length
  }

  #lengthOfText(length, position) {
    if (length <= LONGEST_SHORT_TEXT) {
      this.bytes[position] = SHORT_TEXT + length
      return position + 1
    }
    this.bytes[position] = LATIN1
    this.view.setUint32(position + 1, length, true)
    return position + 5
  }

  #wideString(value, length, position) {
    if (this.goApart(2 * length)) return this.#textApart(value, true, position)
    if (position + 2 * length > this.high) this.grow(position, 2 * length)
    this.bytes[position] = WIDE
    this.view.setUint32(position + 1, length, true)
    this.buffer.ucs2Write(value, position + 5, 2 * length)
    return position + 5 + 2 * length
  }

  bigint(value, position) {
    const digits = (value < 0n ? -value : value).toString(16)
    if (position + digits.length > this.high) this.grow(position, digits.length)
    this.bytes[position] = BIGINT
    this.bytes[position + 1] = value < 0n ? 1 : 0
    return this.string(digits, position + 2)
  }
}

function allocate(size) {
  try {
    return new ArrayBuffer(size)
  } catch {
    throw outOfMemory(size)
  }
}

module.exports = { Sink }
