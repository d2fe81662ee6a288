'use strict'

// The type tests, of the package and of examples/cynic-core, under the oldest and the newest compiler that Node's types
// support, and with the oldest types of Node that the package supports.

const assert = require('node:assert/strict')
const path = require('node:path')
const { capture, root } = require('./capture.js')
const { countsOf } = require('./summary.js')

const types = path.join(root, '__test__/types')

const RUNS = [
  { compiler: 'typescript', node: '@types/node', project: types },
  { compiler: 'typescript', node: 'types-node-oldest', project: path.join(types, 'oldest-node') },
  { compiler: 'typescript-oldest', node: '@types/node', project: types },
]

function versionOf(name) {
  return require(path.join(root, 'node_modules', name, 'package.json')).version
}

/** Compiles the type tests once for each combination of compiler and types of Node. */
async function checkTypes({ report }) {
  // Node's types say how old a compiler they go with, and move on.
  const { typeScriptVersion } = require('@types/node/package.json')
  const newer = `install typescript@${typeScriptVersion} as typescript-oldest`
  assert.ok(versionOf('typescript-oldest').startsWith(`${typeScriptVersion}.`), newer)
  let fail = 0
  for (const { compiler, node, project } of RUNS) {
    const tsc = path.join(root, 'node_modules', compiler, 'bin/tsc')
    const { status, output } = await capture(process.execPath, [tsc, '--project', project])
    if (status === 0) continue
    fail++
    report(`types of TypeScript ${versionOf(compiler)} and Node ${versionOf(node)}:\n${output}`)
  }
  return countsOf({ pass: RUNS.length - fail, fail })
}

module.exports = { checkTypes }
