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
const { listening } = require('./lib/statics/listening.js')
const { metrics } = require('./lib/statics/metrics.js')
const { on, once } = require('./lib/statics/once-and-on.js')
const { spawned } = require('./lib/statics/spawned.js')
const { trace } = require('./lib/statics/trace.js')
const { deadLetter, linkState, peerExit, peerJoin, stall, threadExit } = require('./lib/symbols.js')

/** Loaded with the first call: most programs have one process. */
async function connect(url, options) {
  return require('./lib/cluster/connect.js').connect(url, options)
}

module.exports = ParallelEventBus
module.exports.ParallelEventBus = ParallelEventBus
module.exports.createParallelEventBus = createParallelEventBus
module.exports.connect = connect
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
module.exports.listening = listening
module.exports.metrics = metrics
module.exports.on = on
module.exports.once = once
module.exports.spawned = spawned
module.exports.trace = trace

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
