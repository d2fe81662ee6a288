'use strict'

// The codebook of another thread, as far as it was read. It only grows, so known entries stay.

const { definitionAt } = require('./definitions.js')
const { book } = require('./format.js')
const { Reader } = require('./reader.js')

class Book {
  #fetch
  #shapes = []
  #words = []
  /** Number of bytes of it that were read. */
  #read = 0

  /** @param {() => Uint8Array} fetch gets the published codebook */
  constructor(fetch) {
    this.#fetch = fetch
  }

  /** Returns the shape of a number; undefined if the codebook, as published by now, has none. */
  shape(number) {
    if (number >= this.#shapes.length) this.#readOn()
    return this.#shapes[number]
  }

  word(number) {
    if (number >= this.#words.length) this.#readOn()
    return this.#words[number]
  }

  #readOn() {
    const bytes = this.#fetch()
    const reader = new Reader()
    reader.open(bytes, 0, bytes.length)
    if (reader.byte() !== book.VERSION) throw new TypeError('unknown version of a codebook')
    reader.at = Math.max(reader.at, this.#read)
    while (reader.at < reader.end) {
      this.#entry(reader)
      this.#read = reader.at
    }
  }

  #entry(reader) {
    if (reader.byte() === book.WORD) {
      const word = reader.value()
      if (typeof word !== 'string') reader.fail()
      this.#words.push(word)
      return
    }
    const length = reader.count(1)
    const start = reader.at
    this.#shapes.push(definitionAt(reader, start, start + length))
    reader.at = start + length
  }
}

module.exports = { Book }
