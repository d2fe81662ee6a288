'use strict'

// Shows the running part: in one line at the bottom of a terminal, or, where the output is kept, once.

const CLEAR = '\r\x1b[K'
const DRAW_EVERY_MS = 1000

class StatusLine {
  #name
  #text = ''
  #start = performance.now()
  #timer

  constructor(name) {
    this.#name = name
    if (!process.stderr.isTTY) {
      console.log(`running ${name}`)
      return
    }
    this.#timer = setInterval(() => this.#draw(), DRAW_EVERY_MS)
    this.#draw()
  }

  show(text) {
    this.#text = text
  }

  /** Prints text that stays, above the line. */
  above(text) {
    this.#clear()
    process.stdout.write(text)
  }

  end() {
    clearInterval(this.#timer)
    this.#clear()
  }

  #draw() {
    const seconds = Math.round((performance.now() - this.#start) / 1000)
    const line = `${this.#name}, ${seconds} s  ${this.#text}`
    process.stderr.write(`${CLEAR}${line.slice(0, process.stderr.columns - 1)}`)
  }

  #clear() {
    if (process.stderr.isTTY) process.stderr.write(CLEAR)
  }
}

module.exports = { StatusLine }
