'use strict'

// The type tests, of the package and of examples/cynic-core, under the oldest and the newest compiler that Node's types
// support, and with the oldest types of Node that the package supports: `npm run test:types`.

const assert = require('node:assert/strict')
const { spawnSync } = require('node:child_process')
const path = require('node:path')

const root = path.join(__dirname, '..')
const types = path.join(root, '__test__/types')

const RUNS = [
  { compiler: 'typescript', node: '@types/node', project: types },
  { compiler: 'typescript', node: 'types-node-oldest', project: path.join(types, 'oldest-node') },
  { compiler: 'typescript-oldest', node: '@types/node', project: types },
]

function versionOf(name) {
  return require(path.join(root, 'node_modules', name, 'package.json')).version
}

// Node's types say how old a compiler they go with, and move on.
const { typeScriptVersion } = require('@types/node/package.json')
assert.ok(versionOf('typescript-oldest').startsWith(`${typeScriptVersion}.`), `install typescript@${typeScriptVersion}`)

for (const { compiler, node, project } of RUNS) {
  const tsc = path.join(root, 'node_modules', compiler, 'bin/tsc')
  const { status } = spawnSync(process.execPath, [tsc, '--project', project], { stdio: 'inherit' })
  const what = `types of TypeScript ${versionOf(compiler)} and Node ${versionOf(node)}`
  console.log(status === 0 ? `${what}: as they have to be` : `${what}: see above`)
  if (status !== 0) process.exitCode = 1
}
