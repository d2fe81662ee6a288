'use strict'

// Bytes that are read from front to end, and never beyond: numbers and strings, and the objects by their numbers.

/** Size of the largest message of which the memory is kept until the next one. */
const LARGEST_KEPT = 2 ** 19
/** Number of characters above which strings are read by a call, which takes about as long as so many characters. */
const LONGEST_BY_HAND = 12
/** Number of bytes below which copies are made faster otherwise. */
const SHORTEST_RAW = 4096
const { fromCharCode } = String
const NOTHING = new Uint8Array(0)

class Source {
  bytes = NOTHING
  /** The same memory. */
  buffer = NOTHING
  view = null
  at = 0
  end = 0
  /** Objects by their numbers; null where nothing in the message refers to one. */
  objects = null

  /** Reads from a place to another from now on. */
  open(bytes, start, end) {
    if (bytes !== this.bytes) this.#use(bytes)
    this.at = start
    this.end = end
  }

  #use(bytes) {
    this.bytes = bytes
    this.buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  }

  /** Lets go of memory that is large. */
  letGo() {
    if (this.bytes.length > LARGEST_KEPT) this.#use(NOTHING)
  }

  fail() {
    throw new TypeError('a message is damaged')
  }

  // Parts of values

  byte() {
    if (this.at >= this.end) this.fail()
    return this.bytes[this.at++]
  }

  isAt(tag) {
    return this.at < this.end && this.bytes[this.at] === tag
  }

  uint32() {
    const { at } = this
    if (at + 4 > this.end) this.fail()
    this.at = at + 4
    return this.view.getUint32(at, true)
  }

  double() {
    const { at } = this
    if (at + 8 > this.end) this.fail()
    this.at = at + 8
    return this.view.getFloat64(at, true)
  }

  /** Reads the number of things that follow, of at least so many bytes each. */
  count(bytes) {
    return this.left(this.uint32(), bytes)
  }

  /** Returns a count, if the rest of the message can hold so many. */
  left(count, bytes) {
    if (count * bytes > this.end - this.at) this.fail()
    return count
  }

  /** Reads so many bytes, into memory of their own. */
  copy(length) {
    const { at } = this
    this.at = at + length
    if (length < SHORTEST_RAW) return this.bytes.slice(at, at + length)
    // Memory that is not filled with zeros first.
    const copy = Buffer.allocUnsafeSlow(length)
    copy.set(this.bytes.subarray(at, at + length))
    return new Uint8Array(copy.buffer)
  }

  // Objects, which have numbers in the order in which they begin

  register(object) {
    if (this.objects !== null) this.objects.push(object)
    return object
  }

  /** Reserves the number of an object that is made after its parts. */
  reserve() {
    return this.objects === null ? 0 : this.objects.push(undefined) - 1
  }

  fill(place, object) {
    if (this.objects !== null) this.objects[place] = object
    return object
  }

  // Strings

  text(length) {
    const { at } = this
    if (at + length > this.end) this.fail()
    this.at = at + length
    return this.latin1(at, length)
  }

  latin1(at, length) {
    if (at + length > this.end) this.fail()
    if (length > LONGEST_BY_HAND) return this.buffer.latin1Slice(at, at + length)
    const { bytes } = this
    switch (length) {
      case 0:
        return ''
      case 1:
        return fromCharCode(bytes[at])
      case 2:
        return fromCharCode(bytes[at], bytes[at + 1])
      case 3:
        return fromCharCode(bytes[at], bytes[at + 1], bytes[at + 2])
      case 4:
        return fromCharCode(bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3])
      case 5:
        return fromCharCode(bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3], bytes[at + 4])
      case 6:
        return fromCharCode(bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3], bytes[at + 4], bytes[at + 5])
      default:
        return this.#longer(at, length)
    }
  }

  #longer(at, length) {
    const { bytes } = this
    const [a, b, c] = [bytes[at], bytes[at + 1], bytes[at + 2]]
    const [d, e, f, g] = [bytes[at + 3], bytes[at + 4], bytes[at + 5], bytes[at + 6]]
    switch (length) {
      case 7:
        return fromCharCode(a, b, c, d, e, f, g)
      case 8:
        return fromCharCode(a, b, c, d, e, f, g, bytes[at + 7])
      case 9:
        return fromCharCode(a, b, c, d, e, f, g, bytes[at + 7], bytes[at + 8])
      case 10:
        return fromCharCode(a, b, c, d, e, f, g, bytes[at + 7], bytes[at + 8], bytes[at + 9])
      case 11:
        return fromCharCode(a, b, c, d, e, f, g, bytes[at + 7], bytes[at + 8], bytes[at + 9], bytes[at + 10])
      default: {
        const [h, i, j, k, l] = [bytes[at + 7], bytes[at + 8], bytes[at + 9], bytes[at + 10], bytes[at + 11]]
        return fromCharCode(a, b, c, d, e, f, g, h, i, j, k, l)
      }
    }
  }

  wide(length) {
    const { at } = this
    this.at = at + 2 * length
    return this.buffer.ucs2Slice(at, this.at)
  }
}

module.exports = { Source }
