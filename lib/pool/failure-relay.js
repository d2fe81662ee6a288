'use strict'

// Failures of listeners in a thread of a pool, on their way to the error handler of the bus that spawned it. Of a flood of
// them, only the number is told: the handler's thread may be slower than the failures, or blocked.

const { encodeShort } = require('../channel/short-error.js')
const { Encoder } = require('../codec/index.js')
const { STATE } = require('../state.js')

/** Number of failures that the other side has not read. */
const MOST_UNREAD = 64

class FailureRelay {
  #port
  #unread = 0
  /** Number of failures that are only counted, and the last one of them. */
  #beyond = 0
  #last = null
  #encoder = new Encoder(() => {})

  constructor(port) {
    this.#port = port
  }

  /** Has the failures of a bus relayed, or not. A handler that the module has set stays. */
  relay(bus, isHandled) {
    const { reporter } = bus[STATE].tracker
    if (reporter.onError === undefined && isHandled) reporter.onError = this.#tell
    else if (reporter.onError === this.#tell && !isHandled) reporter.onError = undefined
  }

  /** Notes that the other side has read one. */
  wasRead() {
    this.#unread--
    if (this.#unread <= MOST_UNREAD / 2) this.flush()
  }

  /** Tells of those that were only counted. */
  flush() {
    if (this.#beyond === 0) return
    const { event, error, listener } = this.#last
    const count = this.#beyond
    this.#beyond = 0
    this.#last = null
    this.#post(event, error, listener, count)
  }

  #tell = (event, error, listener) => {
    if (this.#unread < MOST_UNREAD) {
      this.#post(event, error, listener, 1)
      return
    }
    this.#beyond++
    this.#last = { event, error, listener }
  }

  #post(event, error, listener, count) {
    this.#unread++
    const { buffer, start, end } = encodeShort(this.#encoder, error)
    this.#port.postMessage({
      is: 'failure',
      event: typeof event === 'symbol' ? { symbol: Symbol.keyFor(event), text: String(event) } : event,
      error: buffer.slice(start, end),
      listener: nameOf(listener),
      count,
    })
  }
}

/** Returns the name of a listener, which may be anything, or refuse to be read. */
function nameOf(listener) {
  try {
    return typeof listener.name === 'string' && listener.name !== '' ? listener.name : undefined
  } catch {
    return undefined
  }
}

module.exports = { FailureRelay }
