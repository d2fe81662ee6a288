'use strict'

// npm run bench [-- --quick] [--json FILE] [--only TEXT]
//
// Measures every row and prints a table, and then which goals are met. A goal that is missed does not fail the command: times depend on the
// machine, and tests are elsewhere. A listener that was called too often or too seldom does fail it.

const { spawnSync } = require('node:child_process')
const { writeFileSync } = require('node:fs')
const path = require('node:path')
const { parseArgs } = require('node:util')
const { budget, renderBudget } = require('./budget.js')
const { machine } = require('./machine.js')
const groups = require('./rows/index.js')
const { render } = require('./table.js')

const OPTIONS = {
  quick: { type: 'boolean', default: false },
  json: { type: 'string' },
  only: { type: 'string', default: '' },
}

/** Milliseconds after which a row has failed: it waits for something that does not come. */
const ROW_TIMEOUT_MS = 120_000

function main() {
  const { quick, json, only } = parseArgs({ options: OPTIONS }).values
  const wanted = ({ id, full }) => id.includes(only) && !(full && quick)
  const where = machine()
  const results = groups
    .map((group) => ({ ...group, rows: group.rows.filter(wanted) }))
    .filter(({ rows }) => rows.length > 0)
    .map(({ title, note, payload, rows }) => ({ title, note, payload, lines: rows.flatMap((row) => run(row, quick)) }))
  if (json !== undefined) writeFileSync(json, `${JSON.stringify({ machine: where, quick, results }, null, 2)}\n`)
  print(where, results, quick)
  if (results.some(({ lines }) => lines.some(({ error }) => error !== undefined))) process.exitCode = 1
}

/** Runs a row in a process of its own. */
function run({ id, what, curve, x }, quick) {
  progress(`measuring ${id} …`)
  // `execArgv` hands on --expose-gc.
  const args = [...process.execArgv, path.join(__dirname, 'child.js'), id, quick ? 'quick' : 'full']
  const { status, stdout, error } = spawnSync(process.execPath, args, {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
    timeout: ROW_TIMEOUT_MS,
  })
  progress('')
  if (error?.code === 'ETIMEDOUT') return [{ id, what, error: `did not end in ${ROW_TIMEOUT_MS / 1000} s` }]
  if (status !== 0) return [{ id, what, error: 'failed: see above' }]
  return JSON.parse(stdout).map((line) => ({ id, what, curve, x, ...line }))
}

/** One line that the next one replaces; nothing where the output is kept. */
function progress(text) {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${text}`)
}

function print({ cpu, cores, os, node, commit, load }, results, quick) {
  const at = commit === null ? '' : `, commit ${commit}`
  console.log(`${cpu}, ${cores} cores, ${os}, Node ${node}${at}, load ${load.toFixed(1)}${quick ? ', quick' : ''}`)
  if (load > cores / 2) console.log('Other processes are busy here: run it again when they are not.')
  console.log('Median of the rounds, below it p10 – p90. Times, sizes and counts: less is better.')
  console.log('As fast: how many times as fast as theirs, round by round. More is better; below 1 the bus is slower.')
  const style = { colour: process.stdout.isTTY === true && !process.env.NO_COLOR }
  console.log(render(results, style))
  const goals = budget(results)
  if (goals.length > 0) console.log(renderBudget(goals, style))
}

main()
