'use strict'

// Makes of a checkout and of binaries the packages that are published: one for each platform, and the one that people
// install, which names those as optionalDependencies. They are made in a folder of their own, so that the checkout
// names no packages that do not exist yet, and `npm install` in it goes on working.
//
//   node scripts/release/stage.js <folder with the *.node files> <new folder> [--present]
//
// With --present only for the platforms that have a binary there; else a missing one is an error.

const { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } = require('node:fs')
const path = require('node:path')
const { parseArgs } = require('node:util')
const { NapiCli, parseTriple } = require('@napi-rs/cli')
const { pack } = require('../npm.js')

const root = path.join(__dirname, '../..')

/** Returns the folders of the packages in the order in which they have to be published. */
async function stage(binaries, folder, { onlyPresent = false } = {}) {
  mkdirSync(folder)
  for (const file of packedFiles()) cpSync(path.join(root, file), path.join(folder, file))
  const manifest = path.join(folder, 'package.json')
  const { scripts, devDependencies, workspaces, overrides, ...published } = JSON.parse(readFileSync(manifest, 'utf8'))
  if (onlyPresent) published.napi.targets = presentTargets(published.napi, binaries)
  // Provenance is refused for a package that does not name the repository it was built in.
  const { GITHUB_REPOSITORY: repository } = process.env
  if (repository) published.repository = { type: 'git', url: `git+https://github.com/${repository}.git` }
  writeFileSync(manifest, `${JSON.stringify(published, null, 2)}\n`)

  const cli = new NapiCli()
  await quietly(async () => {
    await cli.createNpmDirs({ cwd: folder })
    await cli.artifacts({ cwd: folder, outputDir: path.resolve(binaries) })
    // `artifacts` puts all of them here, too.
    for (const file of readdirSync(folder)) if (file.endsWith('.node')) rmSync(path.join(folder, file))
    await cli.prePublish({ cwd: folder, tagStyle: 'npm', ghRelease: false, skipOptionalPublish: true })
  })
  const platforms = readdirSync(path.join(folder, 'npm')).map((name) => path.join(folder, 'npm', name))
  return [...platforms, folder]
}

/** Returns the files that npm would pack, without the binaries. */
function packedFiles() {
  const [report] = pack(root, '--dry-run')
  return report.files.map((file) => file.path).filter((file) => !file.endsWith('.node'))
}

function presentTargets({ binaryName, targets }, binaries) {
  const present = new Set(readdirSync(binaries, { recursive: true }).map((file) => path.basename(file)))
  return targets.filter((target) => present.has(`${binaryName}.${parseTriple(target).platformArchABI}.node`))
}

/** Runs napi. It prints each file that it writes, and throws its errors. */
async function quietly(run) {
  const { error } = console
  console.error = () => {}
  try {
    await run()
  } finally {
    console.error = error
  }
}

async function main() {
  const { values, positionals } = parseArgs({ allowPositionals: true, options: { present: { type: 'boolean' } } })
  if (positionals.length !== 2)
    throw new Error('usage: stage.js <folder with the *.node files> <new folder> [--present]')
  for (const folder of await stage(...positionals, { onlyPresent: values.present })) console.log(folder)
}

if (require.main === module) main()

module.exports = { stage }
