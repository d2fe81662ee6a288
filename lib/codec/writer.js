'use strict'

// Writes one value after the other into memory that grows: primitives, plain objects and dense arrays here, everything
// else in the files beside. Every object is read once, in the order of `structuredClone`.
//
// Nothing here looks for room byte by byte. There are always RESERVE bytes behind `high`; it is enough to ask before a
// value, and after whatever may have written much, whether `high` is passed.

const { isProxy } = require('node:util').types
const { messageTooLarge, outOfMemory } = require('../errors.js')
const { ARGUMENTS, LONGEST_SHORT_TEXT, REFERS, SHORT_TEXT, VERSION, tags } = require('./format.js')
const { refuse } = require('./refusal.js')
const { Site } = require('./shapes.js')
const { writeSpecial } = require('./special.js')
const { writeSparse } = require('./collections.js')
const { writeDeep } = require('./deep-writer.js')

const { getPrototypeOf, hasOwn, keys: keysOf } = Object
const { isArray } = Array
const { BIGINT, LATIN1, WIDE, WORD, ABSENT, REFERENCE, OBJECT, DEFINED, DEFINED_BEFORE, PAIRS } = tags
const { UNDEFINED, NULL, FALSE, TRUE, INTEGER, DOUBLE, SHORT_ARRAY, ARRAY, INTEGERS, DOUBLES } = tags

/** More than any primitive, and any object's primitives, take; longer strings ask for room by themselves. */
const RESERVE = 2048
const FIRST_SIZE = 16_384
/** Where a message lies is told to the engine in numbers of 31 bits. */
const LONGEST = 2 ** 31 - 1
/** A larger buffer is not kept for the next message. */
const LARGEST_KEPT = 2 ** 21 + FIRST_SIZE
/** Characters. Longer strings are written by a call, which takes about as long as so many characters. */
const LONGEST_BY_HAND = 14
/** Fails at once, however long the string is, where V8 keeps it in one byte for each character. */
const BEYOND_LATIN1 = /[^\0-\xff]/
/** More objects than this are looked up in a map: comparing with each would be slower. */
const MOST_COMPARED = 24
/** Objects in each other. What is deeper is written without the stack. */
const DEEPEST = 100
/** Elements. A shorter array of numbers is written one by one. */
const SHORTEST_RUN = 8

/** The last index of short arrays, as a key. */
const INDEXES = Array.from({ length: 256 }, (_, index) => String(index))
/** For elements of arrays and maps that no field holds. */
const NOWHERE = Site.closed()

/** Memory to write into, in the three ways in which it is written. */
class Page {
  /** @param {ArrayBufferLike} memory */
  constructor(memory) {
    this.bytes = new Uint8Array(memory)
    this.buffer = Buffer.from(memory)
    this.view = new DataView(memory)
  }
}

class Writer {
  /** Where messages begin. It is read after the call, so it is shared memory, which nobody can take away. */
  #first = new Page(new SharedArrayBuffer(FIRST_SIZE))
  /** A larger one that the last message needed. It is read in the call, and at once. */
  #larger = null
  bytes
  /** The same memory. */
  buffer
  view
  /** Past it, there has to be more room. */
  high
  /** Where the message starts; what is before it is kept. */
  start = 0
  /** Where `writeDeep` is. */
  at = 0
  /** Flags of the message. */
  flags = 0
  /** Shapes and words of the codebook may be named. */
  usesBook = false
  /** @type {import('./shapes.js').Shapes} */
  shapes
  /** Shapes that this message has defined. */
  defined = []
  /** Objects of this message by their numbers; `numbers` has them, too, where there are many. */
  #met = []
  #count = 0
  #numbers = null
  /** Objects that are open. */
  #depth = 0

