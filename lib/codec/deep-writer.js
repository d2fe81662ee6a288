'use strict'

// Writes values that are nested so deep that the stack might not do. The open objects are in a list, each with what it
// holds and how much of that is written. Slower, and deep enough for any use.
//
// All of them stay open until the innermost is written, and the garbage collector moves whatever stays. So a level is a
// place in a few arrays, and no object of its own.

const { types } = require('node:util')
const { isDOMException, isError, keysOfError, writeHeadOfError, writePropertyHead } = require('./errors.js')
const { tags } = require('./format.js')
const { headOfSparse, keyOfSparse, valuesOf } = require('./collections.js')
const { refuse } = require('./refusal.js')
const { isOrdinary, writeSpecial } = require('./special.js')

/** Largest number of levels. `structuredClone` gives up before, in any thread without an extraordinary stack. */
const DEEPEST = 32_768

/** Kinds of open objects. */
const [OBJECT, ARRAY, COLLECTION, ERROR] = [0, 1, 2, 3]

/** Writes an object that was met. */
function writeDeep(writer, object, position) {
  writer.at = position
  const open = new Open(writer)
  open.enter(object)
  while (open.depth > 0) {
    try {
      while (open.depth > 0) open.step()
    } catch (error) {
      open.fail(error)
    }
  }
  return writer.at
}

/** The open objects, from the outermost on. */
class Open {
  /** Number of them. */
  depth = 0
  #writer
  #kinds = []
  #objects = []
  /** What each holds: keys, or values; of an error its keys, each with its visibility behind it. */
  #lists = []
  /** Number of entries of the list that are written, or are being written. */
  #written = []
  /** Of errors: the mark of the property that is being written, or null. */
  #marks = []

  constructor(writer) {
    this.#writer = writer
  }

  /** Writes the head of an object that was met, or all of one that holds no others. */
  enter(object) {
    const writer = this.#writer
    if (this.depth === DEEPEST) throw new RangeError(`A value is nested more than ${DEEPEST} levels deep.`)
    if (types.isProxy(object)) refuse(object)
    if (Array.isArray(object)) {
      const keys = Object.keys(object)
      writer.at = headOfSparse(writer, object, keys, room(writer))
      this.#push(ARRAY, object, keys)
    } else if (types.isMap(object) || types.isSet(object)) {
      const { tag, values, count } = valuesOf(object)
      head(writer, tag, count)
      this.#push(COLLECTION, object, values)
    } else if (isError(object) && !isDOMException(object)) {
      writer.at = writeHeadOfError(writer, object, room(writer))
      this.#push(ERROR, object, keysOfError(object))
    } else if (isOrdinary(writer, object)) {
      const keys = Object.keys(object)
      head(writer, tags.PAIRS, keys.length)
      this.#push(OBJECT, object, keys)
    } else {
      writer.at = writeSpecial(writer, object, Object.getPrototypeOf(object), room(writer))
    }
  }

  #push(kind, object, list) {
    const level = this.depth++
    this.#kinds[level] = kind
    this.#objects[level] = object
    this.#lists[level] = list
    this.#written[level] = 0
    this.#marks[level] = null
  }

  #pop() {
    const level = --this.depth
    this.#objects[level] = null
    this.#lists[level] = null
    this.#marks[level] = null
  }

  /** Writes the next entry of the innermost object, or its end. */
  step() {
    const level = this.depth - 1
    const list = this.#lists[level]
    const index = this.#written[level]
    if (index === list.length) return this.#end(level)
    const object = this.#objects[level]
    const writer = this.#writer
    switch (this.#kinds[level]) {
      case OBJECT:
        this.#written[level] = index + 1
        writer.at = writer.string(list[index], room(writer))
        return this.#property(object, list[index])
      case ARRAY:
        this.#written[level] = index + 1
        writer.at = keyOfSparse(writer, list[index], room(writer))
        return this.#property(object, list[index])
      case COLLECTION:
        this.#written[level] = index + 1
        return this.#value(list[index])
      default:
        this.#written[level] = index + 2
        this.#marks[level] = writer.mark(writer.at)
        return this.#propertyOfError(object, list[index], list[index + 1])
    }
  }

  #end(level) {
    this.#marks[level] = null
    if (this.#kinds[level] === ERROR) mark(this.#writer, tags.END)
    this.#pop()
  }

  #property(object, key) {
    const value = object[key]
    if (value === undefined && !Object.hasOwn(object, key)) mark(this.#writer, tags.ABSENT)
    else this.#value(value)
  }

  #propertyOfError(error, key, visibility) {
    const value = error[key]
    if (value === undefined && !Object.hasOwn(error, key)) return
    this.#writer.at = writePropertyHead(this.#writer, key, visibility, room(this.#writer))
    this.#value(value)
  }

  #value(value) {
    const writer = this.#writer
    const position = room(writer)
    if (typeof value !== 'object' || value === null) {
      writer.at = writer.value(value, position)
      return
    }
    const number = writer.meet(value)
    if (number < 0) this.enter(value)
    else writer.at = writer.reference(number, position)
  }

  /** Leaves out the innermost property of an error that is being written. Throws where there is none. */
  fail(error) {
    while (this.depth > 0 && this.#marks[this.depth - 1] === null) this.#pop()
    if (this.depth === 0) throw error
    this.#writer.at = this.#writer.takeBack(this.#marks[this.depth - 1])
  }
}

function head(writer, tag, count) {
  mark(writer, tag)
  writer.view.setUint32(writer.at, count, true)
  writer.at += 4
}

function mark(writer, tag) {
  const position = room(writer)
  writer.bytes[position] = tag
  writer.at = position + 1
}

/** Returns the position, with room behind it. */
function room(writer) {
  if (writer.at > writer.high) writer.grow(writer.at, 0)
  return writer.at
}

module.exports = { writeDeep }
