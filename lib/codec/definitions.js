'use strict'

// The shapes of objects as readers know them. All readers of a thread share them, so that all read a shape fast that one
// of them has learnt.

const { absent } = require('./define.js')
const { compileReader } = require('./compile.js')
const { MOST_KEYS } = require('./format.js')

/** Number of shapes that are kept; then they are forgotten, and met again. */
const MOST_DEFINITIONS = 2048
/** Largest number of bytes. A longer definition is read each time. */
const LONGEST_KEPT = 2048

/** @type {Map<string, Definition>} by their bytes */
const known = new Map()

class Definition {
  /** Number of objects that are read before a shape gets a function: compiling takes as long as it saves on so many. */
  static compilesAfter = 400

  /** @type {((reader: import('./reader.js').Reader) => object) | null} reads where nothing refers to another object */
  read = null
  #reads = 0
  #heads

  constructor(keys) {
    this.keys = keys
    // `JSON.parse` takes `__proto__` as any other key.
    this.template = JSON.parse(`{${keys.map((key) => `${JSON.stringify(key)}:null`).join()}}`)
    this.#heads = new Uint8Array(keys.length)
  }

  /** Reads an object as long as the shape has no function. */
  readFirst(reader) {
    const { keys } = this
    const object = { ...this.template }
    for (let index = 0; index < keys.length; index++) {
      const head = reader.bytes[reader.at]
      const value = reader.field()
      this.#heads[index] = head
      if (value === absent) delete object[keys[index]]
      else object[keys[index]] = value
    }
    if (++this.#reads === Definition.compilesAfter) this.read = compileReader(keys, this.#heads)
    return object
  }
}

/** Returns the definition that lies between two places of a reader's memory. */
function definitionAt(reader, start, end) {
  if (end - start > LONGEST_KEPT) return read(reader, start, end)
  const bytes = reader.buffer.latin1Slice(start, end)
  let definition = known.get(bytes)
  if (definition === undefined) {
    definition = read(reader, start, end)
    if (known.size === MOST_DEFINITIONS) known.clear()
    known.set(bytes, definition)
  }
  return definition
}

function read(reader, start, end) {
  reader.at = start
  const count = reader.byte()
  if (count > MOST_KEYS) reader.fail()
  const keys = []
  for (let left = count; left > 0; left--) {
    const key = reader.value()
    if (typeof key !== 'string' || keys.includes(key)) reader.fail()
    keys.push(key)
  }
  if (reader.at !== end) reader.fail()
  return new Definition(keys)
}

module.exports = { Definition, definitionAt }
