'use strict'

// Callbacks that wait for something, by its key.

const { NativePromise } = require('../promises.js')

class Waiting {
  /** @type {Map<number, { emitter: number, delivery: number, heard: () => void }[]>} */
  #lists = new Map()

  get size() {
    return this.#lists.size
  }

  /** Returns whether it is the first one for this key. */
  add(key, wait) {
    const isFirst = !this.#lists.has(key)
    addTo(this.#lists, key, wait)
    return isFirst
  }

  firsts() {
    return Array.from(this.#lists, ([key, [first]]) => [key, first])
  }

  end(key) {
    const list = this.#lists.get(key)
    if (list === undefined) return
    this.#lists.delete(key)
    // Not while a message is being read.
    NativePromise.resolve().then(() => {
      for (const { heard } of list) heard()
    })
  }

  endAll() {
    for (const key of [...this.#lists.keys()]) this.end(key)
  }
}

function addTo(lists, key, value) {
  const list = lists.get(key)
  if (list === undefined) lists.set(key, [value])
  else list.push(value)
}

module.exports = { Waiting, addTo }
