'use strict'

// The packages as a stranger has them: packed, installed into an empty project, and used as docs/integration.md says.
// Its blocks are taken in order: files are written, diffs applied, commands run, outputs compared.

const assert = require('node:assert/strict')
const { execFileSync, spawnSync } = require('node:child_process')
const { mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } = require('node:fs')
const { tmpdir } = require('node:os')
const path = require('node:path')
const { after, before, describe, test } = require('node:test')
const { blocksOf, expectedOutput } = require('../fixtures/markdown.js')
const { pack } = require('../../scripts/npm.js')
const { ROOT, installInto, linkInto } = require('../fixtures/project.js')

const guide = path.join(ROOT, 'docs/integration.md')

let project
/** A package of the project, in which the guide is followed. Its name is @cynic/core, so that name leads to itself. */
let application
let installed
/** By the last command of the guide. */
let printed

before(() => {
  project = realpathSync(mkdtempSync(path.join(tmpdir(), 'integration-')))
  installed = installInto(project)
  if (!installed) linkInto(project)
  application = path.join(project, 'packages/core')
  mkdirSync(application, { recursive: true })
  const manifest = { name: '@cynic/core', private: true, type: 'module', exports: './index.js' }
  writeFileSync(path.join(application, 'package.json'), JSON.stringify(manifest))
  writeFileSync(path.join(application, 'index.js'), 'export {}\n')
})

after(() => rmSync(project, { recursive: true }))

/** Runs a module of the project that writes JSON. */
function evaluate(type, code, cwd = project) {
  // A file, because Deno takes no ES module by --eval.
  const file = path.join(cwd, type === 'module' ? 'evaluated.mjs' : 'evaluated.cjs')
  writeFileSync(file, code)
  return JSON.parse(execFileSync(process.execPath, [file], { cwd, encoding: 'utf8' }))
}

