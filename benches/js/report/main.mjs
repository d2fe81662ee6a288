// npm run bench:report
//
// Puts the numbers of docs/benchmarks.json, which is one run of `npm run bench -- --json docs/benchmarks.json`, into
// docs/benchmarks.md and README.md, between their `<!-- bench:NAME -->` and `<!-- /bench:NAME -->`, and draws the charts.

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { charts } from './charts.mjs'
import { from, kinds, numbers, pools } from './readme.mjs'
import { Results } from './results.mjs'
import { goals, origin, rows, versions } from './tables.mjs'

const ROOT = new URL('../../../', import.meta.url)
const PAGES = {
  'README.md': { from, kinds, numbers, pools },
  'docs/benchmarks.md': { origin, versions, goals, rows },
}

/** All files that follow from the results, by their path from the root. */
export function report() {
  const results = new Results(JSON.parse(read('docs/benchmarks.json')))
  const pages = Object.entries(PAGES).map(([path, parts]) => [path, filled(read(path), parts, results)])
  const drawn = Object.entries(charts(results)).map(([name, svg]) => [`docs/charts/${name}`, svg])
  return Object.fromEntries([...pages, ...drawn])
}

function filled(page, parts, results) {
  return Object.entries(parts).reduce((text, [name, write]) => {
    const between = new RegExp(`(?<=<!-- bench:${name} -->).*?(?=<!-- /bench:${name} -->)`, 's')
    if (!between.test(text)) throw new Error(`there is no place for ${name}`)
    return text.replace(between, () => `\n\n${write(results)}\n\n`)
  }, page)
}

function read(path) {
  return readFileSync(new URL(path, ROOT), 'utf8')
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  mkdirSync(new URL('docs/charts', ROOT), { recursive: true })
  for (const [path, content] of Object.entries(report())) writeFileSync(new URL(path, ROOT), content)
}
