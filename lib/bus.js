'use strict'

// ParallelEventBus: EventEmitter's registration with deferred, isolated, awaitable delivery.
//
// Registration, introspection, warnings and statics are EventEmitter's own. New is the way of `emit`: it hands the
// listeners that it finds to the tracker, and returns.
//
// It is a function and no class, and its methods are enumerable, because EventEmitter is like that: programs call it on
// an object of their own (`ParallelEventBus.call(this)`), and copy its methods to others.

const { EventEmitter } = require('node:events')
const { inspect } = require('node:util')
const { lazily } = require('./lazily.js')
const { NativePromise } = require('./promises.js')
const { snapshotOf } = require('./listeners/snapshot.js')
const { STATE, addState } = require('./state.js')
const { defineStatics } = require('./statics/defaults.js')
const { validateBounds, validateBusOptions, validateCloseOptions, validateFunction } = require('./validate.js')
const { EmitterView } = require('./view.js')
const symbols = require('./symbols.js')

const inspecting = lazily(() => require('./inspect.js'))
const pooling = lazily(() => require('./pool/spawn.js'))

function ParallelEventBus(options = {}) {
  if (new.target === undefined) refuseForgottenNew(this)
  validateBusOptions(options, new.target !== ParallelEventBus)
  const hasOwnEmit = Object.hasOwn(this, 'emit')
  EventEmitter.call(this, options)
  // Bun gives an emitter with `captureRejections` an `emit` of its own.
  if (Object.hasOwn(this, 'emit') && !hasOwnEmit) delete this.emit
  setLimit(this, options.maxListeners ?? ParallelEventBus.defaultMaxListeners)
  addState(this, options)
}

/** Throws for a call without `new`, unless it is for an object that inherits from a bus, or has its methods. */
function refuseForgottenNew(object) {
  const isOwn = typeof object === 'object' && object !== null && object !== globalThis
  if (isOwn && Object.getPrototypeOf(object) !== ParallelEventBus.prototype) return
  throw new TypeError("Class constructor ParallelEventBus cannot be invoked without 'new'")
}

function setLimit(bus, maxListeners) {
  EventEmitter.prototype.setMaxListeners.call(bus, maxListeners)
}

/** Returns the state of a bus, or of an object that has come by the methods of one without its constructor. */
function stateOf(bus) {
  return bus[STATE] ?? begin(bus)
}

function begin(bus) {
  if (bus._maxListeners === undefined) setLimit(bus, ParallelEventBus.defaultMaxListeners)
  return addState(bus, {})
}

/** Returns true for an event that EventEmitter itself emits, or throws for, so that `emit` does more than queue it. */
function isException(event) {
  return event === 'error' || event === 'newListener' || event === 'removeListener'
}

const methods = {
  // Emitting

  emit(event, ...args) {
    const state = this[STATE] ?? begin(this)
    const stored = this._events?.[event]
    if (this !== state.bus) return state.emitAs(this, event, args)
    // The usual cases, in few enough calls for V8 to inline them all.
    if ((stored !== undefined || state.member !== null) && !state.careful && !isException(event)) {
      const listeners = typeof stored === 'object' ? snapshotOf(stored) : stored
      if (state.member === null) {
        state.tracker.enqueue(event, listeners, args, null)
        return true
      }
      if (typeof event === 'string') return state.lane.publish(event, listeners, args)
    }
    return state.emit(event, args, null)
  },

  emitAndWait(event, ...args) {
    return stateOf(this).wait(event, args, null)
  },

  request(event, ...args) {
    return stateOf(this).request(event, args, null)
  },

  with(bounds) {
    validateBounds(bounds, 'bounds')
    const { timeout, signal, transfer, key } = bounds
    const state = stateOf(this)
    return new EmitterView({
      emit: (event, args) => !signal?.aborted && state.emit(event, args, { timeout, signal, transfer, key }),
      wait: (event, args) => state.wait(event, args, { timeout, signal, transfer, key }),
      request: (event, args) => state.request(event, args, { timeout, signal, transfer, key }),
    })
  },

  // Registration

  addListener(event, listener, options) {
    stateOf(this).listeners.add('addListener', event, listener, options)
    return this
  },

  prependListener(event, listener, options) {
    stateOf(this).listeners.add('prependListener', event, listener, options)
    return this
  },

  once(event, listener, options) {
    stateOf(this).listeners.addOnce(event, listener, options, (stored) => this.on(event, stored))
    return this
  },

  prependOnceListener(event, listener, options) {
    stateOf(this).listeners.addOnce(event, listener, options, (stored) => this.prependListener(event, stored))
    return this
  },

  removeListener(event, listener) {
    stateOf(this).listeners.remove(event, listener)
    return this
  },

  removeAllListeners(...events) {
    stateOf(this).listeners.removeAll(events)
    return this
  },

  // Failures and statistics

  setErrorHandler(onError) {
    validateFunction(onError, 'onError')
    stateOf(this).setErrorHandler(onError)
    return this
  },

  clearErrorHandler() {
    stateOf(this).setErrorHandler(undefined)
    return this
  },

  getStats() {
    return stateOf(this).tracker.statistics.read()
  },

  resetStats() {
    stateOf(this).tracker.statistics.reset()
    return this
  },

  // Shutting down

  idle() {
    return stateOf(this).tracker.idle()
  },

  close(options = {}) {
    validateCloseOptions(options)
    return stateOf(this).close(options)
  },

  // The channel

  drained() {
    return stateOf(this).member?.drained() ?? NativePromise.resolve()
  },

  async spawn(module, options = {}) {
    return pooling().spawn(stateOf(this), module, options, methods.spawn)
  },

  ref() {
    stateOf(this).member?.ref(true)
    return this
  },

  unref() {
    stateOf(this).member?.ref(false)
    return this
  },
}

methods.on = methods.addListener
methods.off = methods.removeListener

Object.setPrototypeOf(ParallelEventBus.prototype, EventEmitter.prototype)
Object.setPrototypeOf(ParallelEventBus, EventEmitter)
// EventEmitter's methods, too: programs copy methods from here.
Object.assign(ParallelEventBus.prototype, EventEmitter.prototype, methods)
Object.defineProperties(ParallelEventBus.prototype, {
  constructor: { value: ParallelEventBus, enumerable: false, configurable: true, writable: true },
  needsDrain: {
    get() {
      return stateOf(this).member?.needsDrain ?? false
    },
    configurable: true,
  },
  [inspect.custom]: {
    value() {
      // An object without a state of its own only inherits from a bus, or stands before one.
      if (!Object.hasOwn(this, STATE)) return this
      const { member, tracker } = this[STATE]
      const { pending } = tracker.statistics.read()
      return inspecting().viewOf(this, { channel: member?.channel, pending, closed: tracker.closed })
    },
    configurable: true,
    writable: true,
  },
})

// Older releases of Node 20 do not have it.
if (Symbol.asyncDispose !== undefined) {
  Object.defineProperty(ParallelEventBus.prototype, Symbol.asyncDispose, {
    async value() {
      await this.close()
    },
    configurable: true,
    writable: true,
  })
}

function createParallelEventBus(options) {
  return new ParallelEventBus(options)
}

Object.assign(ParallelEventBus, symbols)
defineStatics(ParallelEventBus)

// In each thread that loads this.
const { PARALLEL_EVENT_BUS_TRACE } = process.env
if (PARALLEL_EVENT_BUS_TRACE) require('./observe/trace.js').traceByEnvironment(PARALLEL_EVENT_BUS_TRACE)

module.exports = { ParallelEventBus, createParallelEventBus }
