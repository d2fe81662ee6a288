'use strict'

// The package as others load it.

const assert = require('node:assert/strict')
const { EventEmitter } = require('node:events')
const { copyFileSync, existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync } = require('node:fs')
const { tmpdir } = require('node:os')
const path = require('node:path')
const { test } = require('node:test')
// The newest compiler has no API in JavaScript.
const ts = require('typescript-oldest')
const { pack } = require('../../scripts/npm.js')
const { stage } = require('../../scripts/release/stage.js')

const root = path.join(__dirname, '../..')
const name = '@cynic/parallel-event-bus'

test('require, named import and default import reach the same class', async () => {
  const required = require(name)
  const imported = await import(name)
  const { ParallelEventBus, createParallelEventBus } = imported
  assert.equal(imported.default, required)
  assert.equal(ParallelEventBus, required)
  assert.equal(required.ParallelEventBus, required)
  assert.equal(createParallelEventBus, required.createParallelEventBus)
  assert.ok(createParallelEventBus() instanceof ParallelEventBus)
})

/** The values that the types let a module import by name: those of the namespace, and the statics of the class. */
function promisedNames() {
  const file = path.join(root, 'index.d.ts')
  const options = {
    module: ts.ModuleKind.NodeNext,
    types: ['node'],
    typeRoots: [path.join(root, 'node_modules/@types')],
  }
  const program = ts.createProgram([file], options)
  const checker = program.getTypeChecker()
  const exported = checker.resolveExternalModuleSymbol(checker.getSymbolAtLocation(program.getSourceFile(file)))
  const properties = checker.getPropertiesOfType(checker.getTypeOfSymbol(exported))
  return properties.map(({ name }) => name).filter((each) => each !== 'prototype')
}

test('the names that the types promise are there, for import and for require', async () => {
  const required = require(name)
  const imported = await import(name)
  const names = promisedNames()
  assert.ok(names.length > 20, names.join())
  // The types are those of the newest Node.
  const newer = names.filter((each) => each in EventEmitter && EventEmitter[each] === undefined)
  for (const each of names) {
    assert.ok(each in imported, each)
    assert.ok(each in required, each)
    assert.equal(imported[each], required[each], each)
    if (!newer.includes(each)) assert.notEqual(imported[each], undefined, each)
  }
})

test('EventEmitter of the package is the bus; its other names of node:events are those of there', () => {
  const required = require(name)
  assert.equal(required.EventEmitter, required.ParallelEventBus)
  for (const each of ['errorMonitor', 'captureRejectionSymbol', 'getEventListeners', 'EventEmitterAsyncResource']) {
    assert.equal(required[each], EventEmitter[each])
  }
})

test('two copies of the library in one thread deliver in one order, with one wake', async () => {
  const native = require('../../native.js')
  const { ParallelEventBus } = require(name)
  const own = Object.keys(require.cache).filter(
    (file) => file.startsWith(path.join(root, 'lib')) || file === require.resolve(name),
  )
  const kept = own.map((file) => [file, require.cache[file]])
  for (const file of own) delete require.cache[file]
  const copy = require(name)
  for (const [file, module] of kept) require.cache[file] = module
  assert.notEqual(copy.ParallelEventBus, ParallelEventBus)

  const buses = [new ParallelEventBus(), new copy.ParallelEventBus()]
  const log = []
  for (const [index, bus] of buses.entries()) bus.on('x', (value) => log.push([index, value]))
  const before = native.counters().wakes
  for (let value = 0; value < 6; value++) buses[value % 2].emit('x', value)
  await Promise.all(buses.map((bus) => bus.idle()))
  assert.deepEqual(
    log,
    [0, 1, 2, 3, 4, 5].map((value) => [value % 2, value]),
  )
  assert.equal(native.counters().wakes - before, 1)
  assert.equal(native.counters().threads, 1)
})

test('only the public door opens', () => {
  assert.throws(() => require(`${name}/lib/bus.js`), { code: 'ERR_PACKAGE_PATH_NOT_EXPORTED' })
  assert.equal(require(`${name}/package.json`).name, name)
})

test('the packed files are those that run, and nothing else', () => {
  const [packed] = pack(root, '--dry-run')
  const files = packed.files.map((file) => file.path)
  for (const file of ['index.js', 'index.d.ts', 'native.js', 'lib/bus.js', 'README.md', 'LICENSE', 'package.json']) {
    assert.ok(files.includes(file), `${file} is missing`)
  }
  assert.equal(files.filter((file) => file.endsWith('.node')).length, 1)
  for (const file of files) assert.doesNotMatch(file, /^(src|__test__|benches|examples|target|scripts|docs|\.github)\//)
  const modules = readdirSync(path.join(root, 'lib'), { recursive: true }).filter((name) => name.endsWith('.js'))
  assert.ok(modules.length > 20)
  for (const module of modules) assert.ok(files.includes(`lib/${module.replaceAll('\\', '/')}`), module)
})

test('the binary is small', () => {
  const [binary] = readdirSync(root).filter((file) => file.endsWith('.node'))
  assert.ok(existsSync(path.join(root, binary)))
  assert.ok(statSync(path.join(root, binary)).size <= 5 * 1024 * 1024)
})

test('a release is a package for each platform with its binary, and one without that names them', async (t) => {
  const work = mkdtempSync(path.join(tmpdir(), 'stage-'))
  t.after(() => rmSync(work, { recursive: true }))
  const [binary] = readdirSync(root).filter((file) => file.endsWith('.node'))
  copyFileSync(path.join(root, binary), path.join(work, binary))
  const folders = await stage(work, path.join(work, 'staged'), { onlyPresent: true })
  const read = (folder) => JSON.parse(readFileSync(path.join(folder, 'package.json'), 'utf8'))
  const [platform, main] = folders.map(read)

  assert.deepEqual(main.optionalDependencies, { [platform.name]: main.version })
  assert.equal(platform.version, main.version)
  assert.deepEqual([platform.os, platform.cpu], [[process.platform], [process.arch]])
  assert.deepEqual([platform.main, platform.files], [binary, [binary]])
  assert.ok(readFileSync(path.join(folders[0], binary)).equals(readFileSync(path.join(root, binary))))

  // Nothing runs when it is installed, and nothing is in it that is for one platform.
  for (const key of ['scripts', 'devDependencies', 'workspaces', 'overrides']) assert.ok(!(key in main), key)
  assert.deepEqual(
    readdirSync(folders[1]).filter((file) => file.endsWith('.node')),
    [],
  )
  const { dependencies, engines } = require('../../package.json')
  assert.deepEqual([main.dependencies, main.engines], [dependencies, engines])
})

test('a release of all platforms is refused while a binary is missing', async (t) => {
  const work = mkdtempSync(path.join(tmpdir(), 'stage-'))
  t.after(() => rmSync(work, { recursive: true }))
  const [binary] = readdirSync(root).filter((file) => file.endsWith('.node'))
  copyFileSync(path.join(root, binary), path.join(work, binary))
  await assert.rejects(stage(work, path.join(work, 'staged')), /Missing artifacts/)
})

test('a checkout names no packages that may not exist yet', () => {
  assert.equal(require('../../package.json').optionalDependencies, undefined)
})
