'use strict'

// The files that `require` of the package loads: none that a bus without a channel does not need, as each takes its time.

const assert = require('node:assert/strict')
const { execFileSync } = require('node:child_process')
const path = require('node:path')
const { test } = require('node:test')

const root = path.join(__dirname, '../..')

/** Tells the own files, and the modules of Node's, that a program has loaded at its end. */
const TELLING = `
  const Module = require('node:module')
  const { _load: load } = Module
  const builtin = new Set()
  Module._load = function(name) {
    if (Module.isBuiltin(name)) builtin.add(name.replace('node:', ''))
    return Reflect.apply(load, this, arguments)
  }
  process.on('exit', () => console.log(JSON.stringify({ files: Object.keys(require.cache), builtin: [...builtin] })))
`

/** Returns the files that a program loads, their folders below `lib`, and the modules of Node's. */
function loadedBy(program) {
  const source = `${TELLING}; const { ParallelEventBus } = require(${JSON.stringify(root)}); ${program}`
  const { files, builtin } = JSON.parse(execFileSync(process.execPath, ['-e', source], { encoding: 'utf8' }))
  const rooms = files.map((file) => path.dirname(path.relative(path.join(root, 'lib'), file)))
  return { rooms: [...new Set(rooms)].filter((room) => !room.startsWith('.')).sort(), builtin, files }
}

test('require loads no threads of Node', () => {
  assert.ok(!loadedBy('').builtin.includes('worker_threads'), 'it takes as long as ten files')
})

test('require, and a bus without a channel, load neither channels, pools nor codecs', () => {
  for (const program of ['', "new ParallelEventBus().on('x', () => {}).emit('x')"]) {
    assert.deepEqual(loadedBy(program).rooms, ['listeners', 'local', 'metrics', 'statics'], program)
  }
})

/** Programs that need a file which most do not. */
const NEEDING = {
  'inspect.js': 'require("node:util").inspect(bus)',
  'listeners/abort.js': 'bus.on("x", () => {}, { signal: new AbortController().signal })',
  'listeners/removals.js': 'bus.on("x", () => bus.off("x", work)).emit("x"); bus.emit("x")',
  'local/bounded.js': 'bus.with({ timeout: 1000 }).emit("x")',
  'local/context.js': 'bus.on("x", () => {}, { context: true })',
  'local/failures.js': 'bus.onError = () => {}; bus.on("x", () => { throw new Error() }).emit("x")',
  'local/tracing.js':
    'require("node:diagnostics_channel").subscribe("tracing:parallel-event-bus:emission:start", work); bus.emit("x")',
  'metrics/statistics.js': 'bus.getStats()',
  'metrics/timed.js': 'new ParallelEventBus({ recordTiming: true }).on("x", work).emit("x")',
  'observe/propagation.js': 'new ParallelEventBus({ propagate: { inject() {}, extract() {} } })',
  'statics/once-and-on.js': 'ParallelEventBus.once(bus, "x")',
}

for (const [file, need] of Object.entries(NEEDING)) {
  test(`${file} is loaded by the first who needs it`, () => {
    const plain = 'const bus = new ParallelEventBus(); const work = () => {}; bus.on("x", work).emit("x");'
    const isLoaded = (program) => loadedBy(program).files.includes(path.join(root, 'lib', file))
    assert.ok(!isLoaded(plain), 'without need')
    assert.ok(isLoaded(`${plain} ${need}`), 'with need')
  })
}

test('a bus with a channel loads the rest, but no pool and no trace', () => {
  const { rooms } = loadedBy("new ParallelEventBus({ channel: 'x' }).on('x', () => {}).close()")
  assert.deepEqual(rooms, ['channel', 'codec', 'listeners', 'local', 'metrics', 'observe', 'statics'])
})
