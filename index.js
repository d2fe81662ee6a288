'use strict'

// The public API. The module is the class, as node:events is EventEmitter, with everything else on it, so that
// `require`, a default import and a named import all reach the same class.

const { ParallelEventBus, createParallelEventBus } = require('./lib/bus.js')
const {
  BusClosedError,
  ListenerTimeoutError,
  MailboxFullError,
  NoListenersError,
  ThreadExitedError,
} = require('./lib/errors.js')

module.exports = ParallelEventBus
module.exports.ParallelEventBus = ParallelEventBus
module.exports.createParallelEventBus = createParallelEventBus
module.exports.BusClosedError = BusClosedError
module.exports.ListenerTimeoutError = ListenerTimeoutError
module.exports.MailboxFullError = MailboxFullError
module.exports.NoListenersError = NoListenersError
module.exports.ThreadExitedError = ThreadExitedError
