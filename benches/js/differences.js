'use strict'

// The differences that the numbers beside a contestant leave out, in a few words: shown beside each row.

const ON_THE_STACK = 'on the emitter’s stack; the first error ends it'
const FAILS_FAST = 'starts them at once; tells of the first error only'

module.exports = {
  // Within a thread
  'EventEmitter.emit': ON_THE_STACK,
  eventemitter2: ON_THE_STACK,
  eventemitter3: ON_THE_STACK,
  'tapable SyncHook': 'on the emitter’s stack, in code generated for them; the first error ends it',
  'hookable callHook': 'awaits one after another; the first error ends it',
  'itself without': 'counts, and reads no clock',
  'itself without headers': 'carries no context',
  'itself untraced': 'writes nothing',
  prototype: 'microtasks: keeps timers and I/O out meanwhile',
  'eventemitter2 emitAsync': FAILS_FAST,
  'tapable AsyncParallelHook': 'starts them at once, in code generated for them; tells of the first error only',
  'hookable callHookParallel': FAILS_FAST,
  'emittery 1': 'microtasks; tells of the first error only',
  'emittery 2': 'microtasks; tells of errors, not of successes',

  // Between threads
  BroadcastChannel: 'no acknowledgement; no bound for waiting events',
  postMessage: 'no acknowledgement; no bound for waiting events',
  'postMessage echo': 'knows of no failure, and of no end of a thread',
  'piscina.run': 'its idle thread runs no timer and no I/O',
  piscina: 'gives each thread one task at a time; no events',
  'piscina, 64 per thread': 'no events',
  poolifier: 'takes tasks over from busy threads; no events',
  tinypool: 'gives each thread one task at a time; no events',
  workerpool: 'gives each thread one task at a time; no events',
  'the ceiling': 'no messages: tasks are taken from shared memory',
  'new Worker': 'an empty module: no bus, no listener',
}