  constructor(shapes) {
    this.shapes = shapes
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

  /** Writes a value, or a list of arguments, as a message from `start` on. Returns its end. */
  message(value, isArguments) {
    const { start } = this
    this.flags = 0
    this.#depth = 0
    this.usesBook = isArguments
    if (start > this.high) this.grow(start, 0)
    const end = isArguments ? this.arguments(value, start + 1) : this.value(value, start + 1)
    this.bytes[start] = VERSION | this.flags | (isArguments ? ARGUMENTS : 0)
    return end
  }

  /** Keeps nothing of the message alive. Returns whether it lies elsewhere than in the `memory`. */
  finish() {
    if (this.defined.length > 0) this.defined = []
    const met = this.#met
    if (this.#count > MOST_COMPARED) this.#met = []
    else for (let index = 0; index < this.#count; index++) met[index] = null
    this.#numbers = null
    this.#count = 0
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

  // Objects that are met twice

  /** Returns the number of an object that was met before, else -1. */
  meet(object) {
    const count = this.#count
    const met = this.#met
    if (count < MOST_COMPARED) {
      for (let index = 0; index < count; index++) if (met[index] === object) return index
      met[count] = object
      this.#count = count + 1
      return -1
    }
    return this.#meetMany(object)
  }

  #meetMany(object) {
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

  /** What `takeBack` needs to forget what is written from here on. */
  mark(position) {
    return { position, count: this.#count, defined: this.defined.length, depth: this.#depth }
  }

  /** Returns the position of the mark. */
  takeBack({ position, count, defined, depth }) {
    for (let index = count; index < this.#count; index++) {
      this.#numbers?.delete(this.#met[index])
      this.#met[index] = null
    }
    // Those that are compared are not looked for there.
    if (count <= MOST_COMPARED) this.#numbers = null
    this.#count = count
    this.defined.length = defined
    this.#depth = depth
    return position
  }

  // Values: each returns the position behind it

  /** A list, which nothing can refer to. */
  arguments(values, position) {
    const { length } = values
    if (length < 255) {
      this.bytes[position++] = length
    } else {
      this.bytes[position] = 255
      this.view.setUint32(position + 1, length, true)
      position += 5
    }
    for (let index = 0; index < length; index++) {
      if (position > this.high) this.grow(position, 0)
      position = this.value(values[index], position)
    }
    return position
  }

  value(value, position) {
    switch (typeof value) {
      case 'string':
        return this.string(value, position)
      case 'number':
        return this.number(value, position)
      case 'object':
        if (value !== null) return this.object(value, position, NOWHERE)
        this.bytes[position] = NULL
        return position + 1
      case 'boolean':
        this.bytes[position] = value ? TRUE : FALSE
        return position + 1
      case 'undefined':
        this.bytes[position] = UNDEFINED
        return position + 1
      case 'bigint':
        return this.bigint(value, position)
      default:
        return refuse(value)
    }
  }

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

  object(object, position, site) {
    if (position > this.high) this.grow(position, 0)
    const number = this.meet(object)
    if (number >= 0) return this.reference(number, position)
    if (this.#depth === DEEPEST) return writeDeep(this, object, position)
    if (isProxy(object)) refuse(object)
    this.#depth++
    const prototype = getPrototypeOf(object)
    let end
    // The `arguments` of a function can be iterated, and have the prototype of a plain object.
    if (prototype === Object.prototype && !(Symbol.iterator in object)) end = this.plain(object, position)
    else if (prototype === Array.prototype && isArray(object)) end = this.array(object, position, site)
    else end = writeSpecial(this, object, prototype, position, site)
    this.#depth--
    return end
  }

  // Objects

  plain(object, position) {
    const shape = this.shapes.of(object)
    return shape === null ? this.#pairs(object, keysOf(object), position) : this.shaped(shape, object, position)
  }

  /** An object of whatever class, as its own enumerable properties. */
  properties(object, position) {
    const keys = keysOf(object)
    const shape = this.shapes.withKeys(keys)
    return shape === null ? this.#pairs(object, keys, position) : this.shaped(shape, object, position)
  }

  shaped(shape, object, position) {
    position = this.#head(shape, position)
    return shape.write === null ? this.#fields(shape, object, position) : shape.write(this, object, position)
  }

  /** Names the shape, or says what its keys are. */
  #head(shape, position) {
    const { bytes, defined } = this
    if (shape.number >= 0 && this.usesBook) {
      bytes[position] = OBJECT
      bytes[position + 1] = shape.number
      bytes[position + 2] = shape.number >> 8
      return position + 3
    }
    if (defined[shape.place] === shape) {
      bytes[position] = DEFINED_BEFORE
      this.view.setUint32(position + 1, shape.place, true)
      return position + 5
    }
    shape.place = defined.length
    defined.push(shape)
    shape.seen()
    const { definition } = shape
    if (position + definition.length > this.high) this.grow(position, definition.length)
    this.bytes[position] = DEFINED
    this.bytes.set(definition, position + 1)
    return position + 1 + definition.length
  }

  #fields(shape, object, position) {
    const { keys, sites } = shape
    for (let index = 0; index < keys.length; index++) {
      if (position > this.high) this.grow(position, 0)
      position = this.field(object[keys[index]], position, object, keys[index], sites[index])
    }
    shape.used()
    return position
  }

  /** A property's value. */
  field(value, position, object, key, site) {
    if (typeof value === 'string')
      return site.isOpen ? this.#learn(site, value, position) : this.string(value, position)
    if (typeof value === 'object' && value !== null) {
      site.kind = 'object'
      return this.object(value, position, site)
    }
    if (value === undefined && !hasOwn(object, key)) {
      this.bytes[position] = ABSENT
      return position + 1
    }
    site.kind = typeof value
    return this.value(value, position)
  }

  property(object, key, position) {
    return this.field(object[key], position, object, key, NOWHERE)
  }

  /** A string that may be one of the few that this field has. */
  #learn(site, value, position) {
    site.kind = 'string'
    const word = site.wordFor(value, this.shapes)
    return word >= 0 && this.usesBook ? this.word(word, position) : this.string(value, position)
  }

  word(word, position) {
    this.bytes[position] = WORD
    this.bytes[position + 1] = word
    return position + 2
  }

  #pairs(object, keys, position) {
    this.bytes[position] = PAIRS
    this.view.setUint32(position + 1, keys.length, true)
    return this.pairs(object, keys, position + 5)
  }

  /** Properties, each with its key. */
  pairs(object, keys, position) {
    for (const key of keys) {
      if (position > this.high) this.grow(position, 0)
      position = this.string(key, position)
      if (position > this.high) this.grow(position, 0)
      position = this.property(object, key, position)
    }
    return position
  }

  // Arrays

  array(array, position, site) {
    const { length } = array
    const keys = keysOf(array)
    // Indexes come first, in their order: where the last key is the last index, there are no holes and no other keys.
    if (keys.length !== length || (length > 0 && keys[length - 1] !== (INDEXES[length - 1] ?? String(length - 1)))) {
      return writeSparse(this, array, keys, position)
    }
    if (length < 256) {
      this.bytes[position] = SHORT_ARRAY
      this.bytes[position + 1] = length
      position += 2
    } else {
      this.bytes[position] = ARRAY
      this.view.setUint32(position + 1, length, true)
      position += 5
    }
    return this.#elements(array, length, position, site)
  }

  #elements(array, length, position, site) {
    for (let index = 0; index < length; index++) {
      if (position > this.high) this.grow(position, 0)
      const value = array[index]
      if (typeof value === 'number') {
        if (index === 0 && length >= SHORTEST_RUN) return this.#run(array, value, length, position)
        position = this.number(value, position)
      } else {
        position = this.#element(value, position, array, index, site)
      }
    }
    return position
  }

  #element(value, position, array, index, site) {
    if (typeof value === 'string')
      return site.isOpen ? this.#learn(site, value, position) : this.string(value, position)
    if (value === undefined && !hasOwn(array, index)) {
      this.bytes[position] = ABSENT
      return position + 1
    }
    return this.value(value, position)
  }

