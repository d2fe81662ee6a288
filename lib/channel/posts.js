'use strict'

// Posts from thread to thread, beside the engine: of objects that only the runtime can clone. They go by BroadcastChannels,
// because a post is there when `post` returns: the other thread can collect it whether its event loop turns or not.
//
// Each thread has a door, named by its endpoint, on which any other posts. Node posts its transferables, such as a Blob or a
// KeyObject, only where no more than two ends of a channel are open. So two threads that have much
// to post to each other get a pair of ends of their own, one pair for each direction, once the other one has opened its end.

const { setImmediate } = require('node:timers')
const { BroadcastChannel, MessagePort, receiveMessageOnPort } = require('node:worker_threads')
const native = require('../native.js')

/** Other code cannot know it, so nothing but posts comes. */
const NAME = `@cynic/parallel-event-bus/${native.secret()}`

/** True where a thread can collect posts without a turn of its event loop: in Node. */
const canCollect = process.versions.bun === undefined && process.versions.deno === undefined

/**
 * A BroadcastChannel is a port with many ends, and `postMessage` of that port takes a transfer list, where there are no
 * more than two. Node hands it out under this name alone.
 */
const HANDLE = 'kHandle'
let hasPorts

/** Returns true where a port can be moved to another thread. */
function canMove() {
  hasPorts ??= canCollect && findsPort()
  return hasPorts
}

class Posts {
  #own
  #hear
  #failed
  /** @type {BroadcastChannel[]} where others post: the door, and ends that others have the other end of */
  #incoming = []
  /** @type {Map<number, BroadcastChannel>} ends of pairs by the endpoint that collects */
  #pairs = new Map()
  /** @type {Map<number, BroadcastChannel>} ends of pairs by the endpoint that posts; they are among the incoming */
  #fromPairs = new Map()
  /**
   * Doors of others, by endpoint. An open end gets every post to that door, so it is open for a turn only.
   *
   * @type {Map<number, BroadcastChannel>}
   */
  #doors = new Map()

  /**
   * @param {number} own the endpoint of this thread
   * @param {(post: unknown) => void} hear called for each post
   * @param {() => void} failed called for one that this thread cannot read
   */
  constructor(own, hear, failed) {
    this.#own = own
    this.#hear = hear
    this.#failed = failed
    if (canCollect) this.#listenOn(`${own}`)
  }

  #listenOn(name) {
    const incoming = open(name)
    incoming.onmessage = ({ data }) => this.#hear(data)
    incoming.onmessageerror = this.#failed
    incoming.unref()
    this.#incoming.push(incoming)
    return incoming
  }

  /** Whether this thread stays alive until a post comes. */
  keepAlive(keep) {
    if (keep) this.#incoming[0]?.ref()
    else this.#incoming[0]?.unref()
  }

  // Pairs

  /** Opens an end for posts of another thread to this one. */
  openFrom(endpoint) {
    if (!this.#fromPairs.has(endpoint)) this.#fromPairs.set(endpoint, this.#listenOn(`${endpoint}>${this.#own}`))
  }

  /** Opens an end for posts to another thread, which has opened its own. */
  openTo(endpoint) {
    if (this.#pairs.has(endpoint)) return
    const pair = open(`${this.#own}>${endpoint}`)
    pair.unref()
    this.#pairs.set(endpoint, pair)
  }

  hasPair(endpoint) {
    return this.#pairs.has(endpoint)
  }

  /** The other thread has ended. */
  close(endpoint) {
    this.#pairs.get(endpoint)?.close()
    this.#pairs.delete(endpoint)
    const from = this.#fromPairs.get(endpoint)
    if (from === undefined) return
    this.#fromPairs.delete(endpoint)
    this.#incoming.splice(this.#incoming.indexOf(from), 1)
    from.close()
  }

  // Posting

  /**
   * @param {number} endpoint another thread's; where that has ended, nobody gets it
   * @param {boolean} byPair posts that go different ways may come in another order
   * @returns {boolean} false where it needs a pair and there is none
   * @throws {DOMException} DataCloneError: the runtime does not clone it
   */
  post(endpoint, post, byPair = this.hasPair(endpoint)) {
    try {
      const to = byPair ? this.#pairs.get(endpoint) : this.#door(endpoint)
      to?.postMessage(post)
      return true
    } catch (error) {
      if (error?.name === 'DataCloneError') throw error
      return false
    }
  }

  /** Moves ports, by a pair, with a post that has them. */
  move(endpoint, post, ports) {
    portOf(this.#pairs.get(endpoint)).postMessage(post, ports)
  }

  #door(endpoint) {
    let door = this.#doors.get(endpoint)
    if (door === undefined) {
      if (this.#doors.size === 0) setImmediate(this.#closeDoors)
      door = open(`${endpoint}`)
      door.unref()
      this.#doors.set(endpoint, door)
    }
    return door
  }

  #closeDoors = () => {
    for (const door of this.#doors.values()) door.close()
    this.#doors.clear()
  }

  /** Hears all that was posted for this thread. */
  collect() {
    for (const incoming of [...this.#incoming]) this.#collectFrom(incoming)
  }

  #collectFrom(incoming) {
    // One that was closed would be refused again and again.
    while (this.#incoming.includes(incoming)) {
      try {
        const received = receiveMessageOnPort(incoming)
        if (received === undefined) return
        this.#hear(received.message)
      } catch {
        this.#failed()
      }
    }
  }
}

function portOf(end) {
  const key = Object.getOwnPropertySymbols(end).find(({ description }) => description === HANDLE)
  return key === undefined ? undefined : end[key]
}

function findsPort() {
  const end = open('port')
  const port = portOf(end)
  end.close()
  return port instanceof MessagePort
}

/** Opens an end. It would keep the async context of an emitter, and hear in that. */
function open(name) {
  let end
  native.callOutside(() => {
    end = new BroadcastChannel(`${NAME}/${name}`)
  })
  return end
}

module.exports = { Posts, canCollect, canMove }
