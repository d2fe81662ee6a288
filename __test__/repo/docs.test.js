'use strict'

// The examples of the documents and the types are true. Every example is run as a file, in the module format that it
// shows, and its comments are compared with its output. Files and commands that the documents name exist.
//
// In a block of JavaScript, the comment behind each `console.log(…)` is the output of that call. A block without a name
// is a program. Blocks with names are files of one program for each section: `main.*` starts it, or `*.test.*` is run.
// TypeScript is compiled, and then run.

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
// The newest compiler has no API in JavaScript.
const ts = require('typescript-oldest')
const { examplesOf, expectedOutput, sectionsOf } = require('../fixtures/markdown.js')

const root = path.join(__dirname, '../..')
const TYPES = 'index.d.ts'
const markdownIn = (folder) =>
  readdirSync(path.join(root, folder))
    .filter((file) => file.endsWith('.md'))
    .map((file) => path.posix.join(folder, file))
/** All but docs/api, which is made of the types. */
const documents = [
  ...markdownIn('.'),
  ...markdownIn('docs'),
  ...readdirSync(path.join(root, 'examples')).flatMap((folder) => markdownIn(`examples/${folder}`)),
]
/** The packages that examples import, and their places. */
const PACKAGES = {
  '@cynic/parallel-event-bus': '.',
  '@cynic/core': 'examples/cynic-core',
  emittery: 'node_modules/emittery',
  eventemitter2: 'node_modules/eventemitter2',
  piscina: 'node_modules/piscina',
  'prom-client': 'node_modules/prom-client',
  '@opentelemetry/api': 'node_modules/@opentelemetry/api',
  '@opentelemetry/context-async-hooks': 'node_modules/@opentelemetry/context-async-hooks',
  '@opentelemetry/sdk-trace-base': 'node_modules/@opentelemetry/sdk-trace-base',
}
/** An example that hangs is one that fails. */
const LONGEST_RUN_MS = 60_000
/** Its blocks are the steps of one story: `integration.test.js` takes them. */
const STEPS = 'docs/integration.md'

const examples = [...documents, TYPES]
  .filter((file) => file !== STEPS)
  .map((file) => ({ file, sections: (file === TYPES ? examplesOf : sectionsOf)(path.join(root, file)) }))

/** A folder where the packages are installed. */
function workspace(t) {
  const directory = mkdtempSync(path.join(tmpdir(), 'docs-'))
  t.after(() => rmSync(directory, { recursive: true }))
  // Deno finds packages only beside a manifest.
  writeFileSync(path.join(directory, 'package.json'), '{}')
  for (const [name, folder] of Object.entries(PACKAGES)) {
    const link = path.join(directory, 'node_modules', name)
    mkdirSync(path.dirname(link), { recursive: true })
    symlinkSync(path.join(root, folder), link, 'junction')
  }
  return directory
}

/** The files of a program, as Node runs them. */
function filesOf(blocks) {
  return blocks.map(({ language, name, code }) => {
    const given = name ?? (isCommonJs(code) ? 'main.cjs' : 'main.mjs')
    if (language !== 'ts') return { name: given, code }
    const options = { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2022 }
    return { name: given.replace(/ts$/, 'js'), code: ts.transpileModule(code, { compilerOptions: options }).outputText }
  })
}

/** The format that an unnamed block shows: one that mixes the two does not run in either. */
function isCommonJs(code) {
  return /^(?:const|let|var) .*\brequire\(/m.test(code)
}

/** @param {boolean} inOrder of the output, too: else listeners in other threads print when they are called */
function runProgram(t, blocks, { inOrder }) {
  const directory = workspace(t)
  const files = filesOf(blocks)
  for (const { name, code } of files) writeFileSync(path.join(directory, name), code)
  const main = files.find(({ name }) => /^main\.|\.test\./.test(name)).name
  const args = main.startsWith('main.') ? ['--require', path.join(__dirname, '../fixtures/printing.cjs')] : ['--test']
  // Without the variable by which node:test knows that it runs inside of another.
  const { NODE_TEST_CONTEXT, ...env } = process.env
  const options = { cwd: directory, encoding: 'utf8', env, timeout: LONGEST_RUN_MS }
  const { status, stdout, stderr } = spawnSync(process.execPath, [...args, main], options)
  assert.equal(status, 0, stdout + stderr)
  if (args[0] === '--test') return
  const expected = blocks.flatMap(({ code }) => expectedOutput(code))
  const lines = stdout.split('\n').slice(0, -1)
  if (inOrder) assert.deepEqual(lines, expected)
  else assert.deepEqual(lines.sort(), expected.sort())
}

for (const { file, sections } of examples) {
  for (const { heading, blocks } of sections) {
    const code = blocks.filter(({ language }) => ['js', 'mjs', 'cjs', 'ts'].includes(language))
    const programs = code.filter(({ name }) => name === undefined)
    for (const [number, block] of programs.entries()) {
      test(`${file}, ${heading}: example ${number + 1} prints its comments`, (t) =>
        runProgram(t, [block], { inOrder: true }))
    }
    const named = code.filter(({ name }) => name !== undefined)
    if (named.length > 0) {
      test(`${file}, ${heading}: the program keeps its word`, (t) => runProgram(t, named, { inOrder: false }))
    }
  }
}

test('the typed examples compile', (t) => {
  const directory = workspace(t)
  const blocks = examples.flatMap(({ sections }) => sections.flatMap((section) => section.blocks))
  const typed = blocks.filter(({ language }) => language === 'ts')
  assert.ok(typed.length > 4)
  const files = typed.map(({ code }, number) => {
    const file = path.join(directory, `example-${number}.mts`)
    writeFileSync(file, code)
    return file
  })
  const compilerOptions = {
    moduleDetection: 'force',
    paths: { '@cynic/parallel-event-bus': [path.join(root, TYPES)] },
    typeRoots: [path.join(root, 'node_modules/@types')],
  }
  const extending = { extends: path.join(root, '__test__/types/tsconfig.json'), compilerOptions, include: [], files }
  writeFileSync(path.join(directory, 'tsconfig.json'), JSON.stringify(extending))
  const compiler = path.join(path.dirname(require.resolve('typescript/package.json')), 'bin/tsc')
  execFileSync(process.execPath, [compiler, '--project', directory], { encoding: 'utf8' })
})

test('the commands they name exist, and the check of the README calls the test command', () => {
  const { scripts } = require('../../package.json')
  for (const document of documents) {
    const text = readFileSync(path.join(root, document), 'utf8')
    for (const [, name] of text.matchAll(/npm run (?:--silent )?([\w:]+)/g))
      assert.ok(name in scripts, `${document}: npm run ${name}`)
  }
  assert.match(readFileSync(path.join(root, 'README.md'), 'utf8'), /^npm install && npm test$/m)
})

test('their links lead to files and headings that are there', () => {
  for (const document of documents) {
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