  /** An array that begins with a number, the first element: as long as there are numbers they are written without tags. */
  #run(array, value, length, position) {
    let index = 0
    if (position + 9 * length > this.high) this.grow(position, 9 * length)
    const { view } = this
    let at = position + 5
    while (index < length && (value | 0) === value && (value !== 0 || 1 / value > 0)) {
      view.setInt32(at, value, true)
      at += 4
      index++
      if (index < length) value = array[index]
    }
    if (index > 0) position = this.#endRun(INTEGERS, index, position, at)
    const first = index
    at = position + 5
    while (index < length && typeof value === 'number') {
      view.setFloat64(at, value, true)
      at += 8
      index++
      if (index < length) value = array[index]
    }
    if (index > first) position = this.#endRun(DOUBLES, index - first, position, at)
    if (index === length) return position
    position = this.#element(value, position, array, index, NOWHERE)
    for (index++; index < length; index++) {
      if (position > this.high) this.grow(position, 0)
      position = this.#element(array[index], position, array, index, NOWHERE)
    }
    return position
  }

  #endRun(tag, count, position, end) {
    this.bytes[position] = tag
    this.view.setUint32(position + 1, count, true)
    return end
  }
}

function allocate(size) {
  try {
    return new ArrayBuffer(size)
  } catch {
    throw outOfMemory(size)
  }
}

module.exports = { Writer }
