'use strict'

// The tests of the suite that fail under Bun and Deno, and the reasons. `npm run test:runtimes` fails when a listed test
// passes, so that the list stays true. Without `test` it is the whole file, which does not end or crashes there. A test
// that is `sometimes` may also pass.

/**
 * @typedef {{ file: string, test?: string, reason: string, sometimes?: boolean }} Gap
 * @type {Record<string, Gap[]>}
 */
const gaps = {
  bun: [
    ...each('codec/errors.test.js', 'structuredClone gives errors other properties, and no cause', [
      'an error has the properties it has with structuredClone',
    ]),
    ...each('codec/compiled.test.js', 'structuredClone gives errors other properties, and no cause', [
      'an error has the properties it has with structuredClone',
    ]),
    ...each('codec/refusal.test.js', 'structuredClone refuses other things, in other words', [
      'a module and a detached buffer are refused',
      'an object that structuredClone hands over without copying is refused by name',
      'values that are nested deeper than the stack is come back',
    ]),
    ...['codec/values.test.js', 'codec/compiled.test.js'].flatMap((file) =>
      each(
        file,
        'structuredClone clones properties of maps, and those that are not enumerable, and looks when it is late',
        [
          'any object becomes a plain one with its own enumerable properties',
          'arrays come back with their holes and properties',
          'maps, sets, dates, expressions and boxed values come back without properties of their own',
          'a map that is changed by a getter inside it comes back as it was',
        ],
      ),
    ),
    ...each('codec/fuzz.test.js', 'structuredClone gives errors, maps and arrays other properties', [
      'any value comes back as structuredClone gives it, or is refused',
    ]),
    ...each('codec/messages.test.js', 'there is no --disallow-code-generation-from-strings', [
      'where no code may be made from strings, it is the same',
    ]),
    ...each('repo/docs.test.js', 'node:test works in `bun test` alone', [
      'docs/testing.md, Waiting for the bus: the program keeps its word',
      'docs/testing.md, Failures that fail the test: the program keeps its word',
      'docs/testing.md, Replaced and late listeners: the program keeps its word',
    ]),
    ...each('runtime/domain.test.js', 'emitters know of no domain', [
      'a domain hears of errors of its emitters that nobody else does: EventEmitter',
      'a domain hears of errors of its emitters that nobody else does: ParallelEventBus',
    ]),
    ...each('repo/integration.test.js', 'what console.log prints looks otherwise', ['3. js baseline.js']),
    ...each('channel/events.test.js', 'a data: URL with JavaScript is imported as its text', [
      'the example of the design holds',
    ]),
    ...each('local/context.test.js', 'async_hooks.createHook is not told of any resource', [
      'async_hooks sees an emission as a resource of its own',
    ]),
    ...each('local/context.test.js', 'what native code calls runs in the async context in which it was passed', [
      'events of other threads come in no async context, wherever the library is loaded, joined and first used',
      'a store that listeners or emitters had is not kept by the thread',
    ]),
    ...each('channel/death.test.js', 'a worker goes on for a while after an unhandled rejection', [
      'a queued event fails with its thread, and never starts: an unhandled rejection',
    ]),
    { file: 'channel/churn.test.js', reason: 'it stops for good where hundreds of workers end at any moment' },
    ...each('runtime/loading.test.js', 'there is no --no-addons, and no permission model', [
      'where addons are not allowed, the error says which flag allows them',
    ]),
    ...each('channel/order.test.js', 'what native code calls runs in the async context of its caller', [
      'events that are read early are in no async context, and those of the bus in that of the emitter',
    ]),
    ...each('local/removals.test.js', 'EventEmitter copies its lists', [
      'adding a listener does not copy the others, with any queue for other events',
    ]),
    ...each('repo/package.test.js', 'what a package does not export has another code than in Node', [
      'only the public door opens',
    ]),
    ...each('repo/soak.test.js', 'the soak collects garbage, for which there is no flag', [
      'a soak of a moment finds nothing, and reports its work',
    ]),
    ...each('spawn/end.test.js', 'a data: URL with JavaScript is imported as its text', [
      'a replacement that does not get ready is ended, also where its module tries to prevent that',
      'an event that waits for a thread that crashes is done by another of the pool',
      'a replacement that fails to start is tried again, later and later',
    ]),
    ...each('spawn/end.test.js', 'an ArrayBuffer that is detached is refused in other words', [
      'a replacement that cannot be started, because its data is gone, is told like one that crashes',
    ]),
    ...each('spawn/pool.test.js', 'resourceLimits of a worker are not kept', [
      'the module gets the data, and its threads the limits, environment and flags',
    ]),
    ...each('spawn/pool.test.js', 'a module is not found in a folder with #, % or ? in its name', [
      'a module is a URL, a path, its text, or CommonJS',
    ]),
    ...each('spawn/pool.test.js', 'a data: URL with JavaScript is imported as its text', [
      'spawn rejects and leaves no thread when the module throws when it is called',
      'spawn rejects and leaves no thread when the module exits when it is loaded',
      'spawn rejects and leaves no thread when the module exits when it is called',
      'spawn rejects and leaves no thread when the module closes its bus and is never ready',
      'a bus that is closed ends threads that would never be ready',
    ]),
    ...each('spawn/pool.test.js', 'a data: URL with JavaScript is imported as its text', [
      'spawn rejects when there is no such module, and when one thread of several fails',
    ]),
    ...each('spawn/pool.test.js', 'a module that does not parse is refused with another error', [
      'spawn rejects and leaves no thread when the module is no JavaScript',
    ]),
    ...each('spawn/pool.test.js', 'execArgv of a worker is not checked', ['the arguments of spawn are checked']),
    ...each('spawn/start.test.js', 'a module that does not parse is refused with another error', [
      'the error for a syntax error names the mistake, and the place where spawn was called',
    ]),
    ...each('spawn/start.test.js', 'a data: URL with JavaScript is imported as its text', [
      'a replacement that gets ready while it is being ended keeps the process until it has ended',
    ]),
    {
      file: 'spawn/start.test.js',
      test: 'a thread that is not ready after ten seconds is warned of, and one that is ready is not',
      reason: 'a process warning may come a turn later than in Node',
      sometimes: true,
    },
    ...each('spawn/start.test.js', 'it runs TypeScript whatever the flags', [
      'the error for TypeScript says which Node runs it',
    ]),
    {
      file: 'spawn/end.test.js',
      test: 'a bus lets go of a pool that has ended, and the pool of the data for its module',
      reason: 'garbage is collected later than in Node',
      sometimes: true,
    },
    ...each('channel/exit-reason.test.js', 'uncaughtExceptionMonitor is not told of errors in a worker', [
      'a request to a thread that ends by an uncaught error has that as the cause of its error',
      'a request to a thread that ends by an unhandled rejection has that as the cause of its error',
      'a request to a thread that ends by an error that a handler ends the thread for has that as the cause of its error',
      'a request to a thread that ends by an error that can hardly be sent has that as the cause of its error',
      'so it is in an emitter of a third thread',
      'so it is for a thread that was not started by spawn',
      'an error that the thread has outlived is not why it ends',
    ]),
    ...each('channel/exit-reason.test.js', 'a data: URL with JavaScript is imported as its text', [
      'spawn rejects with the exit code as the cause, too, if a thread ends before it is ready',
    ]),
    ...each('runtime/copies.test.js', 'an addon that was loaded is not looked for again', [
      'a copy that cannot load the engine of the others is refused',
    ]),
    ...each('repo/test-command.test.js', 'node:test runs no files', [
      'JavaScript: tests are counted, and those that fail reported in full',
    ]),
  ],
  deno: [
    ...each('local/all-or-nothing.test.js', 'addAbortListener does not hear of an abort that another listener stops', [
      'an abort is heard although another listener of the signal stops it',
    ]),
    ...each('channel/sent.test.js', 'terminate of a worker resolves before its environment is cleaned up', [
      'an event may hold anything again when its last listener elsewhere is gone, in batches',
      'an event may hold anything again when its last listener elsewhere is gone, as dispatches',
    ]).map(sometimes),
    ...each('codec/refusal.test.js', 'structuredClone refuses other things, in other words', [
      'a value that structuredClone refuses is refused, wherever it is, in the same words',
      'an object that structuredClone hands over without copying is refused by name',
      'classes of Node are refused if the structuredClone of this Node refuses them',
      'values that are nested deeper than the stack is come back',
    ]),
    ...each('runtime/cost.test.js', 'an event takes more of the heap than in Node', [
      'the bytes that an event takes of the heap',
    ]),
    ...each('repo/docs.test.js', '--require is not heeded, so console.log prints over several lines', [
      'docs/cpu-bound-listeners.md, Before: example 1 prints its comments',
      'docs/from-emittery.md, A listener removed after the emit: example 1 prints its comments',
      'docs/from-eventemitter2.md, Values of listeners: example 1 prints its comments',
      'index.d.ts, emitAndWait: example 1 prints its comments',
    ]),
    ...each('repo/docs.test.js', '--test checks types, and wants those of Node installed', [
      'docs/testing.md, Waiting for the bus: the program keeps its word',
      'docs/testing.md, Failures that fail the test: the program keeps its word',
      'docs/testing.md, Replaced and late listeners: the program keeps its word',
    ]),
    ...each('local/helpers.test.js', 'the AbortError of node:events has no cause', [
      'once rejects with an AbortError when nothing came before the abort, and listens no more from then on',
      'an iterator gives the events from before the abort of its signal, and then throws',
    ]),
    ...each('repo/integration.test.js', 'what console.log prints looks otherwise', [
      'docs/integration.md, step by step',
      'docs/integration.md, step by step > 3. js baseline.js',
    ]),
    ...each('channel/order.test.js', 'what native code calls runs in the async context of its caller', [
      'events that are read early are in no async context, and those of the bus in that of the emitter',
    ]),
    ...each('runtime/memory.test.js', 'it ends where V8 has no memory for itself', [
      'a process without memory for an event goes on, and its emitter is told',
    ]).map(sometimes),
    ...each('runtime/log.test.js', 'what console.log prints looks otherwise', [
      'nothing without it, and nothing for each event',
      'threads that start, crash, are replaced and end',
      'mailboxes that are full, dead letters and stalls',
    ]),
    { file: 'channel/churn.test.js', reason: 'a worker that is terminated in an endless loop goes on' },
    ...each('repo/soak.test.js', 'a worker that is terminated goes on for a while', [
      'a soak of a moment finds nothing, and reports its work',
    ]).map(sometimes),
    ...each('repo/test-command.test.js', 'node:test runs no files', [
      'JavaScript: tests are counted, and those that fail reported in full',
    ]),
    { file: 'channel/death.test.js', reason: 'a worker that is terminated in an endless loop goes on' },
    {
      file: 'local/lifecycle.test.js',
      test: 'event names that are used once and forgotten leave nothing behind',
      reason: 'garbage is collected later than in Node',
      sometimes: true,
    },
    {
      file: 'local/registration.test.js',
      test: 'maxListeners is 55 unless told otherwise, and 0 is no limit',
      reason: 'a process warning may come a turn later than in Node',
      sometimes: true,
    },
    ...each('runtime/loading.test.js', "Node's flags and codes for addons are not there", [
      'where addons are not allowed, the error says which flag allows them',
      'where addons and workers are allowed, it works under the permission model, and may read nothing but itself',
    ]),
    { file: 'group/members.test.js', reason: 'a worker that is terminated in an endless loop goes on' },
    ...each('runtime/native.test.js', 'terminate of a worker resolves before its environment is cleaned up', [
      'two hundred workers load, emit and are terminated at any moment; nothing is left of them',
    ]),
    ...each('local/waiting.test.js', 'a timer that is due comes after events that were queued later', [
      'a timeout counts from the emit: a listener that could not start in time fails without being called',
      'an onError that aborts while the time is over is not told of the rest',
    ]).map(sometimes),
    ...each('spawn/pool.test.js', 'a module that does not parse is refused with another error', [
      'spawn rejects and leaves no thread when the module is no JavaScript',
    ]),
    ...each('spawn/pool.test.js', 'terminate of a worker resolves before its environment is cleaned up', [
      'spawn rejects and leaves no thread when the module throws when it is loaded',
      'spawn rejects and leaves no thread when the module throws when it is called',
      'spawn rejects and leaves no thread when the module rejects',
      'spawn rejects and leaves no thread when the module has no default export',
      'spawn rejects and leaves no thread when the module exports no function',
      'spawn rejects when there is no such module, and when one thread of several fails',
    ]).map(sometimes),
    ...each('spawn/end.test.js', 'terminate of a worker resolves before its environment is cleaned up', [
      'a pool that is closed while a thread is being replaced ends, and starts no more',
    ]).map(sometimes),
    ...each('spawn/end.test.js', 'a worker that is terminated in an endless loop goes on', [
      'a replacement that does not get ready is ended, also where its module tries to prevent that',
    ]),
    ...each('spawn/start.test.js', 'a worker starts and ends in another order than in Node', [
      'a replacement that gets ready while it is being ended keeps the process until it has ended',
    ]).map(sometimes),
    ...each('spawn/start.test.js', 'parentPort has neither close nor removeAllListeners', [
      'a module that closes parentPort is ready when it has registered, and is closed',
      'the error of one that closes parentPort and cannot register is the error of spawn',
      'a module that removes all listeners is ready when it has registered, and is closed',
      'the error of one that removes all listeners and cannot register is the error of spawn',
    ]),
    ...each('spawn/start.test.js', 'a worker does not take these flags of Node', [
      'a module sees its own workerData, in every way to import it',
      'the error for TypeScript says which Node runs it',
    ]),
    ...each('spawn/start.test.js', 'a module that does not parse is refused with another error', [
      'the error for a syntax error names the mistake, and the place where spawn was called',
    ]),
    {
      file: 'spawn/start.test.js',
      test: 'a thread that is not ready after ten seconds is warned of, and one that is ready is not',
      reason: 'a process warning may come a turn later than in Node',
      sometimes: true,
    },
    ...each('spawn/pool.test.js', 'a worker starts and ends in another order than in Node', [
      'a bus that is closed spawns no threads, nor does one that is closed meanwhile',
    ]).map(sometimes),
    {
      file: 'spawn/pool.test.js',
      test: 'a bus that is closed ends threads that would never be ready',
      reason: 'a worker starts and ends in another order than in Node',
      sometimes: true,
    },
  ],
}

/** The same reason for several tests of a file. */
function each(file, reason, tests) {
  return tests.map((test) => ({ file, test, reason }))
}

function sometimes(gap) {
  return { ...gap, sometimes: true }
}

module.exports = gaps
