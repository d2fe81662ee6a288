'use strict'

// The suite under each runtime: `npm run test:runtimes`, or with names of them, such as `-- node-22 bun`. They come
// from the registry, into `.cache/`. The gaps of Bun and Deno are in `runtimes/gaps.js`, and have to be true.

const { spawnSync } = require('node:child_process')
const { readdirSync } = require('node:fs')
const path = require('node:path')
const { install, root } = require('./cache.js')
const gaps = require('./runtimes/gaps.js')
const { runFiles } = require('./runtimes/run.js')
const { packageTests } = require('./test/files.js')

const NODES = ['20', '22', '24', '26']
const WINDOWS = process.platform === 'win32'
const node = `node-${WINDOWS ? 'win' : process.platform}-${process.arch}`
const files = packageTests()
const pathOf = (file) => path.join('__test__', file)

/** The program of a package of which a runtime has one for each platform. */
function programIn(scope, program) {
  const [name] = readdirSync(scope)
  return path.join(scope, name, WINDOWS ? `${program}.exe` : program)
}

function onNode(version) {
  const name = `node-${version}`
  const folder = path.join(install(name, { [name]: `npm:${node}@${version}` }), 'node_modules', name)
  const program = path.join(folder, WINDOWS ? 'bin/node.exe' : 'bin/node')
  const args = ['--expose-gc', '--test', '--test-reporter=spec', ...files.map(pathOf)]
  // Programs that tests start by name are of this version, too.
  const env = { ...process.env, PATH: `${path.dirname(program)}${path.delimiter}${process.env.PATH}` }
  const options = { cwd: root, env, encoding: 'utf8', maxBuffer: Infinity }
  const { status, stdout, stderr } = spawnSync(program, args, options)
  if (status !== 0) console.log(stdout.slice(stdout.lastIndexOf('failing tests:')), stderr)
  const [, passed] = /^\S+ pass (\d+)$/m.exec(stdout) ?? []
  console.log(`${passed} tests pass`)
  return status === 0 ? [] : [`the suite ended with ${status}`]
}

async function onBun() {
  const scope = path.join(install('bun', { bun: '1' }), 'node_modules/@oven')
  const bun = programIn(scope, 'bin/bun')
  const preload = path.join(__dirname, 'runtimes/bun-gc.js')
  return compare('bun', (file, report) => {
    const reporting = ['--reporter=junit', `--reporter-outfile=${report}`]
    return [bun, 'test', '--preload', preload, '--timeout', '60000', ...reporting, `./${pathOf(file)}`]
  })
}

async function onDeno() {
  const deno = programIn(path.join(install('deno', { deno: '2' }), 'node_modules/@deno'), 'deno')
  return compare('deno', (file, report) => {
    const flags = ['--allow-all', '--no-check', '--no-lock', '--v8-flags=--expose-gc', `--junit-path=${report}`]
    return [deno, 'test', ...flags, `./${pathOf(file)}`]
  })
}

/** Returns the results that `gaps` does not expect: an unlisted test that fails, or a listed one that passes. */
async function compare(runtime, command) {
  const known = gaps[runtime]
  const gapsOf = (file) => known.filter((gap) => gap.file === file)
  const folder = path.join(root, '.cache/reports', runtime)
  const hangs = (file) => gapsOf(file).some(isWholeFile)
  const results = await runFiles(
    folder,
    command,
    files.map((file) => ({ file, hangs: hangs(file) })),
  )
  const passed = results.flatMap(({ tests }) => [...(tests?.values() ?? [])]).filter(Boolean).length
  console.log(`${passed} tests pass; what does not, and why:`)
  for (const reason of new Set(known.map((gap) => gap.reason))) {
    console.log(`  ${reason} (${known.filter((gap) => gap.reason === reason).length})`)
  }
  return results.flatMap((result) => wrongIn(result, gapsOf(result.file)))
}

function isWholeFile({ test }) {
  return test === undefined
}

function wrongIn({ file, tests, output }, known) {
  if (known.some(isWholeFile)) {
    const works = tests !== null && [...tests.values()].every(Boolean)
    return works ? [`${file} works: take it off the list`] : []
  }
  if (tests === null) return [`${file} did not end, or crashed\n${output.slice(-2000)}`]
  const gapOf = new Map(known.map((gap) => [gap.test, gap]))
  const failing = [...tests].filter(([test, passed]) => !passed && !gapOf.has(test))
  const working = [...tests].filter(([test, passed]) => passed && gapOf.has(test) && !gapOf.get(test).sometimes)
  return [
    ...failing.map(([test]) => `${file}, ${test}: fails`),
    ...working.map(([test]) => `${file}, ${test}: works: take it off the list`),
    ...known.filter(({ test }) => !tests.has(test)).map(({ test }) => `${file}, ${test}: no such test`),
  ]
}

async function main(names) {
  const runtimes = { bun: onBun, deno: onDeno }
  for (const version of NODES) runtimes[`node-${version}`] = () => onNode(version)
  for (const name of names.length > 0 ? names : [...NODES.map((version) => `node-${version}`), 'bun', 'deno']) {
    console.log(`\n${name}`)
    const wrong = await runtimes[name]()
    for (const each of wrong) console.log(`! ${each}`)
    if (wrong.length > 0) process.exitCode = 1
    else console.log(`${name}: as it has to be`)
  }
}

main(process.argv.slice(2))
