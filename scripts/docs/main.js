// Writes docs/api from index.d.ts: `npm run docs`. With --check it writes nothing, and fails where docs/api is not that
// of the types.
//
// CommonJS needs a module that is a class, by `export =`; typedoc has no name for it. So it reads a copy that exports
// everything by its name.

const { spawnSync } = require('node:child_process')
const { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } = require('node:fs')
const { tmpdir } = require('node:os')
const path = require('node:path')

const root = path.join(__dirname, '../..')
const COPY = path.join(__dirname, 'index.d.ts')
const API = path.join(root, 'docs/api')

function write(folder) {
  const types = readFileSync(path.join(root, 'index.d.ts'), 'utf8')
  const named = types
    .replace(/^export = ParallelEventBus$/m, '')
    .replace(/^declare namespace ParallelEventBus \{\n\s+(export \{.*?\})\n\}/ms, '$1')
  if (/export =|declare namespace/.test(named)) throw new Error('index.d.ts does not end as it did')
  writeFileSync(COPY, named)
  try {
    const typedoc = path.join(path.dirname(require.resolve('typedoc/package.json')), 'bin/typedoc')
    const { status, stdout, stderr } = spawnSync(process.execPath, [typedoc, '--out', folder], {
      cwd: __dirname,
      encoding: 'utf8',
    })
    if (status !== 0) throw new Error(stdout + stderr)
  } finally {
    rmSync(COPY)
  }
}

function check() {
  const folder = mkdtempSync(path.join(tmpdir(), 'api-'))
  try {
    write(folder)
    const files = (of) => readdirSync(of, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
    const contents = (of) =>
      files(of)
        .map(({ parentPath, path: older, name }) => path.join(parentPath ?? older, name))
        .map((file) => `${path.relative(of, file)}\n${readFileSync(file, 'utf8')}`)
        .sort()
        .join('\n')
    if (contents(folder) !== contents(API)) throw new Error('docs/api is not that of the types: npm run docs')
  } finally {
    rmSync(folder, { recursive: true })
  }
}

if (process.argv.includes('--check')) check()
else write(API)
