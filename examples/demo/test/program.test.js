'use strict'

// The demo as a program, on a small tree.

const assert = require('node:assert/strict')
const { spawn } = require('node:child_process')
const { once } = require('node:events')
const { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync, readFileSync } = require('node:fs')
const { tmpdir } = require('node:os')
const { join } = require('node:path')
const { after, before, describe, test } = require('node:test')
const { listeners } = require('../listeners.js')
const { main } = require('../main.js')

const MAIN = join(__dirname, '../main.js')
const USAGE = 'Usage: npm run demo -- [directory] [--threads n] [--once] [--trace file]\n'
const WINDOWS = process.platform === 'win32'
const CANNOT_BE_KEPT_OUT = WINDOWS || process.getuid() === 0

const FILES = {
  empty: '',
  'two-lines.txt': 'one\ntwo\n',
  'no-final-newline.txt': 'one\ntwo\nthree',
  'nested/deeper/numbers': Array.from({ length: 9000 }, (_, number) => number).join('\n'),
}
const COUNT = Object.keys(FILES).length

let root

before(() => {
  root = mkdtempSync(join(tmpdir(), 'demo-'))
})

after(() => rmSync(root, { recursive: true, force: true }))

/** A directory of its own with `FILES` in it. */
function tree() {
  const directory = mkdtempSync(join(root, 'tree-'))
  mkdirSync(join(directory, 'nested/deeper'), { recursive: true })
  for (const [name, content] of Object.entries(FILES)) writeFileSync(join(directory, name), content)
  return directory
}

async function run(...args) {
  const child = spawn(process.execPath, [MAIN, ...args])
  const outputs = Promise.all([child.stdout, child.stderr].map(text))
  const [code] = await once(child, 'close')
  const [stdout, stderr] = await outputs
  return { code, stdout, stderr }
}

async function text(stream) {
  return (await stream.setEncoding('utf8').toArray()).join('')
}

/** Calls `main` in this process, for cases that no argument can bring about. */
async function call(args, replaced) {
  const output = { stdout: '', stderr: '' }
  const stream = (name) => ({ write: (chunk) => (output[name] += chunk) })
  const streams = { stdout: stream('stdout'), stderr: stream('stderr') }
  const code = await main(['--once', '--threads=1', ...args], { ...streams, listeners: { ...listeners, ...replaced } })
  return { code, ...output }
}

/** The cells of a row of the table. */
function row(stdout, label) {
  const line = stdout.split('\n').find((each) => each.startsWith(`${label}  `))
  return line
    ?.slice(label.length)
    .trim()
    .split(/\s{2,}/)
}

