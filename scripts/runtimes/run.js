'use strict'

// Runs test files under Bun or Deno, each in a process of its own, and reads the result of each test.

const { spawn } = require('node:child_process')
const { mkdirSync, readFileSync, rmSync } = require('node:fs')
const { availableParallelism } = require('node:os')
const path = require('node:path')

/** Longer than any file takes that ends at all. */
const LIMIT_MS = 150_000
/** For files of which it is known that they do not end. */
const HANGING_LIMIT_MS = 30_000

/**
 * @param {(file: string, report: string) => string[]} command runs a file and writes a JUnit report
 * @param {{ file: string, hangs: boolean }[]} files
 * @returns {Promise<{ file: string, tests: Map<string, boolean> | null, output: string }[]>} whether each test passed,
 * or null where the file did not end, or crashed
 */
async function runFiles(folder, command, files) {
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
  const waiting = [...files]
  const results = []
  const work = async () => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      const report = path.join(folder, `${next.file.replaceAll('/', '-')}.xml`)
      const run = () => runFile(command(next.file, report), report, next.hangs ? HANGING_LIMIT_MS : LIMIT_MS)
      let result = await run()
      // A machine may have been busy with other things.
      if (result.timedOut && !next.hangs) result = await run()
      results.push({ file: next.file, ...result })
    }
  }
  await Promise.all(Array.from({ length: Math.min(2, availableParallelism()) }, work))
  return results
}

function runFile([program, ...args], report, limit) {
  return new Promise((resolve, reject) => {
    const env = { ...process.env, NO_COLOR: '1' }
    const child = spawn(program, args, { env, stdio: ['ignore', 'pipe', 'pipe'] })
    const output = []
    let timedOut = false
    child.stdout.on('data', (chunk) => output.push(chunk))
    child.stderr.on('data', (chunk) => output.push(chunk))
    const timer = setTimeout(() => {
      timedOut = true
      child.kill('SIGKILL')
    }, limit)
    child.once('error', reject)
    child.once('close', () => {
      clearTimeout(timer)
      resolve({ tests: timedOut ? null : testsIn(report), timedOut, output: Buffer.concat(output).toString() })
    })
  })
}

/** Whether each test of a report passed, by its name; null without a report. Those that were skipped are left out. */
function testsIn(report) {
  let xml
  try {
    xml = readFileSync(report, 'utf8')
  } catch {
    return null
  }
  const tests = new Map()
  for (const [, attributes, , body = ''] of xml.matchAll(/<testcase\b([^>]*?)(\/>|>([\s\S]*?)<\/testcase>)/g)) {
    if (/<skipped\b/.test(body)) continue
    const name = unescaped(/\bname="([^"]*)"/.exec(attributes)[1])
    tests.set(name, (tests.get(name) ?? true) && !/<(failure|error)\b/.test(body))
  }
  return tests
}

const ENTITIES = { lt: '<', gt: '>', quot: '"', apos: "'", amp: '&' }

function unescaped(text) {
  return text.replace(/&(?:#(\d+)|#x([\da-f]+)|(\w+));/gi, (_, decimal, hexadecimal, name) => {
    if (name !== undefined) return ENTITIES[name]
    return String.fromCodePoint(decimal === undefined ? Number.parseInt(hexadecimal, 16) : Number(decimal))
  })
}

module.exports = { runFiles }
