'use strict'

// Marks in the order of events: to know when everything that was emitted before has reached its listeners. A mark is
// an event itself, of a bus of its own, so it keeps the order that all events of a thread keep.

const { ParallelEventBus } = require('../bus.js')
const runQueue = require('../local/run-queue.js')

let marks
let channels = 0

/** Calls back after the listeners of everything that was emitted before, by this thread or to it, have started. */
function afterQueued(callback) {
  if (runQueue.link === null) here(callback)
  else throughEngine(callback)
}

function here(callback) {
  marks ??= new ParallelEventBus().on('mark', (reached) => reached())
  marks.emit('mark', callback)
}

/** Events from other buses may be in this thread's mailbox still. So the mark goes there, too. */
function throughEngine(callback) {
  const { threadId } = require('node:worker_threads')
  const channel = `@cynic/parallel-event-bus/marks/${threadId}/${++channels}`
  const [from, to] = [new ParallelEventBus({ channel }), new ParallelEventBus({ channel })]
  to.once('mark', () => {
    from.close()
    to.close()
    callback()
  })
  from.emit('mark')
}

module.exports = { afterQueued }
