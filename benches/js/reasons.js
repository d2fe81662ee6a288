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

const SHARED_WORK = `${BUSY} By hand, with all other processes stopped, it is 96 to 99 % of the ceiling.`

const LONG =
  'Most of it is copying: once out of V8’s heap and once into it, as BroadcastChannel does. The mailbox bounds the bytes ' +
  'that wait, so an emitter that is faster than its reader waits for room.'

// These are out of profiles by `perf`, with the processor time of each thread, on Node 24.

const LONG_TEXT =
  'Copying the text out of V8 is nearly all of the emitter’s work, by a profile; the reader makes strings for a quarter of ' +
  'its time, and collects them for half. V8’s serializer copies within V8.'

const WIDE =
  'The reader is the limit: 1.1 µs, and 0.9 that of the other. 0.3 are making the string, which is the same for both. A third of ' +
  'all is copying: V8 cannot read the mailbox, so the text is copied out of it first.'

const FOUR_KIB =
  'The reader is the limit: 1.7 µs, and 1.1 to 1.6 that of the other. 0.8 are making and freeing an ArrayBuffer, and 0.3 copying ' +
  'into it: the same for both. The way through the mailbox takes 0.6.'

const SIXTY_FOUR_KIB =
  'Emitter and reader of the bus take 10 and 8.5 µs, those of the other 10 and 12. The emitter’s one copy is most of its time; the ' +
  'reader copies nothing, and frees external memory.'

const MEBIBYTE =
  'The emitter’s one copy is the limit: 110 of its 135 to 165 µs, and 30 are the system’s, for pages. The reader copies nothing; its ' +
  '50 to 70 µs are V8’s collections, which external memory brings on. The other one copies in both threads at a time: 135 and 150 µs.'

const ROWS =
  'Of the emitter’s 14 µs for 100 rows 4 are making them, which is in the time of both. For each object the rest is a look at its ' +
  'keys, its prototype and whether it was met before; V8’s serializer has all that at hand.'

const KINDS = {
  'undefined-and-0': 'Of the emitter’s 0.2 µs encoding is 0.06: the rest is the emit, its counts and its crossing.',
  '10-rows-of-objects': ROWS,
  '100-rows-of-objects': ROWS,
  '1000-doubles': 'Of the emitter’s 1.6 µs for encoding 0.4 tell that the array has nothing but elements.',
  'string-of-1-kib': LONG,
  'string-of-64-kib': LONG_TEXT,
  'wide-text-of-4-kib': WIDE,
  'buffer-of-4-kib': FOUR_KIB,
  'buffer-of-64-kib': SIXTY_FOUR_KIB,
  'buffer-of-1-mib': MEBIBYTE,
  'float64array-of-64-kib': SIXTY_FOUR_KIB,
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
  echo:
    `${BUSY} A round trip goes through two event loops, which is all that the echo does: 40 % of the emitter’s time, and 12 % are ` +
    'its wakes. Its microtasks, with the outcome’s promise, are 16 %; the engine, with its locks, is 4 %.',
  'request-event':
    'The emitter’s thread is the limit: 5.3 µs for a task, and 2.4 of each thread. 22 % are the promises of the callers and ' +
    'their continuations, 17 % scavenges, which copy the values in flight. Writing and reading the event takes 0.6 µs on each side.',
  cold: `${BUSY} The code of the bus is interpreted in the first events, that of BroadcastChannel is compiled.`,
  'late-burst': `${BUSY} An emitter that is stopped in the middle of its burst finds its listener asleep again.`,
  timer: `${BUSY} The bus gives the loop its turn every 4 ms; another process may have the core then.`,
  cpu: `${BUSY} The bus gives each thread its tasks beforehand; the ceiling takes the next when it is done with the last.`,
  pool:
    'Of a thread’s start, 20 ms are Node’s own. A bus with a channel is some 80 files of the library, at 0.1 to 0.2 ms each to find, ' +
    'read and compile; piscina’s thread loads few.',
  request:
    'The bus takes 2.5 to 2.8 µs in every run here; piscina between 23 and 46, as the machine lets its threads sleep and wake.',
  ...Object.fromEntries(['one-long', 'pareto', 'equal'].map((mix) => [`mixed-${mix}`, SHARED_WORK])),
  beside:
    `${BUSY} It is the slowest of 100. An event that was given to the thread with the long task is taken over by the other one ` +
    'within a look, each millisecond; a pool that keeps tasks back has no such look, and hands out the next one from this thread.',
  require:
    'To find, read and compile a file takes 0.2 to 0.4 ms, and the library has 29 of them without a channel. To load the binary ' +
    'takes 1.5 ms.',
  'cluster-request':
    'A request wakes six threads, because each process has one of the engine’s own between JavaScript and the link, which goes ' +
    'on while JavaScript is stuck. By hand it wakes four: both of JavaScript, and the server’s twice.',
  'cluster-wait':
    'Three processes and the server share the two cores of this machine, and each process of the bus has the engine’s thread ' +
    'besides. Short runs are 2.9 to 3.5 times as fast, long ones 1.5: the reason is not known.',
  'cluster-emit':
    'Each event is delivered by itself there, counted and acknowledged. By a profile the receiving link’s thread is the limit: a ' +
    'third of its time is memory for deliveries, and a tenth wakes.',
}
