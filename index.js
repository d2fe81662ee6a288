'use strict'

// The public API. The module is the class, as node:events is EventEmitter, with everything else on it, so that
// `require`, a default import and a named import all reach the same class.

const events = require('node:events')
const { ParallelEventBus, createParallelEventBus } = require('./lib/bus.js')
const {
  BusClosedError,
  ListenerTimeoutError,
  MailboxFullError,
  NoListenersError,
  PeerGoneError,
  ThreadExitedError,
} = require('./lib/errors.js')
const { late } = require('./lib/lazily.js')
const { deadLetter, linkState, peerExit, peerJoin, stall, threadExit } = require('./lib/symbols.js')

module.exports = ParallelEventBus
module.exports.ParallelEventBus = ParallelEventBus
module.exports.createParallelEventBus = createParallelEventBus
module.exports.connect = late('connect', () => require('./lib/cluster/connect.js').connect)
module.exports.BusClosedError = BusClosedError
module.exports.ListenerTimeoutError = ListenerTimeoutError
module.exports.MailboxFullError = MailboxFullError
module.exports.NoListenersError = NoListenersError
module.exports.PeerGoneError = PeerGoneError
module.exports.ThreadExitedError = ThreadExitedError

module.exports.deadLetter = deadLetter
module.exports.linkState = linkState
module.exports.peerExit = peerExit
module.exports.peerJoin = peerJoin
module.exports.stall = stall
module.exports.threadExit = threadExit
module.exports.listening = late('listening', () => require('./lib/statics/listening.js').listening)
module.exports.metrics = late('metrics', () => require('./lib/statics/metrics.js').metrics)
module.exports.on = late('on', () => require('./lib/statics/once-and-on.js').on)
module.exports.once = late('once', () => require('./lib/statics/once-and-on.js').once)
module.exports.spawned = late('spawned', () => require('./lib/statics/spawned.js').spawned)
module.exports.trace = late('trace', () => require('./lib/statics/trace.js').trace)

// A program that changes `from 'node:events'` to the name of this package means the bus, not the class it extends.
module.exports.EventEmitter = ParallelEventBus

// The class inherits these. Node finds those names for an ES module's imports that are assigned here, one by one.
module.exports.addAbortListener = ParallelEventBus.addAbortListener
module.exports.captureRejections = ParallelEventBus.captureRejections
module.exports.captureRejectionSymbol = ParallelEventBus.captureRejectionSymbol
module.exports.defaultMaxListeners = ParallelEventBus.defaultMaxListeners
module.exports.errorMonitor = ParallelEventBus.errorMonitor
module.exports.getEventListeners = ParallelEventBus.getEventListeners
module.exports.getMaxListeners = ParallelEventBus.getMaxListeners
module.exports.listenerCount = ParallelEventBus.listenerCount
module.exports.setMaxListeners = ParallelEventBus.setMaxListeners
// EventEmitter has a getter for it, which an assignment would not get past.
Object.defineProperty(module.exports, 'EventEmitterAsyncResource', {
  enumerable: true,
  get() {
    return events.EventEmitterAsyncResource
  },
})
