'use strict'

// The errors where the binary is missing, wrong or not allowed: each has a code and says the way out.

const assert = require('node:assert/strict')
const { spawnSync } = require('node:child_process')
const { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } = require('node:fs')
const { tmpdir } = require('node:os')
const path = require('node:path')
const { after, before, describe, test } = require('node:test')
const { parseTriple } = require('@napi-rs/cli')
const manifest = require('../../package.json')

const root = path.join(__dirname, '../..')
const binary = readdirSync(root).find((file) => file.endsWith('.node'))
const platform = binary.slice(`${manifest.napi.binaryName}.`.length, -'.node'.length)
const permission = process.allowedNodeEnvironmentFlags.has('--permission')
  ? '--permission'
  : '--experimental-permission'

let directory

before(() => {
  directory = mkdtempSync(path.join(tmpdir(), 'loading-'))
})
after(() => rmSync(directory, { recursive: true }))

/** Returns a package as it was packed, with another binary and some changes in its manifest. */
function packageWith({ manifest: changes = {}, binary: place = () => {} } = {}) {
  const copy = mkdtempSync(path.join(directory, 'copy-'))
  for (const file of ['index.js', 'native.js', 'lib']) {
    cpSync(path.join(root, file), path.join(copy, file), { recursive: true })
  }
  writeFileSync(path.join(copy, 'package.json'), JSON.stringify({ ...manifest, ...changes }))
  place(path.join(copy, binary))
  return copy
}

/** Runs a script, in which `load()` is `require` of the package and prints its error, if there is one. */
function run(copy, { flags = [], script = 'load()' } = {}) {
  const load = `function load() {
    try { return require(${JSON.stringify(copy)}) }
    catch ({ code, message }) { console.log(JSON.stringify({ code, message })) }
  }`
  const { stdout, stderr } = spawnSync(process.execPath, [...flags, '-e', `${load}\n${script}`], { encoding: 'utf8' })
  assert.notEqual(stdout, '', stderr)
  return JSON.parse(stdout)
}

const own = (file) => symlinkSync(path.join(root, binary), file)

describe('without a binary', () => {
  test('the error names the platform and the command that builds one', () => {
    const { code, message } = run(packageWith())
    assert.equal(code, 'ERR_BINARY_NOT_FOUND')
    assert.ok(message.includes(`there is no binary for ${platform};`), message)
    assert.match(message, /npm install && npm run build/)
  })

  test('and the package that has it, where there is one', () => {
    const name = `@cynic/parallel-event-bus-${platform}`
    const { code, message } = run(packageWith({ manifest: { optionalDependencies: { [name]: manifest.version } } }))
    assert.equal(code, 'ERR_BINARY_NOT_FOUND')
    assert.ok(message.includes(`install ${name}@${manifest.version}`), message)
  })

  test('also on a platform that none is built for', () => {
    const script = `Object.defineProperty(process, 'platform', { value: 'sunos' }); load()`
    const { code, message } = run(packageWith(), { script })
    assert.equal(code, 'ERR_BINARY_NOT_FOUND')
    assert.match(message, /no binary for sunos-\w+; build it/)
  })
})

test('a binary of another version is refused', () => {
  const { code, message } = run(packageWith({ binary: own, manifest: { version: '9.8.7' } }))
  assert.equal(code, 'ERR_BINARY_VERSION')
  assert.ok(message.includes(`for ${platform} is of version ${manifest.version}, and this is version 9.8.7;`), message)
})

test('so is one that tells no version', () => {
  const copy = packageWith()
  writeFileSync(path.join(copy, 'native.js'), 'module.exports = {}')
  const { code, message } = run(copy)
  assert.equal(code, 'ERR_BINARY_VERSION')
  assert.match(message, /is of version unknown/)
})

test('a file that is no binary of this platform keeps the code that Node has for it', () => {
  const { code, message } = run(packageWith({ binary: (file) => writeFileSync(file, 'of another machine') }))
  assert.equal(code, 'ERR_DLOPEN_FAILED')
  assert.ok(message.includes(`the binary for ${platform} does not load: `), message)
})

test('a binary for the other C library does not keep the right one from being loaded', {
  skip: process.platform !== 'linux',
}, () => {
  const copy = packageWith()
  // The loader tries that of glibc first.
  const [first, second] = ['gnu', 'musl'].map((abi) => path.join(copy, binary.replace(/gnu|musl/, abi)))
  writeFileSync(first, 'for another C library')
  own(second)
  assert.equal(run(copy, { script: 'load(); console.log(true)' }), true)
})

test('the loader knows the binary and the package of every platform that there are releases for', () => {
  const loader = readFileSync(path.join(root, 'native.js'), 'utf8')
  for (const target of manifest.napi.targets) {
    const { platformArchABI } = parseTriple(target)
    assert.ok(loader.includes(`require('./parallel-event-bus.${platformArchABI}.node')`), platformArchABI)
    assert.ok(loader.includes(`require('@cynic/parallel-event-bus-${platformArchABI}')`), platformArchABI)
  }
})

test('where addons are not allowed, the error says which flag allows them', () => {
  const copy = packageWith({ binary: own })
  for (const flags of [['--no-addons'], [permission, '--allow-fs-read=*']]) {
    const { code, message } = run(copy, { flags })
    assert.equal(code, 'ERR_DLOPEN_DISABLED')
    assert.match(message, /an addon, and may not load; .*--no-addons.*--allow-addons/)
  }
})

test('where Deno denies a permission, the error says which one, and all that are needed', () => {
  const denied = `Object.assign(new Error('Requires ffi access to "x", run again with the --allow-ffi flag'), { name: 'NotCapable' })`
  const copy = packageWith()
  writeFileSync(path.join(copy, 'native.js'), `throw ${denied}`)
  const { code, message } = run(copy)
  assert.equal(code, 'ERR_DLOPEN_DISABLED')
  assert.match(
    message,
    /may not load: Requires ffi access .* --allow-ffi flag; start Deno with --allow-read, --allow-env and/,
  )
})

test('so it does in Deno itself', { skip: process.versions.deno === undefined }, () => {
  const copy = packageWith({ binary: own })
  const program = path.join(copy, 'main.cjs')
  writeFileSync(program, `try { require('.'); console.log('loaded') } catch (error) { console.log(error.message) }`)
  const printed = (...flags) => {
    const args = ['run', '--no-prompt', '--allow-read', ...flags, program]
    return spawnSync(process.execPath, args, { encoding: 'utf8' }).stdout.trim()
  }
  assert.match(printed('--allow-ffi'), /Requires env access to .* --allow-env flag; start Deno with /)
  assert.match(printed('--allow-env'), /Requires ffi access to .* --allow-ffi flag; start Deno with /)
  assert.equal(printed('--allow-env', '--allow-ffi'), 'loaded')
})

test('where addons and workers are allowed, it works under the permission model, and may read nothing but itself', () => {
  const modules = path.join(root, 'node_modules')
  const flags = [permission, '--allow-addons', '--allow-worker', `--allow-fs-read=${root}/*`]
  flags.push(`--allow-fs-read=${modules}/*`, '--no-warnings')
  const script = `
    const bus = new (load())({ channel: 'x' })
    const file = ${JSON.stringify(path.join(__dirname, '../fixtures/pool.cjs'))}
    bus.spawn(file, { threads: 1 }).then(async ({ threadIds }) => {
      bus.on('where', () => 5)
      console.log(JSON.stringify([threadIds.length, await bus.request('where')]))
      await bus.close()
    })`
  assert.deepEqual(run(root, { flags, script }), [1, 5])
})
