'use strict'

// What the README and the guides show is what happens: their examples are run, their comments compared with what they
// print; what they name exists.
//
// In a block of JavaScript, the comment behind each `console.log(…)` is what that prints. Blocks with names are files
// of one program for each section, which `main.*` starts, or whose `*.test.*` is run. TypeScript is compiled.

const assert = require('node:assert/strict')
const { execFileSync, spawnSync } = require('node:child_process')
const {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} = require('node:fs')
const { tmpdir } = require('node:os')
const path = require('node:path')
const { test } = require('node:test')
const { expectedOutput, sectionsOf, shown } = require('./fixtures/markdown.js')

const root = path.join(__dirname, '..')
const AsyncFunction = (async () => {}).constructor
const guides = existsSync(path.join(root, 'docs')) ? readdirSync(path.join(root, 'docs')) : []
const documents = ['README.md', ...guides.filter((file) => file.endsWith('.md')).map((file) => `docs/${file}`)]
/** What examples compare with, and where it is. The second version of emittery needs a newer Node than some of ours. */
const COMPARED = { emittery: 'emittery-1', eventemitter2: 'eventemitter2' }
/** An example that hangs is one that fails. */
const LONGEST_RUN_MS = 60_000
/** Its blocks are the steps of one story: `integration.test.js` takes them. */
const STEPS = 'docs/integration.md'

/** A folder where the package, and those that examples compare it with, are installed. */
function workspace(t) {
  const directory = mkdtempSync(path.join(tmpdir(), 'docs-'))
  t.after(() => rmSync(directory, { recursive: true }))
  const modules = path.join(directory, 'node_modules')
  mkdirSync(path.join(modules, '@cynic'), { recursive: true })
  symlinkSync(root, path.join(modules, '@cynic/parallel-event-bus'), 'junction')
  for (const [name, folder] of Object.entries(COMPARED)) {
    symlinkSync(path.join(root, 'node_modules', folder), path.join(modules, name), 'junction')
  }
  return directory
}

/** A block that imports nothing. */
async function runScript(code) {
  const printed = []
  const log = (...values) => printed.push(values.map(shown).join(' '))
  await new AsyncFunction('require', 'console', code)(require, { log, error() {} })
  const expected = expectedOutput(code)
  assert.ok(expected.length > 0)
  assert.deepEqual(printed, expected)
}

function runProgram(t, files) {
  const directory = workspace(t)
  for (const { name, code } of files) writeFileSync(path.join(directory, name), code)
  const main = files.find(({ name }) => /^main\.|\.test\./.test(name))
  const args = main.name.startsWith('main.') ? [] : ['--test']
  // Without the variable by which node:test knows that it runs inside of another.
  const { NODE_TEST_CONTEXT, ...env } = process.env
  const { status, stdout, stderr } = spawnSync(process.execPath, [...args, main.name], {
    cwd: directory,
    encoding: 'utf8',
    env,
    timeout: LONGEST_RUN_MS,
  })
  assert.equal(status, 0, stdout + stderr)
  if (args.length > 0) return
  const expected = files.flatMap(({ code }) => expectedOutput(code))
  assert.ok(expected.length > 0)
  const lines = stdout.trim().split('\n')
  // What listeners print comes when they are called, so only which lines there are is told.
  assert.deepEqual(lines.sort(), expected.sort())
}

for (const document of documents.filter((name) => name !== STEPS)) {
  for (const { heading, blocks } of sectionsOf(path.join(root, document))) {
    const scripts = blocks.filter(({ language, name }) => language === 'js' && name === undefined)
    for (const [number, { code }] of scripts.entries()) {
      test(`${document}, ${heading}: example ${number + 1} prints what its comments say`, (t) =>
        /^import /m.test(code) ? runProgram(t, [{ name: 'main.mjs', code }]) : runScript(code))
    }
    const files = blocks.filter(({ name }) => name !== undefined)
    if (files.length > 0) test(`${document}, ${heading}: the program does what it says`, (t) => runProgram(t, files))
  }
}

test('the typed examples compile', (t) => {
  const directory = workspace(t)
  const typed = documents.flatMap((document) =>
    sectionsOf(path.join(root, document)).flatMap(({ blocks }) => blocks.filter(({ language }) => language === 'ts')),
  )
  assert.ok(typed.length > 0)
  const files = typed.map(({ code }, number) => {
    const file = path.join(directory, `example-${number}.ts`)
    writeFileSync(file, code)
    return file
  })
  const compilerOptions = {
    paths: { '@cynic/parallel-event-bus': [path.join(root, 'index.d.ts')] },
    typeRoots: [path.join(root, 'node_modules/@types')],
  }
  const extending = { extends: path.join(root, '__test__/types/tsconfig.json'), compilerOptions, include: [], files }
  writeFileSync(path.join(directory, 'tsconfig.json'), JSON.stringify(extending))
  const compiler = path.join(path.dirname(require.resolve('typescript/package.json')), 'bin/tsc')
  execFileSync(process.execPath, [compiler, '--project', directory], { encoding: 'utf8' })
})

test('the commands they name exist, and the check of the README calls the test command', () => {
  const { scripts } = require('../package.json')
  for (const document of [...documents, 'CONTRIBUTING.md']) {
    const text = readFileSync(path.join(root, document), 'utf8')
    for (const [, name] of text.matchAll(/npm run ([\w:]+)/g))
      assert.ok(name in scripts, `${document}: npm run ${name}`)
  }
  assert.match(readFileSync(path.join(root, 'README.md'), 'utf8'), /^npm install && npm test$/m)
})

test('their links lead to files and headings that are there', () => {
  for (const document of [...documents, 'ARCHITECTURE.md', 'CONTRIBUTING.md', 'CHANGELOG.md', 'SECURITY.md']) {
    const text = readFileSync(path.join(root, document), 'utf8').replace(/^```.*?^```$/gms, '')
    for (const [, link] of text.matchAll(/\]\((?!https?:)([^)]+)\)/g)) {
      const [file, anchor] = link.split('#')
      const target = file === '' ? document : path.posix.join(path.posix.dirname(document), file)
      assert.ok(existsSync(path.join(root, target)), `${document}: ${link}`)
      if (anchor === undefined) continue
      const anchors = sectionsOf(path.join(root, target)).map(({ heading }) => anchorOf(heading))
      assert.ok(anchors.includes(anchor), `${document}: ${link}`)
    }
  }
})

/** As GitHub makes it of a heading. */
function anchorOf(heading) {
  return heading
    .toLowerCase()
    .replace(/[^\w\s-]/g, '')
    .replaceAll(' ', '-')
}

test('every guide is in the index', () => {
  const index = readFileSync(path.join(root, 'docs/README.md'), 'utf8')
  for (const document of documents.filter((name) => name.startsWith('docs/') && name !== 'docs/README.md')) {
    assert.ok(index.includes(`(${path.basename(document)})`), document)
  }
})

test('every warning is in the guide that lists them', () => {
  const guide = readFileSync(path.join(root, 'docs/diagnostics.md'), 'utf8')
  const source = readdirSync(path.join(root, 'lib'), { recursive: true })
    .filter((file) => file.endsWith('.js'))
    .map((file) => readFileSync(path.join(root, 'lib', file), 'utf8'))
    .join('\n')
  const codes = new Set(source.match(/PARALLEL_EVENT_BUS_\w+/g))
  assert.ok(codes.size >= 5)
  assert.deepEqual([...new Set(guide.match(/PARALLEL_EVENT_BUS_\w+/g))].sort(), [...codes].sort())
})
