'use strict'

// Writes values: plain objects and dense arrays here, everything else in the files beside. Every object is read once, in
// the order of `structuredClone`.

const { isProxy } = require('node:util').types
const { ARGUMENTS, BESIDE, NOTED, VERSION, tags } = require('./format.js')
const { refuse, refuseHandle } = require('./refusal.js')
const { writeRun } = require('./runs.js')
const { Site } = require('./shapes.js')
const { Sink } = require('./sink.js')
const { writeSpecial } = require('./special.js')
const { hasElementsAlone, writeSparse } = require('./collections.js')
const { writeDeep } = require('./deep-writer.js')

const { getPrototypeOf, hasOwn, keys: keysOf } = Object
const { isArray } = Array
const { WORD, ABSENT, OBJECT, DEFINED, DEFINED_BEFORE, HANDLE, PAIRS } = tags
const { UNDEFINED, NULL, FALSE, TRUE, SHORT_ARRAY, ARRAY } = tags

/** Largest number of nested objects that are written with the stack. */
const DEEPEST = 100
/** Number of elements below which an array of numbers is written one by one. */
const SHORTEST_RUN = 8

/** The last index of short arrays, as a key. */
const INDEXES = Array.from({ length: 256 }, (_, index) => String(index))
/** The site of elements of arrays and maps, which no field holds. */
const NOWHERE = Site.closed()

class Writer extends Sink {
  /** @type {import('./shapes.js').Shapes} */
  shapes
  /** Gives a number to the handles of a message; null where they are refused. */
  numberHandles = null
  /** A value that goes before the arguments; null for none. */
  note = null

  constructor(shapes) {
    super()
    this.shapes = shapes
  }

  /** Writes a value, or a list of arguments, as a message from `start` on. Returns its end. */
  message(value, isArguments) {
    const { start } = this
    this.flags = 0
    this.depth = 0
    this.usesBook = isArguments
    if (start > this.high) this.grow(start, 0)
    let at = start + 1
    if (this.note !== null) {
      this.flags |= NOTED
      at = this.value(this.note, at)
    }
    const end = isArguments ? this.arguments(value, at) : this.value(value, at)
    if (this.handles !== null) this.flags |= BESIDE
    this.bytes[start] = VERSION | this.flags | (isArguments ? ARGUMENTS : 0)
    return end
  }

  // Values: each returns the position behind it

  /** Writes a list, which nothing can refer to. */
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

  object(object, position, site) {
    if (position > this.high) this.grow(position, 0)
    const number = this.meet(object)
    if (number >= 0) return this.reference(number, position)
    if (this.depth === DEEPEST) return writeDeep(this, object, position)
    if (isProxy(object)) refuse(object)
    this.depth++
    const prototype = getPrototypeOf(object)
    let end
    // The `arguments` of a function can be iterated, and have the prototype of a plain object.
    if (prototype === Object.prototype && !(Symbol.iterator in object)) end = this.plain(object, position)
    else if (prototype === Array.prototype && isArray(object)) end = this.array(object, position, site)
    else end = writeSpecial(this, object, prototype, position, site)
    this.depth--
    return end
  }

  // Objects

  /** An object that goes beside the message; a refusal names `named`. */
  handle(object, position, named = object) {
    if (this.numberHandles === null) refuseHandle(named)
    this.handles ??= { number: this.numberHandles(this.ports !== null), objects: [] }
    const { number, objects } = this.handles
    this.bytes[position] = HANDLE
    this.view.setFloat64(position + 1, number, true)
    this.view.setUint32(position + 9, objects.push(object) - 1, true)
    return position + 13
  }

  plain(object, position) {
    const shape = this.shapes.of(object)
    return shape === null ? this.#pairs(object, keysOf(object), position) : this.shaped(shape, object, position)
  }

  /** Writes an object of any class, as its own enumerable properties. */
  properties(object, position) {
    const keys = keysOf(object)
    const shape = this.shapes.withKeys(keys)
    return shape === null ? this.#pairs(object, keys, position) : this.shaped(shape, object, position)
  }

  shaped(shape, object, position) {
    position = this.#head(shape, position)
    return shape.write === null ? this.#fields(shape, object, position) : shape.write(this, object, position)
  }

  /** Writes the number of the shape, or its keys. */
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

  /** Writes a property's value. */
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
    site.kind = value === null ? 'null' : typeof value
    return this.value(value, position)
  }

  property(object, key, position) {
    return this.field(object[key], position, object, key, NOWHERE)
  }

  /** Writes a string that may be one of the few that this field has. */
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

  /** Writes properties, each with its key. */
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
    if (hasElementsAlone(array)) return this.#dense(array, position, site)
    const { length } = array
    const keys = keysOf(array)
    // Indexes come first, in their order: where the last key is the last index, there are no holes and no other keys.
    if (keys.length !== length || (length > 0 && keys[length - 1] !== (INDEXES[length - 1] ?? String(length - 1)))) {
      return writeSparse(this, array, keys, position)
    }
    return this.#dense(array, position, site)
  }

  #dense(array, position, site) {
    const { length } = array
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
        if (index === 0 && length >= SHORTEST_RUN) return writeRun(this, array, value, length, position)
        position = this.number(value, position)
      } else {
        position = this.element(value, position, array, index, site)
      }
    }
    return position
  }

  /** Writes an element that was read. */
  element(value, position, array, index, site = NOWHERE) {
    if (typeof value === 'string')
      return site.isOpen ? this.#learn(site, value, position) : this.string(value, position)
    if (value === undefined && !hasOwn(array, index)) {
      this.bytes[position] = ABSENT
      return position + 1
    }
    return this.value(value, position)
  }
}

module.exports = { Writer }
