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
const { deadLetter, stall, threadExit } = require('./lib/symbols.js')

module.exports = ParallelEventBus
module.exports.ParallelEventBus = ParallelEventBus
module.exports.createParallelEventBus = createParallelEventBus
module.exports.BusClosedError = BusClosedError
module.exports.ListenerTimeoutError = ListenerTimeoutError
module.exports.MailboxFullError = MailboxFullError
module.exports.NoListenersError = NoListenersError
module.exports.ThreadExitedError = ThreadExitedError

// The class has these anyway. Named here, they are found by Node where an ES module imports them by name.
module.exports.on = ParallelEventBus.on
module.exports.once = ParallelEventBus.once
module.exports.deadLetter = deadLetter
module.exports.stall = stall
module.exports.threadExit = threadExit