describe('installed from tarballs', () => {
  const use = `
  use().then((result) => console.log(JSON.stringify(result)))
  async function use() {
    const bus = createParallelEventBus()
    bus.on('x', (value) => value + 1)
    const { success } = await bus.emitAndWait('x', 1)
    const reply = await bus.request('x', 1)
    return { success, reply, same: bus instanceof ParallelEventBus }
  }`
  const expected = { success: 1, reply: 2, same: true }

  for (const name of ['@cynic/core', '@cynic/core/bus', '@cynic/parallel-event-bus']) {
    test(`${name} is imported by ES modules and required by CommonJS`, () => {
      const names = '{ ParallelEventBus, createParallelEventBus }'
      assert.deepEqual(evaluate('module', `import ${names} from '${name}'${use}`), expected)
      assert.deepEqual(evaluate('commonjs', `const ${names} = require('${name}')${use}`), expected)
    })
  }

  test('threads are spawned, of a module of the project', () => {
    writeFileSync(path.join(project, 'double.js'), `export default (bus) => bus.on('double', (value) => value * 2)\n`)
    const code = `
      import { ParallelEventBus } from '@cynic/core'
      const bus = new ParallelEventBus({ channel: 'numbers' })
      await bus.spawn('double.js', { threads: 1 })
      console.log(JSON.stringify(await bus.request('double', 21)))
      await bus.close()`
    assert.equal(evaluate('module', code), 42)
  })

  test('both are in the project, and not this checkout', (t) => {
    if (!installed) return t.skip('the registry cannot be reached: the project has links')
    for (const name of ['@cynic/core', '@cynic/parallel-event-bus']) {
      const file = evaluate('commonjs', `console.log(JSON.stringify(require.resolve('${name}')))`)
      assert.ok(file.startsWith(path.join(project, 'node_modules')), file)
    }
  })

  test('the package of the example has the files that run, and no tests', () => {
    const [packed] = pack(ROOT, '--dry-run', '--workspace', '@cynic/core')
    const files = packed.files.map((file) => file.path)
    const types = ['index.d.ts', 'bus/index.d.ts', 'migration/index.d.ts']
    for (const file of ['index.js', 'bus/index.js', 'lib/core-bus.js', 'migration/main.js', 'README.md', ...types]) {
      assert.ok(files.includes(file), `${file} is missing`)
    }
    for (const file of files) assert.doesNotMatch(file, /^test\//)
  })
})

describe('docs/integration.md, step by step', () => {
  const steps = { js: write, diff: change, sh: run, text: compare }
  for (const [number, { language, name, code }] of blocksOf(guide).entries()) {
    const title = name ?? code.trim().split('\n')[0]
    test(`${number + 1}. ${language} ${title}`, () => steps[language](code, name))
  }

  test('it is followed where @cynic/core is the package itself', () => {
    const names = evaluate(
      'module',
      `console.log(JSON.stringify(Object.keys(await import('@cynic/core'))))`,
      application,
    )
    assert.deepEqual(names, [])
  })

  test('the switch is one', () => {
    const env = { ...process.env, BUS: 'EventEmitter' }
    const output = execFileSync(process.execPath, ['switched.js'], { cwd: application, encoding: 'utf8', env })
    assert.equal(output, 'EventEmitter\n')
  })

  test('goes to ParallelEventBus and back', () => {
    const changes = blocksOf(guide).filter(({ name, language }) => language === 'diff' && name === 'src/event-bus.js')
    assert.equal(changes.length, 2)
    const [first] = blocksOf(guide).filter(({ name }) => name === 'src/event-bus.js')
    assert.equal(readFileSync(path.join(application, first.name), 'utf8'), first.code)
  })
})

/** Writes a file of the project. If it prints, it is run and compared. Listeners print when they are called. */
function write(code, name) {
  const file = path.join(application, name)
  mkdirSync(path.dirname(file), { recursive: true })
  writeFileSync(file, code)
  const expected = expectedOutput(code)
  if (expected.length === 0) return
  const { stdout, stderr } = spawnSync(process.execPath, [file], { cwd: application, encoding: 'utf8' })
  assert.equal(stderr, '')
  // A line in a loop prints more than once.
  assert.deepEqual([...new Set(stdout.trim().split('\n'))].sort(), [...new Set(expected)].sort())
}

/** Applies a diff as its reader does, and says that it is for the file that it is named after. */
function change(diff, name) {
  const files = Array.from(diff.matchAll(/^(?:---|\+\+\+) [ab]\/(.*)$/gm), ([, file]) => file)
  assert.deepEqual(files, [name, name])
  // No repository that happens to be around the project has a part in it.
  const env = { ...process.env, GIT_CEILING_DIRECTORIES: path.dirname(project) }
  execFileSync('git', ['apply', '--whitespace=error'], { cwd: application, input: diff, env, encoding: 'utf8' })
}

/** Runs each command, in the application or, if it is one for the checkout, there. */
function run(commands) {
  for (const command of commands.trim().split('\n')) {
    if (/^npm install\b/.test(command)) checkInstall(command)
    else if (/^npm run\b/.test(command)) execute(command, ROOT)
    else execute(command, application)
  }
}

/** `before` has done that, without building the addon again: that the names are right is left. */
function checkInstall(command) {
  const packed = pack(ROOT, '--dry-run', '--workspace', '@cynic/core', '--include-workspace-root')
  const names = packed.map(({ filename }) => filename)
  for (const [name] of command.matchAll(/[\w.-]+\.tgz/g)) assert.ok(names.includes(name), name)
  assert.ok(command.includes('.tgz') || command.includes('npm pack --workspace @cynic/core --include-workspace-root'))
}

function execute(command, cwd) {
  const check = /bus-migration-check|run --silent migration/.test(command)
  const env = { ...process.env, npm_config_loglevel: 'silent' }
  const shell = { cwd, encoding: 'utf8', shell: true, env }
  const { status, stdout, stderr } = spawnSync(check ? `${command} --quick` : command, shell)
  printed = stdout
  if (!check) return assert.equal(status, 0, stderr)
  // Two of the criteria are a matter of time, which a busy machine may miss.
  for (const name of ['emit waits less', 'delivery no later']) {
    assert.match(stdout, new RegExp(`^(met|not met) +${name}`, 'm'), stderr)
  }
  for (const name of ['no more errors', 'no event lost', 'memory stable']) {
    assert.match(stdout, new RegExp(`^met +${name}`, 'm'))
  }
}

/** Compares the output of the last command: the same words, with a number for each number. */
function compare(text) {
  assert.deepEqual(words(text), words(printed))
}

function words(text) {
  const numberless = text.replace(/[+-]?\d[\d.]*/g, '#').replace(/[ ─]+/g, ' ')
  // Which of the two the criteria about time are, and where the second one came closest, a busy machine decides.
  return numberless
    .replace(/^(not )?met(?= (emit waits|delivery))/gm, 'met')
    .replace(/ that (compute|wait) \(/, ' that work (')
    .trim()
    .split('\n')
}
