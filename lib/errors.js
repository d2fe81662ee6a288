'use strict'

// The errors of this library. Every one carries a `code`, and `instanceof` goes by that code rather than by
// the prototype, so it also holds for an error made by another copy of the library or in another realm (a test
// runner's sandbox).

const { inspect } = require('node:util')

const brand = Symbol.for('@cynic/parallel-event-bus.error')

/** Makes `instanceof Class` true for every error of this library that has the class's code. */
function branded(Class, code) {
  Object.defineProperties(Class.prototype, {
    name: { value: Class.name, configurable: true, writable: true },
    code: { value: code, configurable: true, writable: true },
    [brand]: { value: code },
  })
  Object.defineProperty(Class, Symbol.hasInstance, {
    value(error) {
      // A subclass inherits this, and goes by its prototype.
      if (this !== Class) return Function.prototype[Symbol.hasInstance].call(this, error)
      return typeof error === 'object' && error !== null && error[brand] === code
    },
  })
}

/** Gives the errors of a class the number of losses that each stands for. For many of them it is an own property. */
function counted(Class) {
  Object.defineProperty(Class.prototype, 'count', { value: 1, configurable: true, writable: true })
}

/** Returns the words for a number of events; they have several names where `event` is undefined. */
function events(event, count) {
  return event === undefined ? `${count} events` : `${count} events ${show(event)}`
}

class ListenerTimeoutError extends Error {
  constructor(event, listener, timeout, count = 1) {
    const of = count === 1 ? `${describe(listener)} of ${show(event)}` : `listeners of ${events(event, count)}`
    super(`${of} did not settle ${event === undefined ? 'in time' : `within ${timeout} ms`}`)
    this.event = event
    this.timeout = timeout
    if (count > 1) this.count = count
  }
}
branded(ListenerTimeoutError, 'ERR_LISTENER_TIMEOUT')
counted(ListenerTimeoutError)

class NoListenersError extends Error {
  /** @param {string} [where] the bus's channel, and the events that have listeners there */
  constructor(event, where) {
    super(`nobody listens to ${show(event)}${where === undefined ? '' : ` on ${where}`}`)
    this.event = event
  }
}
branded(NoListenersError, 'ERR_NO_LISTENERS')

class ThreadExitedError extends Error {
  /** @param {boolean} [isEmitter] true if the thread is the one that emitted the event */
  constructor(event, threadId, cause, count = 1, peer = undefined, isEmitter = false) {
    const of = listenersOf(event, count, isEmitter)
    const when = event === null ? 'without being told to' : `before ${of} had settled`
    const thread = threadIn(threadId, peer)
    super(`${thread} ended ${when}`, cause === undefined ? undefined : { cause })
    this.event = event
    this.threadId = threadId
    if (peer !== undefined) this.peer = peer
    if (count > 1) this.count = count
  }
}
branded(ThreadExitedError, 'ERR_THREAD_EXITED')
counted(ThreadExitedError)

class MailboxFullError extends Error {
  /**
   * @param {{ maxMessages?: number, maxBytes?: number, maxQueue?: number }} [bound] the exceeded one; undefined where it
   * differs
   */
  constructor(event, threadId, count = 1, bound = undefined, peer = undefined) {
    const subject =
      count === 1 ? `${event === undefined ? 'an event' : show(event)} was` : `${events(event, count)} were`
    const mailbox = threadId === undefined ? 'a mailbox' : `the mailbox of ${threadIn(threadId, peer)}`
    const [what, wayOut] =
      bound?.maxQueue === undefined ? [mailbox, 'Await bus.drained()'] : ['the queue of the pool', 'Await some replies']
    super(`${what} is full (${boundIn(bound)}): ${subject} not queued. ${wayOut}, or raise it`)
    this.event = event
    this.threadId = threadId
    if (peer !== undefined) this.peer = peer
    if (count > 1) this.count = count
  }
}
branded(MailboxFullError, 'ERR_MAILBOX_FULL')
counted(MailboxFullError)

function boundIn({ maxMessages, maxBytes, maxQueue } = {}) {
  if (maxQueue !== undefined) return `${maxQueue} events that wait, maxQueue`
  if (maxMessages !== undefined) return `${maxMessages} events, mailbox.maxMessages`
  return maxBytes === undefined ? 'mailbox.maxMessages, mailbox.maxBytes' : `${maxBytes} bytes, mailbox.maxBytes`
}

class PeerGoneError extends Error {
  /**
   * @param {{ id: string, name: string } | undefined} peer undefined for several, or one that is not known any more
   * @param {boolean | 'unknown'} started whether the listener was called
   * @param {boolean} [isEmitter] true if the process is the one that emitted the event
   */
  constructor(event, peer, started, count = 1, isEmitter = false) {
    const of = listenersOf(event, count, isEmitter)
    const known = { true: 'had started', false: 'had not got it', unknown: 'may have started' }
    super(`${processOf(peer)} is gone before ${of} had settled, which ${known[started]}`)
    this.event = event
    this.peer = peer
    this.started = started
    if (count > 1) this.count = count
  }
}
branded(PeerGoneError, 'ERR_PEER_GONE')
counted(PeerGoneError)

/** Returns the words for listeners of a thread or process, or of events of its own. */
function listenersOf(event, count, isEmitter) {
  if (count > 1) return `listeners of ${events(event, count)}`
  return isEmitter ? `the listener of its ${show(event)}` : `its listener of ${show(event)}`
}

/** Returns the words for a process. */
function processOf(peer) {
  return peer === undefined ? 'a process' : `process ${peer.name}`
}

/** Returns the words for a thread, of this process or another one. */
function threadIn(threadId, peer) {
  const thread = threadId === undefined ? 'a thread' : `thread ${threadId}`
  return peer === undefined ? thread : `${thread} of ${processOf(peer)}`
}

