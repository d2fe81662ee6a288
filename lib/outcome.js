'use strict'

// What the emitter of an awaited emission learns.

const { NoListenersError } = require('./errors.js')

class Awaited {
  constructor() {
    this.promise = new Promise((resolve, reject) => {
      this.resolve = resolve
      this.reject = reject
    })
  }

  /** The emitter gave up: listeners that run go on, unheard by it. */
  abort(reason) {
    this.reject(reason)
  }
}

/** `emitAndWait`: resolves to `{ success, failed, errors }` when every listener has settled. */
class Outcome extends Awaited {
  failures = 0
  /** By listener, with gaps where one succeeded; null before the first failure. */
  errors = null

  failed(index, error) {
    this.failures++
    this.errors ??= []
    this.errors[index] = error
  }

  settle(count) {
    // `filter` skips the gaps, and keeps a thrown `undefined`.
    const errors = this.errors === null ? [] : this.errors.filter(() => true)
    this.resolve({ success: count - this.failures, failed: this.failures, errors })
  }
}

/** `request`: what its one listener returns, or throws. */
class Answer extends Awaited {
  constructor(event) {
    super()
    this.event = event
  }

  /** The listener, as the emission calls it. */
  answering(listener) {
    const { resolve } = this
    function answer(...args) {
      const value = Reflect.apply(listener, this, args)
      resolve(value)
      return value
    }
    answer.listener = listener.listener ?? listener
    return answer
  }

  failed(_index, error) {
    this.reject(error)
  }

  settle(count) {
    // The listener was withdrawn after the request and before its turn.
    if (count === 0) this.reject(new NoListenersError(this.event))
  }
}

module.exports = { Outcome, Answer }
