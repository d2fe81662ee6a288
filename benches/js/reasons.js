'use strict'

// Why goals are missed: by hand, one text for each row, by its id. Shown wherever the row is told to have missed one.

const KEEPING =
  'An event that is delivered later has to be kept: with its arguments, its list of listeners and the AsyncResource ' +
  'that carries AsyncLocalStorage. A synchronous emit keeps nothing. On Node 24 to enter and leave that resource’s scope ' +
  'takes 40 ns, and 12 ns on Node 20 and 26: its AsyncContextFrame is exchanged by calls into C++.'

const LOOP =
  'Each batch goes through the event loop once, so that timers and I/O get their turn; the other one stays ' +
  'in the microtask queue. The work of the bus for an event is spread over few listeners.'

const ASYNC = 'Most of the time is V8’s, for the promise of each async listener and its settling: the same for all.'

const BUSY = 'Met where no other process wants the cores.'

const BETWEEN =
  `${BUSY} Each event is acknowledged, counted and bounded, of which BroadcastChannel does nothing, and encoded in ` +
  'JavaScript, where BroadcastChannel has V8’s own serializer. Encoding takes most of the emitter’s time.'

module.exports = {
  single: BUSY,
  'deliver-1-emitter': `${KEEPING} With one listener, V8 inlines it and the emit into the loop.`,
  'deliver-3-emitter': KEEPING,
  'deliver-10-emitter': KEEPING,
  'wait-3-sync': LOOP,
  'wait-10-sync': LOOP,
  'wait-3-async': ASYNC,
  'wait-10-async': ASYNC,
  'burst-1': BETWEEN,
  'burst-2': BETWEEN,
  'burst-4': BETWEEN,
  echo: `${BUSY} The bus looks for messages for 20 µs before it sleeps, and yields the core to other threads.`,
  'late-burst': `${BUSY} An emitter that is stopped in the middle of its burst finds its listener asleep again.`,
  timer: `${BUSY} The bus gives the loop its turn every 4 ms; another process may have the core then.`,
  cpu: `${BUSY} The bus gives each thread its tasks beforehand; the ceiling takes the next when it is done with the last.`,
  require: `${BUSY} It is time on the clock.`,
}
