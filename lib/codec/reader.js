'use strict'

// Reads the values of one message, from front to end. A message may come from anywhere: for any bytes, reading throws
// or ends, takes no more memory than a message of that length can hold, and looks at nothing beside it.

const { readBuffer, readBytes, readResizable, readView } = require('./buffers.js')
const { readMap, readSet, readSparse } = require('./collections.js')
const { absent, define } = require('./define.js')
const { readDOMException, readError } = require('./errors.js')
const { ARGUMENTS, NOTED, REFERS, SHORT_TEXT, TAGS, VERSION, VERSION_MASK, tags } = require('./format.js')
const { definitionAt } = require('./definitions.js')
const { readDeep } = require('./deep-reader.js')
const { isRunOf, readInto, readRun } = require('./runs.js')
const { Source } = require('./source.js')

const { ABSENT, APART, ARRAY, BIGINT, BOXED, BUFFER, BYTES, DATE, DEFINED, DEFINED_BEFORE, DOM_EXCEPTION, DOUBLE } =
  tags
const { DOUBLES, ERROR, FALSE, HANDLE, INTEGER, INTEGERS, LATIN1, MAP, NULL, OBJECT, PAIRS, REFERENCE, REGEXP } = tags
const { RESIZABLE_BUFFER, SET, SHORT_ARRAY, SPARSE_ARRAY, TRUE, UNDEFINED, VIEW, WIDE, WORD } = tags

/** Largest number of nested objects that are read with the stack. */
const DEEPEST = 100
const HEX = /^[0-9a-f]+$/

class Reader extends Source {
  /** Shapes that the message has defined. */
  defined = []
  /** The value before the arguments of the last message; null if there was none. */
  note = null
  /** Number of open objects of the kinds that can be deep. */
  #depth = 0
  /** @type {import('./book.js').Book} */
  book = null
  /** Gets the objects beside the message by its number; or null. */
  #handles = null
  /** The objects beside the message, once they were needed. */
  #beside = null
  /** @type {(ArrayBuffer | string | undefined)[] | null} long parts of the message */
  #parts = null

  /** Returns the value of the message that lies from `start` to `end`. It keeps nothing of the memory. */
  message(bytes, start, end, book, handles, parts) {
    this.open(bytes, start, end)
    this.book = book
    this.#handles = handles
    this.#parts = parts
    this.#depth = 0
    try {
      const head = this.byte()
      if ((head & VERSION_MASK) !== VERSION) throw new TypeError(`unknown version of a message: ${head >> 4}`)
      this.objects = (head & REFERS) === 0 ? null : []
      this.note = (head & NOTED) === 0 ? null : this.value()
      const value = (head & ARGUMENTS) === 0 ? this.value() : this.#arguments()
      if (this.at !== end) this.fail()
      return value
    } finally {
      this.objects = null
      this.#beside = null
      this.#parts = null
      if (this.defined.length > 0) this.defined = []
      this.letGo()
    }
  }

