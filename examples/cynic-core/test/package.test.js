'use strict'

// The exports of @cynic/core, their names, and their types.

const assert = require('node:assert/strict')
const { test } = require('node:test')
const addon = require('@cynic/parallel-event-bus')
// The newest compiler has no API in JavaScript.
const ts = require('typescript-oldest')

const ENTRIES = ['@cynic/core', '@cynic/core/bus', '@cynic/core/migration']
const CLASSES = ['AgentBus', 'CoreBus', 'ServicesBus', 'UnifiedBus']
const OPTIONS = { module: ts.ModuleKind.NodeNext, moduleResolution: ts.ModuleResolutionKind.NodeNext, types: [] }

const program = ts.createProgram(ENTRIES.map(typesOf), OPTIONS)
const checker = program.getTypeChecker()

test('ParallelEventBus and createParallelEventBus come from @cynic/core and from @cynic/core/bus', async () => {
  for (const name of ['@cynic/core', '@cynic/core/bus']) {
    for (const exported of [require(name), await import(name)]) {
      assert.equal(exported.ParallelEventBus, addon.ParallelEventBus)
      assert.equal(exported.createParallelEventBus, addon.createParallelEventBus)
    }
  }
})

for (const name of ENTRIES) {
  test(`the types of ${name} have the names that a module can import, and nothing else`, async () => {
    const { default: whole, 'module.exports': _, ...imported } = await import(name)
    assert.deepEqual(Object.keys(whole).sort(), Object.keys(imported).sort())
    const values = exportsOf(name).filter(isValue)
    assert.deepEqual(values.map((symbol) => symbol.name).sort(), Object.keys(imported).sort())
  })
}

for (const name of CLASSES) {
  test(`the types of ${name} have its methods`, () => {
    const prototype = require('@cynic/core')[name].prototype
    const methods = Object.getOwnPropertyNames(prototype).filter((each) => each !== 'constructor')
    const { members } = resolved(exportsOf('@cynic/core').find((symbol) => symbol.name === name)).declarations[0]
    assert.deepEqual(
      members
        .filter(ts.isMethodDeclaration)
        .map((member) => member.name.text)
        .sort(),
      methods.sort(),
    )
  })
}

/** The symbols that the types of an entry export. */
function exportsOf(name) {
  return checker.getExportsOfModule(checker.getSymbolAtLocation(program.getSourceFile(typesOf(name))))
}

/** The file that a compiler finds, by `exports` of the package.json. */
function typesOf(name) {
  return ts.resolveModuleName(name, __filename, OPTIONS, ts.sys).resolvedModule.resolvedFileName
}

function resolved(symbol) {
  return symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol
}

function isValue(symbol) {
  return (resolved(symbol).flags & ts.SymbolFlags.Value) !== 0
}
