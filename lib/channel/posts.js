'use strict'

// Posts from thread to thread, beside the engine: what only the runtime can clone. Each thread has a BroadcastChannel of
// its own, which is named by its endpoint, and on which only others post.
//
// A post is there when `post` returns: the other thread can collect it whether its event loop turns or not.

const { setImmediate } = require('node:timers')
const { BroadcastChannel, receiveMessageOnPort } = require('node:worker_threads')
const { version } = require('../../package.json')

/** True where a thread can collect what was posted without a turn of its event loop: in Node. */
const canCollect = process.versions.bun === undefined && process.versions.deno === undefined

class Posts {
  #hear
  #failed
  #own = null
  /**
   * Of other threads, by endpoint. Who has one gets what anybody posts on it, so it is not kept for longer than a turn.
   *
   * @type {Map<number, BroadcastChannel>}
   */
  #others = new Map()

  /**
   * @param {number} endpoint of this thread
   * @param {(post: unknown) => void} hear called for each post
   * @param {() => void} failed called for one that this thread cannot read
   */
  constructor(endpoint, hear, failed) {
    this.#hear = hear
    this.#failed = failed
    if (!canCollect) return
    this.#own = open(endpoint)
    this.#own.onmessage = ({ data }) => hear(data)
    this.#own.onmessageerror = failed
    this.keepAlive(false)
  }

  /** Whether this thread stays alive until a post comes. */
  keepAlive(keep) {
    if (keep) this.#own?.ref()
    else this.#own?.unref()
  }

  /**
   * @param {number} endpoint another thread's; where that has ended, nobody gets it
   * @throws {DOMException} DataCloneError: the runtime does not clone it
   */
  post(endpoint, post) {
    let other = this.#others.get(endpoint)
    if (other === undefined) {
      if (this.#others.size === 0) setImmediate(this.#close)
      other = open(endpoint)
      other.unref()
      this.#others.set(endpoint, other)
    }
    other.postMessage(post)
  }

  #close = () => {
    for (const other of this.#others.values()) other.close()
    this.#others.clear()
  }

  /** Hears all that was posted for this thread. */
  collect() {
    if (this.#own === null) return
    for (;;) {
      let received
      try {
        received = receiveMessageOnPort(this.#own)
      } catch {
        this.#failed()
        continue
      }
      if (received === undefined) return
      this.#hear(received.message)
    }
  }
}

function open(endpoint) {
  return new BroadcastChannel(`@cynic/parallel-event-bus@${version}/${endpoint}`)
}

module.exports = { Posts, canCollect }