describe('on a tree', () => {
  test('draws the runs, then compares them, and exits with 0', async () => {
    const { code, stdout, stderr } = await run(tree(), '--once', '--threads', '2')
    assert.equal(stderr, '')
    assert.equal(code, 0)
    const parts = [`: ${COUNT} files, `, 'files in each run', 'speed-up', 'Each run goes over', ' free for the demo']
    const places = parts.map((part) => stdout.indexOf(part))
    assert.ok(!places.includes(-1), stdout)
    assert.deepEqual(
      places,
      places.toSorted((one, other) => one - other),
    )
    // Each file has a row in each run.
    for (const name of ['empty', 'two-lines.txt', 'numbers']) {
      assert.equal(stdout.match(new RegExp(`^  \\S*${name} +[·▒▓█]+$`, 'gm'))?.length, 3, name)
    }
    assert.match(stdout, /^ +one after another +through the bus +spawn, 2 threads$/m)
    for (const label of ['speed-up', 'time', 'CPU time', 'cores in use']) {
      assert.equal(row(stdout, label).length, 3, label)
    }
    assert.equal(row(stdout, 'skipped'), undefined)
    assert.match(stdout, new RegExp(`same results for the ${COUNT} that`))
    const [, ...lines] = stdout.split('\n')
    assert.deepEqual(
      lines.filter((line) => line.length > 80 && !line.includes('.json')),
      [],
    )
  })

  test('writes a trace of all threads, and names its file', async () => {
    const file = join(root, 'trace.json')
    const { stdout } = await run(tree(), '--once', '--threads', '2', '--trace', file)
    assert.ok(stdout.includes(file))
    const events = JSON.parse(readFileSync(file, 'utf8'))
    assert.equal(events.filter(({ name }) => name === 'thread_name').length, 3)
    assert.ok(events.some(({ ph, name }) => ph === 'X' && name.startsWith('emit ')))
    const missing = await run(tree(), '--once', '--trace', join(root, 'no', 'such', 'folder'))
    assert.equal(missing.code, 0)
    assert.match(missing.stdout, /There is no trace: /)
  })

  test('writes no control characters where there is no terminal', async () => {
    const directory = mkdtempSync(join(root, 'odd-'))
    writeFileSync(join(directory, WINDOWS ? 'file' : 'fi\x1b[31m\nle'), 'content')
    const { stdout } = await run(directory, '--once')
    assert.doesNotMatch(stdout.replaceAll('\n', ''), /\p{Cc}/u)
    assert.match(stdout, WINDOWS ? /^ {2}file / : /^ {2}fi\?\[31m\?le /m)
  })

  test('does not follow symbolic links', { skip: WINDOWS }, async () => {
    const directory = tree()
    symlinkSync(join(directory, 'two-lines.txt'), join(directory, 'link-to-file'))
    symlinkSync(directory, join(directory, 'link-to-directory'))
    const { code, stdout } = await call([directory])
    assert.equal(code, 0)
    assert.match(stdout, new RegExp(`: ${COUNT} files, `))
  })

  test('skips a file that may not be read, and leaves out such a directory', { skip: CANNOT_BE_KEPT_OUT }, async () => {
    const directory = tree()
    writeFileSync(join(directory, 'secret'), 'secret')
    chmodSync(join(directory, 'secret'), 0)
    mkdirSync(join(directory, 'closed'), { mode: 0 })
    const { code, stdout, stderr } = await call([directory])
    assert.equal(stderr, '')
    assert.equal(code, 0)
    assert.deepEqual(row(stdout, 'skipped'), ['1', '1', '1'])
    assert.match(stdout, /left out: 1 of its directories/)
  })

  test('skips a file that vanishes', async () => {
    const directory = tree()
    const sha256 = (path) => {
      rmSync(join(directory, 'two-lines.txt'), { force: true })
      return listeners.sha256(path)
    }
    const { code, stdout, stderr } = await call([directory], { sha256 })
    assert.equal(stderr, '')
    assert.equal(code, 0)
    assert.deepEqual(row(stdout, 'skipped'), ['1', '1', '1'])
    assert.match(stdout, new RegExp(`same results for the ${COUNT - 1} that`))
  })

  test('exits with 1 and one line if the runs differ', async () => {
    const { code, stderr } = await call([tree()], { lines: async () => 'wrong' })
    assert.equal(code, 1)
    const first = join('nested', 'deeper', 'numbers')
    assert.equal(stderr, `The runs differ in ${COUNT} of ${COUNT} files, first in ${first}: did it change?\n`)
  })

  test('does not take a bug in a listener for a file that cannot be read', async () => {
    const lines = async () => {
      throw new TypeError('a bug')
    }
    await assert.rejects(call([tree()], { lines }), { message: 'a bug' })
  })

  test('has nothing to do in an empty directory', async () => {
    const { code, stdout } = await call([mkdtempSync(join(root, 'empty-'))])
    assert.equal(code, 0)
    assert.match(stdout, /: 0 files/)
  })
})

describe('arguments', () => {
  test('a directory that is missing, or none: exit code 2 and one line', async () => {
    const missing = join(root, 'missing')
    const file = join(tree(), 'two-lines.txt')
    const refusal = (path, reason) => ({ code: 2, stdout: '', stderr: `Cannot read '${path}': ${reason}\n` })
    assert.deepEqual(await run(missing), refusal(missing, 'no such directory'))
    assert.deepEqual(await call([file]), refusal(file, 'not a directory'))
  })

  test('unknown arguments: exit code 2 and the usage', async () => {
    const refused = { code: 2, stdout: '', stderr: USAGE }
    for (const args of [['--fast'], [root, root], [root, '--threads']]) assert.deepEqual(await run(...args), refused)
    for (const threads of ['0', 'x', '', '1.5', '-1', '1e1', '17']) {
      assert.deepEqual(await call([root, `--threads=${threads}`]), refused, threads)
    }
  })

  test('--help: exit code 0 and the usage', async () => {
    const { code, stdout, stderr } = await run('--help')
    assert.equal(code, 0)
    assert.equal(stderr, '')
    assert.ok(stdout.startsWith(USAGE))
  })
})

describe('ends early', () => {
  test('quietly, when nobody reads on', async () => {
    const child = spawn(process.execPath, [MAIN, tree(), '--once'])
    child.stdout.destroy()
    const [stderr] = await Promise.all([text(child.stderr), once(child, 'close')])
    assert.equal(stderr, '')
    assert.equal(child.exitCode, 0)
  })

  test('with 130, at Ctrl-C', { skip: WINDOWS }, async () => {
    // Without --once it is far from done when the signal comes.
    const child = spawn(process.execPath, [MAIN, tree()])
    await once(child.stdout, 'data')
    child.kill('SIGINT')
    const [code] = await once(child, 'exit')
    assert.equal(code, 130)
  })
})
