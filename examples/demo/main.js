'use strict'

// The demo: real work on real files, one after another, through the bus, and on all cores.
//
// Here are the arguments, the exit codes and the order of things.

const { availableParallelism, tmpdir } = require('node:os')
const { join, relative } = require('node:path')
const { parseArgs } = require('node:util')
const { painter, printable } = require('./format.js')
const { choose, repeat, roundsFor } = require('./job.js')
const { listeners: fileListeners } = require('./listeners.js')
const { Pool } = require('./pool.js')
const { createProgress } = require('./progress.js')
const report = require('./report.js')
const { compare } = require('./results.js')
const { readAll, runOneAfterAnother, runOnThreads, runThroughBus, warmUp, writeTrace } = require('./runs.js')
const { walk } = require('./walk.js')

const MOST_THREADS = 16
/** Files under way at a time, in the second and the third run: enough that each thread has the next one at hand. */
const IN_FLIGHT_PER_THREAD = 3
const FEWEST_IN_FLIGHT = 6

const USAGE = 'Usage: npm run demo -- [directory] [--threads n] [--once] [--trace file]'
const HELP = `${USAGE}

Computes the SHA-256, the line count and the gzip size of the files in a directory (this project's node_modules if
none is named) three times: one after another, through the bus, and by worker threads that the bus spawns.

  --threads n  1 to ${MOST_THREADS} worker threads, instead of one for each core
  --once       goes over the files once, instead of for about ten seconds
  --trace file where the trace of a few files goes, instead of to the folder for temporary files`

const DEFAULT_DIRECTORY = join(__dirname, '../../node_modules')

const OK = 0
const DIFFERENT = 1
const REFUSED = 2
const INTERRUPTED = 130

const REASONS = { ENOENT: 'no such directory', ENOTDIR: 'not a directory', EACCES: 'permission denied' }

/** Resolves to the exit code. */
async function main(args, { stdout = process.stdout, stderr = process.stderr, listeners = fileListeners } = {}) {
  const request = parse(args)
  if (request === null) {
    stderr.write(`${USAGE}\n`)
    return REFUSED
  }
  if (request.help) {
    stdout.write(`${HELP}\n`)
    return OK
  }
  const tree = await find(request.directory)
  if (tree.error !== undefined) {
    stderr.write(`Cannot read '${printable(tree.directory)}': ${REASONS[tree.error.code] ?? tree.error.code}\n`)
    return REFUSED
  }
  return demonstrate(tree, listeners, request, { stdout, stderr })
}

function parse(args) {
  const options = {
    help: { type: 'boolean', short: 'h' },
    once: { type: 'boolean', default: false },
    trace: { type: 'string', default: join(tmpdir(), 'parallel-event-bus-demo.json') },
    threads: { type: 'string', default: String(Math.min(availableParallelism(), MOST_THREADS)) },
  }
  try {
    const { values, positionals } = parseArgs({ args, options, allowPositionals: true })
    const threads = threadsOf(values.threads)
    return positionals.length > 1 || threads === null ? null : { ...values, directory: positionals[0], threads }
  } catch {
    return null
  }
}

function threadsOf(text) {
  return /^[1-9]\d*$/.test(text) && Number(text) <= MOST_THREADS ? Number(text) : null
}

/** The files to work on, or the `error` that kept the directory from being read. */
async function find(named) {
  const directory = named ?? DEFAULT_DIRECTORY
  try {
    const { files, unreadable } = await walk(directory)
    return { directory, unreadable, ...choose(files, { named: named !== undefined }) }
  } catch (error) {
    if (error.syscall === undefined) throw error
    return { directory, error }
  }
}

async function demonstrate(tree, listeners, { threads, once, trace }, { stdout, stderr }) {
  const { directory, files } = tree
  const names = Object.keys(listeners)
  const print = (lines) => stdout.write(`${lines.join('\n')}\n`)
  print(report.introduction({ ...tree, directory: shown(directory), names }))
  if (files.length === 0) return OK

  const settings = { threads, once, trace, inFlight: Math.max(FEWEST_IN_FLIGHT, IN_FLIGHT_PER_THREAD * threads) }
  const { runs, cores, rounds, traced } = await runAll(files, listeners, settings, createProgress({ stdout, stderr }))
  const style = styleOf(stdout)
  const job = { ...settings, files: files.length, rounds }
  const sections = [
    report.timeline(runs, { ...style, ...job, directory }),
    report.table(runs, { ...style, threads }),
    report.remarks(runs, { ...job, cores }),
    report.traced(traced),
  ]
  for (const lines of sections) print(['', ...lines])

  const comparison = compare(...runs)
  if (comparison.different.length === 0) return OK
  stderr.write(`${report.disagreement(comparison, directory)}\n`)
  return DIFFERENT
}

/** Resolves to the three runs, the `cores` that were free meanwhile, and how often each run went over the files. */
async function runAll(files, listeners, { threads, once, inFlight, trace }, progress) {
  const pass = async (title, total, run) => {
    progress.start(title, total)
    try {
      return await run({ inFlight, onFile: progress.step })
    } finally {
      progress.stop()
    }
  }
  const pool = await Pool.open(threads)
  try {
    await pass('reading every file', files.length, (options) => readAll(files, options))
    const rounds = once ? 1 : roundsFor(await warmUp(files, listeners, pool, { inFlight }))
    const job = repeat(files, rounds)
    const ways = [
      (options) => runOneAfterAnother(job, listeners, options),
      (options) => runThroughBus(job, listeners, options),
      (options) => runOnThreads(job, Object.keys(listeners), pool, options),
    ]
    const runs = []
    const free = [await pool.freeCores()]
    for (const [index, title] of report.namesOf(threads).entries()) {
      runs.push(await pass(title, job.length, ways[index]))
      free.push(await pool.freeCores())
    }
    const traced = await writeTrace(files, Object.keys(listeners), pool, { inFlight, file: trace })
    return { traced, runs, rounds, cores: { of: pool.cores, free: Math.min(...free) } }
  } finally {
    await pool.close()
  }
}

function styleOf(stdout) {
  const colours = Boolean(stdout.isTTY && !process.env.NO_COLOR && stdout.hasColors())
  return { paint: painter(colours), framed: Boolean(stdout.isTTY), columns: stdout.columns || 80 }
}

/** The default directory, too, as one would name it. */
function shown(directory) {
  return directory === DEFAULT_DIRECTORY ? relative(process.cwd(), directory) || '.' : directory
}

/** As a program: quiet when nobody reads on, as in `| head`, and gone at Ctrl-C. */
async function start() {
  process.once('SIGINT', () => process.exit(INTERRUPTED))
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error) => {
      if (error.code !== 'EPIPE') throw error
      process.exit()
    })
  }
  process.exitCode = await main(process.argv.slice(2))
}

if (require.main === module) start()

module.exports = { main }
