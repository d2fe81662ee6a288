'use strict'

// The codebook of another thread, as far as it was read: it only grows, so what is known stays.

const { definitionAt } = require('./definitions.js')
const { book } = require('./format.js')
const { Reader } = require('./reader.js')

class Book {
  #fetch
  #shapes = []
  #words = []
  /** How much of it was read. */
  #read = 0

  /** @param {() => Uint8Array} fetch gets what was published */
  constructor(fetch) {
    this.#fetch = fetch
  }

  /** Undefined where there is none, also in what was published meanwhile. */
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