  #arguments() {
    let count = this.byte()
    // As long as it is, where V8 would make room for more.
    if (count === 1) return [this.value()]
    if (count === 255) count = this.count(1)
    const values = []
    for (; count > 0; count--) values.push(this.value())
    return values
  }

  #reference() {
    const object = this.objects?.[this.uint32()]
    if (object === undefined) this.fail()
    return object
  }

  // Values

  value() {
    if (this.at >= this.end) this.fail()
    const head = this.bytes[this.at++]
    if (head < SHORT_TEXT) return head
    if (head < TAGS) return this.text(head - SHORT_TEXT)
    switch (head) {
      case OBJECT:
        return this.#object()
      case WORD:
        return this.word(this.at++)
      case INTEGER:
        return this.uint32() | 0
      case DOUBLE:
        return this.double()
      case SHORT_ARRAY:
        return this.#array(this.byte())
      case NULL:
        return null
      case UNDEFINED:
        return undefined
      case TRUE:
        return true
      case FALSE:
        return false
      case LATIN1:
        return this.text(this.count(1))
      case WIDE:
        return this.wide(this.count(2))
      case DEFINED_BEFORE:
        return this.#shaped(this.defined[this.uint32()])
      default:
        return this.#rare(head)
    }
  }

  #rare(head) {
    switch (head) {
      case DEFINED:
        return this.#define()
      case REFERENCE:
        return this.#reference()
      case ARRAY:
        return this.#array(this.uint32())
      case BIGINT:
        return this.#bigint()
      case DATE:
        return this.register(new Date(this.double()))
      case PAIRS:
      case SPARSE_ARRAY:
      case MAP:
      case SET:
      case ERROR:
        return this.#nested(head)
      case BYTES:
        return readBytes(this)
      case BUFFER:
        return readBuffer(this)
      case VIEW:
        return readView(this)
      case RESIZABLE_BUFFER:
        return readResizable(this)
      case REGEXP:
        return this.#regexp()
      case BOXED:
        return this.#boxed()
      case DOM_EXCEPTION:
        return readDOMException(this)
      case HANDLE:
        return this.#handle()
      case APART:
        return this.#apart()
      default:
        return this.fail()
    }
  }

  /** Reads a long part. It belongs to one value: no two share memory. */
  #apart() {
    const number = this.uint32()
    const part = this.#parts?.[number]
    if (part === undefined) this.fail()
    this.#parts[number] = undefined
    return typeof part === 'string' ? part : this.register(part)
  }

  /** Reads an object of a kind that can be nested deep. */
  #nested(head) {
    if (this.#depth === DEEPEST) {
      this.at--
      return readDeep(this)
    }
    this.#depth++
    const value = this.#nestedValue(head)
    this.#depth--
    return value
  }

  #nestedValue(head) {
    switch (head) {
      case PAIRS:
        return this.#pairs()
      case SPARSE_ARRAY:
        return readSparse(this)
      case MAP:
        return readMap(this)
      case SET:
        return readSet(this)
      default:
        return readError(this)
    }
  }

  /** Reads a property's value, or `absent`. */
  field() {
    if (this.at < this.end && this.bytes[this.at] === ABSENT) {
      this.at++
      return absent
    }
    return this.value()
  }

  word(at) {
    if (at >= this.end || this.book === null) this.fail()
    return this.book.word(this.bytes[at]) ?? this.fail()
  }

  #handle() {
    const number = this.double()
    const index = this.uint32()
    if (this.#handles === null) this.fail()
    this.#beside ??= this.#handles(number)
    return this.register(this.#beside[index] ?? this.fail())
  }

  #bigint() {
    const isNegative = this.byte() === 1
    const digits = this.value()
    if (typeof digits !== 'string' || !HEX.test(digits)) this.fail()
    const value = BigInt(`0x${digits}`)
    return isNegative ? -value : value
  }

  #regexp() {
    const place = this.reserve()
    const source = this.value()
    const flags = this.value()
    if (typeof source !== 'string' || typeof flags !== 'string') this.fail()
    return this.fill(place, new RegExp(source, flags))
  }

  #boxed() {
    const place = this.reserve()
    const value = this.value()
    if (value === null || value === undefined || typeof value === 'object') this.fail()
    return this.fill(place, Object(value))
  }

  // Objects and arrays

  #object() {
    const { at } = this
    if (at + 2 > this.end || this.book === null) this.fail()
    this.at = at + 2
    return this.#shaped(this.book.shape(this.bytes[at] | (this.bytes[at + 1] << 8)))
  }

  #define() {
    const length = this.count(1)
    const start = this.at
    this.at = start + length
    const definition = definitionAt(this, start, this.at)
    this.defined.push(definition)
    return this.#shaped(definition)
  }

  #shaped(definition) {
    if (definition === undefined) this.fail()
    if (this.objects === null) {
      return definition.read === null ? definition.readFirst(this) : definition.read(this)
    }
    return this.properties(definition)
  }

  /** Reads properties. The object is there before them: they may refer to it. */
  properties({ keys, template }) {
    // A clone has all keys in their order, so that nothing that Object.prototype may have gets in between.
    const object = this.register({ ...template })
    for (let index = 0; index < keys.length; index++) {
      const value = this.field()
      if (value === absent) delete object[keys[index]]
      else object[keys[index]] = value
    }
    return object
  }

  #pairs() {
    const object = this.register({})
    for (let left = this.count(2); left > 0; left--) this.define(object, this.key(), this.field())
    return object
  }

  /** Reads a key of an object. */
  key() {
    const key = this.value()
    if (typeof key !== 'string') this.fail()
    return key
  }

  /** Reads an index of an array of that length, or a key. */
  keyOfArray(length) {
    const key = this.value()
    if (typeof key === 'number' ? !(key < length) : typeof key !== 'string') this.fail()
    return key
  }

  /** Returns a value that has to be there. */
  present(value) {
    if (value === absent) this.fail()
    return value
  }

  /** Gives a property to an object that does not have it. */
  define(object, key, value) {
    if (value === absent) return
    if (key in object) define(object, key, value, true)
    else object[key] = value
  }

  #array(length) {
    if (isRunOf(this, length)) return this.register(readRun(this, length))
    const array = this.register([])
    while (array.length < length) this.#element(array, length)
    return array
  }

  #element(array, length) {
    if (this.at >= this.end) this.fail()
    switch (this.bytes[this.at]) {
      case ABSENT:
        this.at++
        array.length++
        break
      case INTEGERS:
      case DOUBLES:
        readInto(this, array, length)
        break
      default:
        array.push(this.value())
    }
  }
}

module.exports = { Reader }
