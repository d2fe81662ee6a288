'use strict'

// Why goals are missed: by hand, one text for each row, by its id. Shown wherever the row is told to have missed one.

const KEEPING =
  'An event that is delivered later has to be kept: with its arguments, its list of listeners and the AsyncResource ' +
  'that carries AsyncLocalStorage. A synchronous emit keeps nothing. On Node 24 to enter and leave that resource’s scope ' +
  'takes 40 ns, and 12 ns on Node 20 and 26: its AsyncContextFrame is exchanged by calls into C++.'

const ON_24 = 'Met on Node 20. On Node 24 the scope of an AsyncResource costs three times as much.'

const LOOP =
  'Each batch goes through the event loop once, so that timers and I/O get their turn; the other one stays ' +
  'in the microtask queue. The work of the bus for an event is spread over few listeners.'

const ASYNC = 'Most of the time is V8’s, for the promise of each async listener and its settling: the same for all.'

const BUSY = 'Met where no other process wants the cores.'

const BETWEEN =
  `${BUSY} Each event is acknowledged, counted and bounded, of which BroadcastChannel does nothing, and encoded in ` +
  'JavaScript, where BroadcastChannel has V8’s own serializer. Encoding takes most of the emitter’s time.'

const SHARED_CORES =
  `${BUSY} To two threads, three share the two cores of this machine: the sum of all work is measured, and each reader ` +
  'decodes in JavaScript, where BroadcastChannel has V8’s own deserializer.'

const LONG =
  'Most of it is copying: once out of V8’s heap and once into it, as BroadcastChannel does. The mailbox bounds the bytes ' +
  'that wait, so an emitter that is faster than its reader waits for room.'

const WIDE =
  'V8 hands out wide text by a call for each string, with a copy, and makes it by another one; its serializer copies ' +
  'within V8.'

const ROWS =
  'Numbers and objects in arrays are looked at one by one in JavaScript, on both sides; V8’s serializer has its elements ' +
  'at hand.'

const KINDS = {
  'undefined-and-0': 'An absent or undefined property takes the general way of a shape.',
  '10-rows-of-objects': ROWS,
  '100-rows-of-objects': ROWS,
  '1000-doubles': ROWS,
  'string-of-1-kib': LONG,
  'string-of-64-kib': LONG,
  'wide-text-of-4-kib': WIDE,
  'buffer-of-4-kib': LONG,
  'buffer-of-64-kib': LONG,
  'buffer-of-1-mib': LONG,
  'float64array-of-64-kib': LONG,
  bigint: 'A BigInt is written as hexadecimal digits: JavaScript has no way to its words but through a typed array.',
}

/** By row: the reason of a kind, or else that of the threads. */
function ofKinds(threads, otherwise) {
  const { payloads } = require('./payloads.js')
  const slugs = Object.keys(payloads).map((kind) => kind.toLowerCase().replace(/\W+/g, '-'))
  return Object.fromEntries(slugs.map((slug) => [`kind-${threads}-${slug}`, KINDS[slug] ?? otherwise]))
}

module.exports = {
  ...ofKinds(1, BETWEEN),
  ...ofKinds(2, SHARED_CORES),
  single: BUSY,
  'deliver-1-emitter': `${KEEPING} With one listener, V8 inlines it and the emit into the loop.`,
  'deliver-3-emitter': KEEPING,
  'deliver-10-emitter': KEEPING,
  'deliver-50-emitter': KEEPING,
  'deliver-1-prototype': ON_24,
  'deliver-10-prototype': ON_24,
  memory:
    'V8 lets its young generation grow once, in the first million emissions. From then on the level stays: the range is over ' +
    'ten steps of a million.',
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
  pool:
    'Of a thread’s start, 20 ms are Node’s own. A bus with a channel is some 85 files of the library, at 0.1 to 0.2 ms each to find, ' +
    'read and compile; piscina’s thread loads few.',
  require: 'To find, read and compile a file takes 0.2 to 0.4 ms, and the library has 33 of them without a channel.',
}
