'use strict'

// A link of this process to others, held by the thread that has called `connect`. The work is done by a thread of the
// engine's own, which leaves news here.

const { LINK_STATES } = require('../channel/foreign.js')
const { fromEngine } = require('../channel/names.js')
const {
  LINK_NEWS_CLOSED,
  LINK_NEWS_FAILED,
  LINK_NEWS_OPENED,
  LINK_NEWS_SYNCED,
  LINK_NEWS_WARNING,
} = require('../channel/protocol.js')
const { linkError } = require('../errors.js')
const native = require('../native.js')
const { validateKeys } = require('../option-names.js')
const { Deferred } = require('../promises.js')
const { validateInteger, validateObject } = require('../validate.js')

const LONGEST_TIMEOUT = 2 ** 31 - 1

class Link {
  #handle
  /** Settled when the link is up, or cannot be opened. */
  #opening = new Deferred()
  /** Settled when the link is closed. */
  #closed = new Deferred()
  #isClosing = false
  #isClosed = false
  /** True if the link keeps the event loop alive although it waits for nothing. */
  #ref = false
  /** @type {Map<number, Deferred>} by token */
  #syncs = new Map()
  #lastToken = 0

  /** Opens a link. Resolves to it, or rejects with the reason why it cannot be opened. */
  static open(options) {
    const link = new Link()
    // The function that the engine calls must not be bound to the async context of this call.
    native.callOutside(() => {
      link.#handle = native.openLink(options, () => link.#hear())
    })
    return link.#opening.promise
  }

  get state() {
    return this.#isClosed ? 'closed' : LINK_STATES[native.linkState(this.#handle)]
  }

  peers() {
    if (this.#isClosed) return []
    return native.linkPeers(this.#handle).map(({ id, name, listeners, version, hasJoined }) => ({
      id,
      name: fromEngine(name),
      listeners,
      version,
      state: hasJoined ? 'joined' : 'joining',
    }))
  }

  synced() {
    const synced = new Deferred()
    if (this.#isClosing || this.#isClosed) {
      synced.reject(closedError())
      return synced.promise
    }
    this.#lastToken = (this.#lastToken + 1) >>> 0
    this.#syncs.set(this.#lastToken, synced)
    native.syncLink(this.#handle, this.#lastToken)
    this.#keepAlive()
    return synced.promise
  }

  async close(options = {}) {
    validateObject(options, 'options')
    validateKeys(options, 'options', ['timeout'])
    const { timeout = 10_000 } = options
    validateInteger(timeout, 'options.timeout', 0, LONGEST_TIMEOUT)
    if (this.#isClosed) return this.#closed.promise
    this.#isClosing = true
    native.closeLink(this.#handle, timeout)
    this.#keepAlive()
    return this.#closed.promise
  }

  ref() {
    this.#ref = true
    this.#keepAlive()
    return this
  }

  unref() {
    this.#ref = false
    this.#keepAlive()
    return this
  }

  #keepAlive() {
    if (!this.#isClosed) native.refLink(this.#handle, this.#ref || this.#isClosing || this.#syncs.size > 0)
  }

  #hear() {
    if (this.#isClosed) return
    for (const news of native.linkNews(this.#handle)) this.#take(news)
    this.#keepAlive()
  }

  #take({ kind, number, code, message }) {
    switch (kind) {
      case LINK_NEWS_OPENED:
        return this.#opening.resolve(this)
      case LINK_NEWS_FAILED:
        return this.#opening.reject(linkError(code, message))
      case LINK_NEWS_SYNCED:
        this.#syncs.get(number)?.resolve()
        this.#syncs.delete(number)
        return
      case LINK_NEWS_WARNING:
        return process.emitWarning(message, { code })
      case LINK_NEWS_CLOSED:
        return this.#end(number)
    }
  }

  #end(unsettled) {
    this.#isClosed = true
    for (const synced of this.#syncs.values()) synced.reject(closedError())
    this.#syncs.clear()
    this.#opening.reject(closedError())
    this.#closed.resolve({ unsettled })
  }
}

if (Symbol.asyncDispose !== undefined) {
  Object.defineProperty(Link.prototype, Symbol.asyncDispose, {
    configurable: true,
    writable: true,
    async value() {
      await this.close()
    },
  })
}

function closedError() {
  return linkError('ERR_LINK_CLOSED', 'the link is closed: connect again')
}

module.exports = { Link }
