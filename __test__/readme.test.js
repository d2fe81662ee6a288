'use strict'

// What the README shows is what happens: its examples are run, their comments compared with what they print.

const assert = require('node:assert/strict')
const { execFileSync, spawnSync } = require('node:child_process')
const { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } = require('node:fs')
const { tmpdir } = require('node:os')
const path = require('node:path')
const { test } = require('node:test')
const { inspect } = require('node:util')

const root = path.join(__dirname, '..')
const readme = readFileSync(path.join(root, 'README.md'), 'utf8')
const AsyncFunction = (async () => {}).constructor

/** The code blocks of a language. */
function blocks(language) {
  return [...readme.matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\``, 'gms'))].map(([, code]) => code)
}

/** As console.log shows it, on one line and without stacks. */
function shown(value) {
  if (typeof value === 'string') return value
  const lines = inspect(value).replace(/\n +at .*/g, '')
  return lines.replace(/\s*\n\s*/g, ' ').replace(/\[ (.*) \]/, '[$1]')
}

for (const [number, code] of blocks('js').entries()) {
  test(`example ${number + 1} prints what its comments say`, async () => {
    const expected = [...code.matchAll(/console\.log\(.*\) \/\/ (.*)$/gm)].map(([, comment]) => comment)
    const printed = []
    const log = (...values) => printed.push(values.map(shown).join(' '))
    await new AsyncFunction('require', 'console', code)(require, { log, error() {} })
    assert.ok(expected.length > 0)
    assert.deepEqual(printed, expected)
  })
}

test('the example of several files prints what its comments say', () => {
  const files = [...readme.matchAll(/^```js (\S+)\n(.*?)^```/gms)].map(([, name, code]) => ({ name, code }))
  const directory = mkdtempSync(path.join(tmpdir(), 'readme-'))
  try {
    for (const { name, code } of files) writeFileSync(path.join(directory, name), code)
    mkdirSync(path.join(directory, 'node_modules/@cynic'), { recursive: true })
    symlinkSync(root, path.join(directory, 'node_modules/@cynic/parallel-event-bus'), 'junction')
    const { name, code } = files[0]
    const expected = [...code.matchAll(/console\.log\(.*\) \/\/ (.*)$/gm)].map(([, comment]) => comment)
    const { stdout } = spawnSync(process.execPath, [path.join(directory, name)], { encoding: 'utf8' })
    // What a listener prints comes when it is called, so only which lines there are is told.
    assert.deepEqual(stdout.trim().split('\n').sort(), expected.sort())
  } finally {
    rmSync(directory, { recursive: true })
  }
})

test('the typed example compiles', () => {
  const directory = mkdtempSync(path.join(tmpdir(), 'readme-'))
  try {
    const files = blocks('ts').map((code, number) => {
      const file = path.join(directory, `example-${number}.ts`)
      writeFileSync(file, code)
      return file
    })
    assert.ok(files.length > 0)
    const compilerOptions = {
      paths: { '@cynic/parallel-event-bus': [path.join(root, 'index.d.ts')] },
      typeRoots: [path.join(root, 'node_modules/@types')],
    }
    const extending = { extends: path.join(root, '__test__/types/tsconfig.json'), compilerOptions, include: [], files }
    writeFileSync(path.join(directory, 'tsconfig.json'), JSON.stringify(extending))
    const compiler = path.join(path.dirname(require.resolve('typescript/package.json')), 'bin/tsc')
    execFileSync(process.execPath, [compiler, '--project', directory], { encoding: 'utf8' })
  } finally {
    rmSync(directory, { recursive: true })
  }
})

test('the commands it names exist, and its check calls the test command', () => {
  const { scripts } = require('../package.json')
  const commands = [...readme.matchAll(/npm run ([\w:]+)/g)].map(([, name]) => name)
  assert.ok(commands.includes('demo') && commands.includes('bench'))
  for (const name of commands) assert.ok(name in scripts, `npm run ${name}`)
  assert.match(readme, /^npm install && npm test$/m)
})
