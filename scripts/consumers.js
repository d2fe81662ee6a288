'use strict'

// The packed package, in projects as its users have them: test runners, a bundler. `npm run test:consumers`; with names of
// projects, these alone.

const assert = require('node:assert/strict')
const { execFileSync, spawnSync } = require('node:child_process')
const { cpSync, mkdirSync, renameSync, rmSync } = require('node:fs')
const path = require('node:path')
const { install, root } = require('./cache.js')
const { pack } = require('./npm.js')

const SANDBOXES = 6

const projects = {
  jest(folder, bin) {
    run(folder, [bin('jest/bin/jest.js'), '--silent'])
    const again = (number) => path.join(folder, `sandbox-${number}.test.js`)
    for (let number = 0; number < SANDBOXES; number++) cpSync(path.join(folder, 'sandbox.js'), again(number))
    run(folder, ['--expose-gc', bin('jest/bin/jest.js'), '--silent', '--runInBand', 'sandbox'])
  },

  vitest(folder, bin) {
    for (const pool of ['forks', 'threads', 'vmThreads']) {
      run(folder, [bin('vitest/vitest.mjs'), 'run', '--root', folder, '--pool', pool])
    }
  },

  bundled(folder, bin) {
    const flags = ['--bundle', '--platform=node', '--external:@cynic/parallel-event-bus', '--sourcemap', '--minify']
    const bundle = path.join(folder, 'out/main.mjs')
    const format = ['--format=esm', `--outfile=${bundle}`, '--log-level=error']
    execFileSync(bin('@esbuild', `${process.platform}-${process.arch}`, 'bin/esbuild'), [
      path.join(folder, 'main.ts'),
      ...flags,
      ...format,
    ])
    const printed = execFileSync(process.execPath, ['--enable-source-maps', bundle], { encoding: 'utf8' })
    const expected = { score: 8, failures: ['main.ts:16'], same: true, symbol: 'symbol' }
    assert.deepEqual(JSON.parse(printed), expected)
  },
}

/** Runs Node, and prints its output in the end if it failed. */
function run(cwd, args) {
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { cwd, encoding: 'utf8' })
  if (status !== 0) throw new Error(`${args.join(' ')} ended with ${status}\n${stdout}${stderr}`)
}

/** The package as it is installed from a registry, but under a new name each time so that npm does install it. */
function packAnew() {
  const folder = path.join(root, '.cache/packed')
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
  const [{ filename }] = pack(root)
  const packed = path.join(folder, `${Date.now()}.tgz`)
  renameSync(path.join(root, filename), packed)
  return packed
}

function main(names) {
  // Vitest 5 needs Node 22.
  const vitest = Number(process.versions.node.split('.')[0]) < 22 ? '4' : '5'
  const name = '@cynic/parallel-event-bus'
  const packages = { jest: '30', vitest, esbuild: '0.28', [name]: `file:${packAnew()}` }
  const installed = install('consumers', packages)
  const bin = (...parts) => path.join(installed, 'node_modules', ...parts)
  for (const name of names) {
    const folder = path.join(installed, name)
    rmSync(folder, { recursive: true, force: true })
    cpSync(path.join(root, '__test__/fixtures/consumers', name), folder, { recursive: true })
    projects[name](folder, bin)
    console.log(`${name}: works`)
  }
}

const names = process.argv.slice(2)
main(names.length > 0 ? names : Object.keys(projects))
