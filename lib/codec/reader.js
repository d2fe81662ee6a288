'use strict'

// What reads plain messages: msgpackr, with readers of objects that are compiled here.
//
// msgpackr by itself stores each property under a computed key, unless it may compile a reader for each shape of object,
// which reads a small event in two thirds of the time. The builds in which it may come with a native part, which takes
// long to load, and longer to read small messages, or by `import` alone. But a shape that has a reader is read with it.
//
// That shapes have readers, and what these call, is in no document of msgpackr's: package.json holds to one minor version
// of it. Where it were otherwise, or no code may be made from strings, msgpackr reads by itself.

const { Unpackr } = require('msgpackr/index-no-eval')

/** Names that can be written in a literal as they are. `__proto__` would be none. */
const NAME = /^(?!__proto__$)[a-zA-Z_$][\w$]*$/

class Reader {
  /** Messages of a sender. To compile takes about as long as it saves on so many, most of it for a module of its own. */
  static compilesAfter = 20_000

  #codebook
  #unpackr
  #messages = 0
  /** What compiled readers call. */
  #read = null
  /** So many shapes have their readers; msgpackr keeps them when it gets a longer codebook. */
  #compiled = 0

  /** @param {() => Uint8Array} codebook may be called again whenever a message is read */
  constructor(codebook) {
    this.#codebook = codebook
    this.#unpackr = this.#readBy(Unpackr)
  }

  /** The value that lies at a place of a Uint8Array, of which it keeps nothing. */
  read(buffer, place) {
    if (this.#messages < Reader.compilesAfter && ++this.#messages === Reader.compilesAfter) this.#compile()
    return this.#unpackr.unpack(buffer, place)
  }

  #compile() {
    const { Unpackr, read } = withReaders()
    if (typeof read !== 'function') return
    this.#read = read
    // One that gets the codebook again.
    this.#unpackr = this.#readBy(Unpackr)
  }

  #readBy(Unpackr) {
    return new Unpackr({ copyBuffers: true, getStructures: () => this.#shapes() })
  }

  #shapes() {
    const shapes = JSON.parse(Buffer.from(this.#codebook()).toString())
    if (this.#read === null) return shapes
    for (const shape of shapes.slice(this.#compiled)) shape.read = compile(shape, this.#read)
    this.#compiled = shapes.length
    return shapes
  }
}

/** The part of msgpackr that shows what its readers call. Nothing where it can not be loaded: a bundle may lack it. */
function withReaders() {
  try {
    return require('msgpackr/unpack-no-eval')
  } catch {
    return {}
  }
}

/** A function that reads an object with these keys; undefined where none can be made. */
function compile(keys, read) {
  try {
    const properties = keys.map((key) => `${NAME.test(key) ? key : `[${JSON.stringify(key)}]`}: read()`)
    return new Function('read', `return () => ({ ${properties.join(', ')} })`)(read)
  } catch {
    return undefined
  }
}

module.exports = { Reader }