class BusClosedError extends Error {
  constructor(event) {
    super(`the bus is closed, so ${show(event)} reaches nobody`)
    this.event = event
  }
}
branded(BusClosedError, 'ERR_BUS_CLOSED')

/** Returns the reason of a thread that has ended without an error. */
function exitCodeError(exitCode) {
  return Object.assign(new Error(`exit code ${exitCode}`), { exitCode })
}

/** Returns the reason of a thread that its pool has terminated, because one turn has taken longer than `terminateAfter`. */
function stuckError(threadId, ms) {
  const error = new Error(`thread ${threadId} was stuck in one turn for more than ${ms} ms, its terminateAfter`)
  return Object.assign(error, { code: 'ERR_THREAD_STUCK', threadId, ms })
}

/** Returns the words for a listener. Its name may be anything, or refuse to be read. */
function describe(listener) {
  try {
    if (typeof listener.name === 'string' && listener.name !== '') return `listener ${listener.name}`
  } catch {}
  return 'a listener'
}

/** Returns the words for any value. It may refuse to be looked at. */
function show(value) {
  try {
    return inspect(value)
  } catch {
    return 'a value that cannot be inspected'
  }
}

// The four below are Node's own errors for wrong arguments: plain TypeError and RangeError with Node's codes and
// words. A program that handles EventEmitter's errors handles these, too.

/** @param {string} expected as in `of type function`, `an instance of AbortSignal` */
function invalidArgType(name, expected, value) {
  // Node calls a part of an argument a property.
  const kind = name.includes('.') ? 'property' : 'argument'
  const error = new TypeError(`The "${name}" ${kind} must be ${expected}. Received ${received(value)}`)
  error.code = 'ERR_INVALID_ARG_TYPE'
  return error
}

function received(value) {
  if (value === null || value === undefined) return String(value)
  if (typeof value !== 'object' && typeof value !== 'function') return `type ${typeof value} (${show(value)})`
  try {
    if (typeof value === 'function') return `function ${value.name}`
    if (value.constructor?.name) return `an instance of ${value.constructor.name}`
  } catch {}
  return show(value)
}

function outOfRange(name, range, value) {
  const error = new RangeError(`The value of "${name}" is out of range. It must be ${range}. Received ${show(value)}`)
  error.code = 'ERR_OUT_OF_RANGE'
  return error
}

/** @param {string} way out, a sentence */
function unknownOption(name, way) {
  const error = new TypeError(`The property '${name}' is unknown. ${way}`)
  error.code = 'ERR_INVALID_ARG_VALUE'
  return error
}

function invalidArgValue(name, value, reason) {
  const error = new TypeError(`The argument '${name}' ${reason}. Received ${show(value)}`)
  error.code = 'ERR_INVALID_ARG_VALUE'
  return error
}

/** Returns the error for what cannot be done now. */
function invalidState(message) {
  const error = new Error(message)
  error.code = 'ERR_INVALID_STATE'
  return error
}

function cannotWriteTrace(file, cause) {
  const error = new Error(`the trace cannot be written to ${file}: ${cause.message}`, { cause })
  error.code = 'ERR_TRACE_FILE'
  return error
}

function needsChannel(subject) {
  const error = new TypeError(`${subject} needs a bus with a channel: new ParallelEventBus({ channel: 'orders' })`)
  error.code = 'ERR_INVALID_ARG_VALUE'
  return error
}

// The three below have Node's codes, too.

function messageTooLarge(bytes, most) {
  const error = new RangeError(`An event's message may have ${most} bytes, and this one has ${bytes}`)
  error.code = 'ERR_BUFFER_TOO_LARGE'
  return error
}

/** @param {number | undefined} bytes where they are known */
function outOfMemory(bytes) {
  const size = bytes === undefined ? '' : ` of ${bytes} bytes`
  const error = new RangeError(`There is no memory for an event's message${size}`)
  error.code = 'ERR_MEMORY_ALLOCATION_FAILED'
  return error
}

/** Returns an error like `MailboxFullError`, for events that were not queued for want of memory. */
function outOfMemoryFor(event, threadId, count = 1, peer = undefined) {
  const subject = count === 1 ? `${event === undefined ? 'an event' : show(event)} was` : `${events(event, count)} were`
  const thread = threadIn(threadId, peer)
  const error = new RangeError(`There is no memory for a message to ${thread}, so ${subject} not queued`)
  error.code = 'ERR_MEMORY_ALLOCATION_FAILED'
  return Object.assign(error, { event, threadId }, peer && { peer }, count > 1 && { count })
}

/** Returns the error of an event that is too large for another process. */
function eventTooLarge(event, most, peer, count = 1) {
  const subject = count === 1 ? `${event === undefined ? 'an event' : show(event)} is` : `${events(event, count)} are`
  const error = new RangeError(`${subject} too large for ${processOf(peer)}: more than ${most} bytes, maxEvent`)
  error.code = 'ERR_EVENT_TOO_LARGE'
  return Object.assign(error, { event }, peer && { peer }, count > 1 && { count })
}

/** Returns an error of a link. */
function linkError(code, message) {
  return Object.assign(new Error(message), { code })
}

module.exports = {
  ListenerTimeoutError,
  NoListenersError,
  ThreadExitedError,
  MailboxFullError,
  PeerGoneError,
  BusClosedError,
  describe,
  exitCodeError,
  stuckError,
  show,
  invalidArgType,
  cannotWriteTrace,
  invalidArgValue,
  invalidState,
  needsChannel,
  outOfRange,
  unknownOption,
  messageTooLarge,
  outOfMemory,
  outOfMemoryFor,
  eventTooLarge,
  linkError,
}
