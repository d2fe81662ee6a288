'use strict'

// The shapes of objects, which are their keys in their order, as an emitting thread learns them. A shape that came up
// in some messages gets a number, and so does a string that a field had several times: both are in the codebook, which
// only grows. A shape that was written often gets a function of its own (`compile.js`).

const { compileWriter } = require('./compile.js')
const { LONGEST_SHORT_TEXT, LONGEST_WORD, MOST_BOOK_BYTES, MOST_KEYS } = require('./format.js')
const { MOST_SHAPES, MOST_WORDS, SHORT_TEXT, book, tags } = require('./format.js')

/** Number of messages that define a shape before it gets a number. Objects that are used as maps have ever new ones. */
const SIGHTINGS = 3
/** Number of times that a field has a string, more than anything else, before that is a word. */
const REPEATS = 6
/** Number of times that a field may have something else before it is taken to have no words. */
const MOST_MISSES = 32
const MOST_WORDS_OF_SITE = 6
/** Number of keys in the tree, of shapes without a number, before these are forgotten. */
const MOST_NODES = 8192

const EMPTY = {}

/** A field of a shape, with the kind and the frequent strings of its values. */
class Site {
  /** The type of its last value. */
  kind = 'undefined'
  /** True if more words may be found. */
  isOpen = true
  words = []
  numbers = []
  #candidate = ''
  #repeats = 0
  #misses = 0

  static closed() {
    const site = new Site()
    site.isOpen = false
    return site
  }

