'use strict'

// What the emitter of an awaited emission learns.

const { NoListenersError } = require('./errors.js')
const { standIn } = require('./registration.js')

// One executor for all promises, instead of a closure for each: it is called before `new Promise` returns.
const captured = { resolve: undefined, reject: undefined }
const capture = (resolve, reject) => {
  captured.resolve = resolve
  captured.reject = reject
}

/** `emitAndWait`: resolves to `{ success, failed, errors }` when every listener has settled. */
class Outcome {
  constructor() {
    this.failures = 0
    /** By listener, with gaps where one succeeded; null before the first failure. */
    this.errors = null
    this.promise = new Promise(capture)
    this.resolve = captured.resolve
    this.reject = captured.reject
  }

  failed(index, error) {
    this.failures++
    this.errors ??= []
    this.errors[index] = error
  }

  settle(count) {
    this.resolve({ success: count - this.failures, failed: this.failures, errors: this.errorsInOrder() })
  }

  errorsInOrder() {
    // `filter` skips the gaps, and keeps a thrown `undefined`.
    return this.errors === null ? [] : this.errors.filter(() => true)
  }

  /** The emitter gave up: listeners that run go on, unheard by it. */
  abort(reason) {
    this.reject(reason)
  }
}

/** Keeps what a listener returns. */
class Answering {
  value = undefined

  /** What the emission calls: `listener`, in the place of what EventEmitter has stored for it. */
  answering(listener, stored) {
    const remember = (value) => {
      this.value = value
      return value
    }
    function answer(...args) {
      const value = Reflect.apply(listener, this, args)
      // Not resolved with as it is: a timeout or an abort may come first. And not a `then` called twice: what is
      // lazy would be done twice.
      return typeof value?.then === 'function' ? Promise.resolve(value).then(remember) : remember(value)
    }
    return standIn(answer, stored)
  }
}

/** `request`: what its one listener returns, or throws. */
class Answer extends Answering {
  constructor(event) {
    super()
    this.event = event
    this.promise = new Promise(capture)
    this.resolve = captured.resolve
    this.reject = captured.reject
  }

  failed(_index, error) {
    this.reject(error)
  }

  settle(count) {
    // None: the listener was withdrawn after the request and before its turn.
    if (count === 0) this.reject(new NoListenersError(this.event))
    else this.resolve(this.value)
  }

  abort(reason) {
    this.reject(reason)
  }
}

module.exports = { Outcome, Answering, Answer }
