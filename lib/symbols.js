'use strict'

// The events by which a bus tells of its channel. Symbols, so that they cannot be mistaken for an application's own
// and stay in their thread; registered ones, so that two copies of the library mean the same.

module.exports = {
  threadExit: Symbol.for('@cynic/parallel-event-bus.threadExit'),
  deadLetter: Symbol.for('@cynic/parallel-event-bus.deadLetter'),
  peerJoin: Symbol.for('@cynic/parallel-event-bus.peerJoin'),
  peerExit: Symbol.for('@cynic/parallel-event-bus.peerExit'),
  linkState: Symbol.for('@cynic/parallel-event-bus.linkState'),
  stall: Symbol.for('@cynic/parallel-event-bus.stall'),
}
