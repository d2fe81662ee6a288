'use strict'

// Everything that an editor shows of the public API has words: each export, and each member of it.

const assert = require('node:assert/strict')
const { readFileSync } = require('node:fs')
const path = require('node:path')
const { test } = require('node:test')
// The newest compiler has no API in JavaScript.
const ts = require('typescript-oldest')

const file = path.join(__dirname, '../../index.d.ts')
const source = ts.createSourceFile(file, readFileSync(file, 'utf8'), ts.ScriptTarget.Latest, true)

/** The declarations that are exported, by name. */
function exported() {
  const namespace = source.statements.find(ts.isModuleDeclaration)
  const names = namespace.body.statements[0].exportClause.elements.map(({ name }) => name.text)
  const declarations = source.statements.filter(({ name }) => name && names.includes(name.text))
  return declarations.filter((declaration) => declaration !== namespace)
}

test('every export and every member of one is documented', () => {
  const declarations = exported()
  const members = declarations.flatMap(
    (declaration) => declaration.members?.map((member) => [declaration, member]) ?? [],
  )
  assert.ok(
    declarations.length > 20 && members.length > 70,
    `${declarations.length} exports, ${members.length} members`,
  )
  const undocumented = [
    ...declarations.filter((declaration) => !isDocumented(declaration)).map(({ name }) => name.text),
    ...members
      .filter(([, member]) => !isDocumented(member) && !isBrand(member))
      .map(([{ name }, member]) => `${name.text}.${member.name?.getText() ?? 'constructor'}`),
  ]
  assert.deepEqual(undocumented, [])
})

test('every default of an option is told', () => {
  const options = exported().filter(({ name }) => /(Options|Bounds)$/.test(name.text))
  const silent = options.flatMap(({ name, members }) =>
    members
      .filter((member) => !ts.getJSDocTags(member).some((tag) => tag.tagName.text === 'defaultValue'))
      .map((member) => `${name.text}.${member.name.text}`),
  )
  assert.deepEqual(silent, [])
})

function isDocumented(node) {
  return ts.getJSDocCommentsAndTags(node).some((comment) => ts.getTextOfJSDocComment(comment.comment)?.length > 0)
}

/** `name` and `code` of an error say all there is to say in their types. */
function isBrand({ name, type }) {
  return ['name', 'code'].includes(name?.getText()) && ts.isLiteralTypeNode(type)
}
