'use strict'

// The results that the emitter of an awaited emission gets.

const { NoListenersError } = require('../errors.js')
const { keep } = require('../kept.js')
const { Deferred, adopt, follow, thenOf } = require('../promises.js')
const { standIn } = require('../listeners/registration.js')

/** Stands before the outcome of an emission, if it has one, and passes each call on to it. */
class OutcomeBefore {
  #next

  constructor(next) {
    this.#next = next
  }

  begin() {
    this.#next?.begin()
  }

  failed(index, error) {
    this.#next?.failed(index, error)
  }

  skip() {
    this.#next?.skip()
  }

  abort(reason) {
    this.#next?.abort(reason)
  }

  settle(count) {
    this.#next?.settle(count)
  }

  get reply() {
    return this.#next?.reply
  }

  get isAwaited() {
    return this.#next?.isAwaited ?? false
  }
}

/** The outcome of `emitAndWait`: resolves to `{ success, failed, errors }` when every listener has settled. */
class Outcome extends Deferred {
  failures = 0
  /** Number of listeners that count for nothing: they were removed before they were called. */
  skipped = 0
  /** Errors by listener, with gaps where one succeeded; null before the first failure. */
  errors = null
  isAwaited = true

  /** Notes that its listeners are about to be called. */
  begin() {}

  failed(index, error) {
    this.failures++
    this.errors ??= []
    this.errors[index] = error
  }

  skip() {
    this.skipped++
  }

  settle(count) {
    this.resolve({ success: count - this.failures - this.skipped, failed: this.failures, errors: this.errorsInOrder() })
  }

  errorsInOrder() {
    // `filter` skips the gaps, and keeps a thrown `undefined`.
    return this.errors === null ? [] : this.errors.filter(() => true)
  }

  /** Rejects: the emitter gave up. Running listeners go on, but their results are ignored. */
  abort(reason) {
    this.isAwaited = false
    this.reject(reason)
  }
}

/**
 * Returns a function for an emission to call in the place of `listener`, for which EventEmitter has `stored`. It keeps
 * the listener's result in `reply.value`.
 */
function replying(reply, listener, stored) {
  const remember = (value) => {
    reply.value = value
    return value
  }
  function call(...args) {
    const value = Reflect.apply(listener, this, args)
    const itsThen = thenOf(value)
    // The reply is not resolved with the promise: a timeout or an abort may come first.
    return itsThen === undefined ? remember(value) : follow(adopt(value, itsThen), remember)
  }
  return standIn(call, stored)
}

/** The reply to `request`: the result of its one listener, or its error. */
class Reply extends Deferred {
  value = undefined
  isAwaited = true
  #isSkipped = false

  constructor(event) {
    super()
    this.event = event
  }

  /** Itself: only a request has a reply. */
  get reply() {
    return this
  }

  /** Returns a function for an emission to call in the place of `listener`, for which EventEmitter has `stored`. */
  replying(listener, stored) {
    return replying(this, listener, stored)
  }

  begin() {}

  failed(_index, error) {
    this.reject(error)
  }

  skip() {
    this.#isSkipped = true
  }

  settle(count) {
    // None: the listener was removed after the request and before its turn.
    if (count === 0 || this.#isSkipped) this.reject(new NoListenersError(this.event))
    else this.resolve(this.value)
  }

  abort(reason) {
    this.isAwaited = false
    this.reject(reason)
  }
}

const listener = () => {}
keep(() => [new Reply('kept'), replying({ value: undefined }, listener, listener)])

module.exports = { OutcomeBefore, Outcome, Reply, replying }
