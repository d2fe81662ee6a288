'use strict'

// As fast as this machine does tasks on so many threads: they wait for a word of memory to change, and take the next
// task from another one. No message is sent, and this thread sleeps meanwhile.

const path = require('node:path')
const { Worker } = require('node:worker_threads')
const { CALLS, DONE, NEXT, ROUND, STEPS, STOP, TASKS } = require('./words.js')

class Ceiling {
  #words
  #threads
  #exits

  /** @param {number[]} tasks the steps of each, in the order in which they are taken */
  constructor(threads, tasks) {
    this.#threads = threads
    this.#words = new Int32Array(new SharedArrayBuffer((STEPS + tasks.length) * Int32Array.BYTES_PER_ELEMENT))
    this.#words[TASKS] = tasks.length
    this.#words.set(tasks, STEPS)
    const workerData = { memory: this.#words.buffer, threads }
    this.#exits = Array.from({ length: threads }, () => {
      const worker = new Worker(path.join(__dirname, 'plain.js'), { workerData })
      return new Promise((resolve, reject) => worker.once('exit', resolve).once('error', reject))
    })
  }

  get calls() {
    return Atomics.load(this.#words, CALLS)
  }

  /** Has all tasks done. */
  run() {
    const words = this.#words
    words[NEXT] = 0
    Atomics.store(words, DONE, 0)
    this.#start()
    for (let done = 0; done < this.#threads; done = Atomics.load(words, DONE)) Atomics.wait(words, DONE, done)
  }

  close() {
    Atomics.store(this.#words, STOP, 1)
    this.#start()
    return Promise.all(this.#exits)
  }

  #start() {
    Atomics.add(this.#words, ROUND, 1)
    Atomics.notify(this.#words, ROUND)
  }
}

module.exports = { Ceiling }