  /** Returns the number of a string in the codebook, or -1. */
  wordFor(value, shapes) {
    const { words } = this
    for (let index = 0; index < words.length; index++) if (words[index] === value) return this.numbers[index]
    if (value !== this.#candidate) {
      if (++this.#misses > MOST_MISSES && words.length === 0) this.isOpen = false
      if (--this.#repeats >= 0) return -1
      this.#candidate = value
      this.#repeats = 0
    }
    if (++this.#repeats >= REPEATS && words.length < MOST_WORDS_OF_SITE) return this.#add(value, shapes)
    return -1
  }

  #add(value, shapes) {
    this.#repeats = 0
    this.#misses = 0
    const number = shapes.addWord(value)
    if (number < 0) return -1
    this.words.push(value)
    this.numbers.push(number)
    return number
  }
}

class Shape {
  /** Number of objects that are written before a shape gets a function: compiling takes as long as it saves on so many. */
  static compilesAfter = 400

  /** Number in the codebook; or -1. */
  number = -1
  /** Index among the shapes that the message has defined. */
  place = 0
  /** @type {((writer: object, object: object, position: number) => number) | null} writes the values */
  write = null
  #shapes
  #sightings = 0
  #uses = 0

  constructor(shapes, keys) {
    this.#shapes = shapes
    this.keys = keys
    this.sites = keys.map(() => new Site())
    this.definition = definitionOf(keys)
  }

  /** Counts a message that has defined it. */
  seen() {
    if (this.number < 0 && ++this.#sightings >= SIGHTINGS) this.number = this.#shapes.addShape(this)
  }

  /** Counts a written object of it. */
  used() {
    if (++this.#uses === Shape.compilesAfter) this.write = compileWriter(this)
  }
}

/** A key in the tree of keys: shapes that begin with the same ones are below each other. */
class Node {
  /** True if some object had the keys down to here, and no more. */
  wasMet = false
  /** The first key that came behind this one, and its node; `others` are in a map. */
  key = undefined
  next = null
  others = null
  shape = null

  after(key) {
    return this.key === key ? this.next : this.others?.get(key)
  }

  add(key) {
    const node = new Node()
    if (this.next === null) {
      this.key = key
      this.next = node
    } else {
      this.others ??= new Map()
      this.others.set(key, node)
    }
    return node
  }
}

class Shapes {
  /** True if the codebook has grown since it was shared. */
  hasGrown = false
  #root = new Node()
  #nodes = 0
  #numbered = []
  /** @type {Map<string, number>} */
  #words = new Map()
  #book = new Uint8Array([book.VERSION])

  /** The entries of the codebook up to now. */
  get codebook() {
    return this.#book
  }

  /** Returns the shape of a plain object; null where it is met for the first time, or has too many keys. */
  of(object) {
    // Nothing, unless a program has added to Object.prototype.
    for (const _ in EMPTY) return this.withKeys(Object.keys(object))
    let node = this.#root
    for (const key in object) {
      if (node.key === key) node = node.next
      else {
        const next = node.others?.get(key)
        if (next === undefined) return this.withKeys(Object.keys(object))
        node = next
      }
    }
    return node.shape ?? this.withKeys(Object.keys(object))
  }

  withKeys(keys) {
    if (keys.length > MOST_KEYS) return null
    let node = this.#root
    for (const key of keys) node = node.after(key) ?? this.#grow(node, key)
    if (node.shape === null) {
      if (node.wasMet) node.shape = new Shape(this, keys)
      node.wasMet = true
    }
    return node.shape
  }

  #grow(node, key) {
    this.#nodes++
    return node.add(key)
  }

  /** Forgets shapes without a number where there are too many. To be called between messages. */
  trim() {
    if (this.#nodes <= MOST_NODES) return
    this.#root = new Node()
    this.#nodes = 0
    for (const shape of this.#numbered) {
      let node = this.#root
      for (const key of shape.keys) node = node.after(key) ?? node.add(key)
      node.shape = shape
    }
  }

  /** Returns the shape's number; or -1, if the codebook is full. */
  addShape(shape) {
    if (this.#numbered.length === MOST_SHAPES || !this.#append(book.SHAPE, shape.definition)) return -1
    return this.#numbered.push(shape) - 1
  }

  /** Returns the number of a word; or -1, if it is none, or the codebook is full. */
  addWord(value) {
    const known = this.#words.get(value)
    if (known !== undefined) return known
    if (value.length > LONGEST_WORD || value.length < 2 || this.#words.size === MOST_WORDS) return -1
    if (!this.#append(book.WORD, textOf(value))) return -1
    const number = this.#words.size
    this.#words.set(value, number)
    return number
  }

  /** Appends an entry, in a new array: another thread may be reading the old one. */
  #append(kind, entry) {
    const { length } = this.#book
    if (length + 1 + entry.length > MOST_BOOK_BYTES) return false
    const grown = new Uint8Array(length + 1 + entry.length)
    grown.set(this.#book)
    grown[length] = kind
    grown.set(entry, length + 1)
    this.#book = grown
    this.hasGrown = true
    return true
  }
}

/** Returns the keys of a shape in bytes: the number of bytes that follow, the number of keys, and these. */
function definitionOf(keys) {
  const texts = keys.map(textOf)
  const length = texts.reduce((sum, text) => sum + text.length, 1)
  const definition = new Uint8Array(4 + length)
  new DataView(definition.buffer).setUint32(0, length, true)
  definition[4] = keys.length
  let at = 5
  for (const text of texts) {
    definition.set(text, at)
    at += text.length
  }
  return definition
}

/** Returns a key or a word in bytes, written like a value. */
function textOf(text) {
  // Not by Buffer.from, which writes into memory that programs may send: the pool of small Buffers.
  const { length } = text
  const isShort = length <= LONGEST_SHORT_TEXT && !/[^\0-\xff]/.test(text)
  const bytes = new Uint8Array(isShort ? 1 + length : 5 + 2 * length)
  const view = new DataView(bytes.buffer)
  bytes[0] = isShort ? SHORT_TEXT + length : tags.WIDE
  if (!isShort) view.setUint32(1, length, true)
  for (let index = 0; index < length; index++) {
    if (isShort) bytes[1 + index] = text.charCodeAt(index)
    else view.setUint16(5 + 2 * index, text.charCodeAt(index), true)
  }
  return bytes
}

module.exports = { Shape, Shapes, Site }
