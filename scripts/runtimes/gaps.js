'use strict'

// What of the suite does not work under Bun and Deno, and why. `npm run test:runtimes` fails when something that is
// listed works, so that the list stays true. Without `test` it is the whole file, which does not end or crashes there.
// What is `sometimes` may also pass.

/**
 * @typedef {{ file: string, test?: string, reason: string, sometimes?: boolean }} Gap
 * @type {Record<string, Gap[]>}
 */
const gaps = {
  bun: [
    ...each(
      'channel-error.test.js',
      'no v8.Serializer: between threads only plain values can be sent, and a listener there that fails ends its thread',
      [
        'an error that is heard in another thread is not thrown',
        'an error that nobody hears in any thread is thrown, as by EventEmitter',
        'a failure is told where its listener ran, and counted where its event came from, in packets',
        'a failure is told where its listener ran, and counted where its event came from, as dispatches',
        'without onError the first failure of a listener is a warning in its thread, as dispatches',
        'captured rejections become error events of the bus where the listener ran',
        'errors come back as errors, those of this thread first and those of each thread in order',
      ],
    ),
    ...each(
      'channel-limits.test.js',
      'no v8.Serializer: between threads only plain values can be sent, and a listener there that fails ends its thread',
      ['a listener with a timeout of its own fails alone, stuck or waiting'],
    ),
    ...each(
      'channel-stats.test.js',
      'no v8.Serializer: between threads only plain values can be sent, and a listener there that fails ends its thread',
      [
        'an emission counts where it was emitted, with its listeners of every thread, in packets',
        'an emission counts where it was emitted, with its listeners of every thread, as dispatches',
      ],
    ),
    ...each(
      'channel.test.js',
      'no v8.Serializer: between threads only plain values can be sent, and a listener there that fails ends its thread',
      [
        'an event reaches the listeners of every thread, in packets',
        'events of one thread reach another in the order of their emission, in packets',
        'an event reaches the listeners of every thread, as dispatches',
        'events of one thread reach another in the order of their emission, as dispatches',
        'what cannot be cloned is refused by emit itself, before anybody got the event',
      ],
    ),
    ...each('channel.test.js', 'a data: URL with JavaScript is imported as its text', [
      'the example of the design holds',
    ]),
    ...each(
      'codec-errors.test.js',
      'no v8.Serializer: between threads only plain values can be sent, and a listener there that fails ends its thread',
      [
        'an error comes back as an error of its class, with its message and stack',
        'an error has what the same error has with structuredClone',
        'code, cause and own properties come along, as enumerable as they were',
        'a property that cannot be cloned or read is left out, and nothing else',
        'an error of another class is an Error with the name that it had',
        'errors of this library come back as such',
        'every class that lib/errors.js exports is known',
        'an AggregateError has its errors',
        'a DOMException is an error with its name, message and code',
        'an error that is its own cause is refused where structuredClone can not read it',
        'errors in cycles and collections are errors too',
        'errors of another realm come back as those of this one',
      ],
    ),
    ...each(
      'codec-refusal.test.js',
      'no v8.Serializer: between threads only plain values can be sent, and a listener there that fails ends its thread',
      [
        'what structuredClone refuses is refused, wherever it is, in the same words',
        'a module and a detached buffer are refused',
        'what structuredClone hands over without copying is refused by name',
        'classes of Node are refused if the structuredClone of this Node refuses them',
        'what a getter throws is what encode throws',
        'nothing of a refused value is in what is encoded next',
        'values that are nested as deep as structuredClone can go come back',
        'deeper values throw, in any thread, and the process lives',
      ],
    ),
    ...each(
      'codec-roads.test.js',
      'no v8.Serializer: between threads only plain values can be sent, and a listener there that fails ends its thread',
      [
        'a message is read from any place of a buffer, whatever is around it, and nothing of the buffer is kept',
        'a getter may encode in the middle of a value',
        'what a getter gives when it is asked again is refused like anything else',
        'answers and errors need no codebook',
        'what was encoded, refused or decoded is not kept in memory',
      ],
    ),
    ...each(
      'codec.test.js',
      'no v8.Serializer: between threads only plain values can be sent, and a listener there that fails ends its thread',
      [
        'primitive values come back as they were',
        'numbers come back as they were, also where their encoding changes',
        'big integers of any size and sign come back as they were',
        'strings of any width and length come back as they were',
        'strings and keys with unpaired surrogates come back as they were',
        'strings and buffers of megabytes come back as they were',
        'keys come back as they were, in their order',
        'any object becomes a plain one with its own enumerable properties',
        'arrays come back with their holes and properties',
        'an array of a million elements comes back',
        'maps, sets, dates, expressions and boxed values come back without properties of their own',
        'a map that is changed by a getter inside it comes back as it was',
        'buffers and views come back with their offsets and with what they share',
        'a view that goes with the length of its buffer still does',
        'what is one object comes back as one object, in cycles too',
        'what is of another realm is cloned into this one',
        'any value comes back as structuredClone gives it',
        'any graph of objects comes back as structuredClone gives it',
      ],
    ),
    ...each('context.test.js', 'async_hooks.createHook is not told of any resource', [
      'async_hooks sees an emission as a resource of its own',
    ]),
    ...each('death.test.js', 'a worker goes on for a while after an unhandled rejection', [
      'what waits for a thread fails with it, and is never begun: an unhandled rejection',
    ]),
    ...each('death.test.js', 'resourceLimits of a worker are not kept', [
      'what runs in a thread fails with it: running out of memory',
      'what waits for a thread fails with it, and is never begun: running out of memory',
    ]),
    ...each(
      'demo.test.js',
      'no v8.Serializer: between threads only plain values can be sent, and a listener there that fails ends its thread',
      ['skips a file that only the threads can not read', 'skips a file that vanished before'],
    ),
    ...each(
      'group-request.test.js',
      'no v8.Serializer: between threads only plain values can be sent, and a listener there that fails ends its thread',
      [
        'a request is answered by one listener, and its value comes back whole',
        'a request fails with the error of its listener, as an error',
        'an answer that can not be cloned is an error of its listener',
      ],
    ),
    { file: 'churn.test.js', reason: 'it stops for good where hundreds of workers end at any moment' },
    ...each('loading.test.js', 'there is no --no-addons, and no permission model', [
      'where addons are not allowed, the error says which flag allows them',
    ]),
    ...each('package.test.js', 'what a package does not export has another code than in Node', [
      'only the public door opens',
    ]),
    ...each('spawn-end.test.js', 'a data: URL with JavaScript is imported as its text', [
      'what waits for a thread that crashes is done by another of the pool',
      'a replacement that fails to start is tried again, later and later',
    ]),
    ...each('spawn.test.js', 'resourceLimits of a worker are not kept', [
      'the module gets the data, and its threads the limits, environment and flags',
    ]),
    ...each('spawn.test.js', 'a module is not found in a folder with #, % or ? in its name', [
      'a module is a URL, a path, its text, or CommonJS',
    ]),
    ...each('spawn.test.js', 'a data: URL with JavaScript is imported as its text', [
      'spawn rejects and leaves no thread when the module throws when it is called',
      'spawn rejects and leaves no thread when the module exits when it is loaded',
      'spawn rejects and leaves no thread when the module exits when it is called',
      'spawn rejects and leaves no thread when the module closes its bus and is never ready',
    ]),
    ...each('spawn.test.js', 'an error that a worker ends with comes without its code', [
      'spawn rejects when there is no such module, and when one thread of several fails',
    ]),
    ...each('spawn.test.js', 'execArgv of a worker is not checked', ['what spawn is given is checked']),
  ],
  deno: [
    ...each(
      'channel-sent.test.js',
      'v8.Serializer does not ask for the error to throw, so what can not be cloned is refused with an Error, not a DataCloneError',
      [
        'an event may hold anything again when its last listener elsewhere is gone, in packets',
        'an event may hold anything again when its last listener elsewhere is gone, as dispatches',
      ],
    ),
    ...each(
      'channel.test.js',
      'v8.Serializer does not ask for the error to throw, so what can not be cloned is refused with an Error, not a DataCloneError',
      ['what cannot be cloned is refused by emit itself, before anybody got the event'],
    ),
    ...each(
      'codec-refusal.test.js',
      'v8.Serializer does not ask for the error to throw, so what can not be cloned is refused with an Error, not a DataCloneError',
      [
        'what structuredClone refuses is refused, wherever it is, in the same words',
        'a module and a detached buffer are refused',
        'what structuredClone hands over without copying is refused by name',
        'classes of Node are refused if the structuredClone of this Node refuses them',
        'values that are nested as deep as structuredClone can go come back',
      ],
    ),
    ...each(
      'codec-roads.test.js',
      'v8.Serializer does not ask for the error to throw, so what can not be cloned is refused with an Error, not a DataCloneError',
      ['what a getter gives when it is asked again is refused like anything else'],
    ),
    { file: 'churn.test.js', reason: 'a worker that is terminated in an endless loop goes on' },
    ...each('demo.test.js', 'signals of a child process are not told as in Node', [
      'ends early',
      'ends early > with 130, at Ctrl-C',
      'ends early > with 130, at Ctrl-C while the threads work',
    ]),
    ...each(
      'group-request.test.js',
      'v8.Serializer does not ask for the error to throw, so what can not be cloned is refused with an Error, not a DataCloneError',
      ['an answer that can not be cloned is an error of its listener'],
    ),
    { file: 'death.test.js', reason: 'a worker that is terminated in an endless loop goes on' },
    {
      file: 'lifecycle.test.js',
      test: 'event names that are used once and forgotten leave nothing behind',
      reason: 'garbage is collected later than in Node',
      sometimes: true,
    },
    {
      file: 'registration.test.js',
      test: 'maxListeners is 55 unless told otherwise, and 0 is no limit',
      reason: 'a process warning may come a turn later than in Node',
      sometimes: true,
    },
    ...each('loading.test.js', "Node's flags and codes for addons are not there", [
      'where addons are not allowed, the error says which flag allows them',
      'where addons and workers are allowed, it works under the permission model, and may read nothing but itself',
    ]),
    { file: 'group.test.js', reason: 'a worker that is terminated in an endless loop goes on' },
    ...each('readme.test.js', 'an ES module finds packages in node_modules only where there is a package.json', [
      'the example of several files prints what its comments say',
    ]),
    ...each('native.test.js', 'terminate of a worker resolves before its environment is cleaned up', [
      'two hundred workers load, emit and are terminated at any moment; nothing is left of them',
    ]),
    ...each('waiting.test.js', 'a timer that is due comes after events that were queued later', [
      'a timeout counts from the emit: what could not start in time fails without being called',
      'an onError that aborts while the time is over hears of what is left no more',
    ]),
    ...each('spawn.test.js', 'an error that a worker ends with comes without its code and name', [
      'spawn rejects and leaves no thread when the module throws when it is called',
      'spawn rejects and leaves no thread when the module has no default export',
      'spawn rejects and leaves no thread when the module exports no function',
      'spawn rejects and leaves no thread when the module is no JavaScript',
      'spawn rejects when there is no such module, and when one thread of several fails',
    ]),
    ...each('spawn.test.js', 'a worker starts and ends in another order than in Node', [
      'a bus that is closed spawns no threads, nor does one that is closed meanwhile',
    ]),
  ],
}

/** The same reason for several tests of a file. */
function each(file, reason, tests) {
  return tests.map((test) => ({ file, test, reason }))
}

module.exports = gaps
