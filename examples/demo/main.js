'use strict'

// The demo: real work on real files, with an EventEmitter's listeners one after another and through the bus.
//
// Here are the arguments, the exit codes and the order of things.

const { join, relative } = require('node:path')
const { parseArgs } = require('node:util')
const { painter, printable } = require('./format.js')
const fileListeners = require('./listeners.js')
const { createProgress } = require('./progress.js')
const report = require('./report.js')
const { compare } = require('./results.js')
const { runOneAfterAnother, runThroughBus, runWithThreads, warmUp } = require('./runs.js')
const { cap, walk } = require('./walk.js')

const MOST_THREADS = 16
/** With threads: two results in each file for the workers, so that even the most of them have two in hand. */
const IN_FLIGHT = 16

const USAGE = 'Usage: npm run demo -- [directory] [--threads n]'
const HELP = `${USAGE}

Computes the SHA-256, the line count and the gzip size of every file in a directory (this project's node_modules
if none is named), with listeners that are awaited one after another, and with listeners on the bus.

  --threads n  a third time, with SHA-256 and gzip in 1 to ${MOST_THREADS} worker threads, and with ${IN_FLIGHT} files in flight
               in all three runs`

const DEFAULT_DIRECTORY = join(__dirname, '../../node_modules')
/** What two cores do in about half a minute. A directory that is named is taken as a whole. */
const DEFAULT_LIMITS = { maxFiles: 7500, maxBytes: 250e6 }

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
    stderr.write(`Can not read '${printable(tree.directory)}': ${REASONS[tree.error.code] ?? tree.error.code}\n`)
    return REFUSED
  }
  return demonstrate(tree, listeners, request.threads, { stdout, stderr })
}

function parse(args) {
  try {
    const options = { help: { type: 'boolean', short: 'h' }, threads: { type: 'string' } }
    const { values, positionals } = parseArgs({ args, options, allowPositionals: true })
    const threads = values.threads === undefined ? 0 : threadsOf(values.threads)
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
    const taken = named === undefined ? cap(files, DEFAULT_LIMITS) : files
    return { directory, files: taken, found: files.length, unreadable }
  } catch (error) {
    if (error.syscall === undefined) throw error
    return { directory, error }
  }
}

async function demonstrate(tree, listeners, threads, { stdout, stderr }) {
  const { directory, files } = tree
  const names = Object.keys(listeners)
  const inFlight = threads === 0 ? 1 : IN_FLIGHT
  const print = (lines) => stdout.write(`${lines.join('\n')}\n`)
  print(report.introduction({ ...tree, names, threads, inFlight, directory: shown(directory) }))
  if (files.length === 0) return OK

  const runs = await run(files, listeners, { threads, inFlight }, createProgress({ stdout, stderr }))
  const style = styleOf(stdout)
  const sections = [
    report.table(runs, { ...style, names, threads }),
    report.timeline(runs, { ...style, directory, threads }),
    report.statistics(runs.at(-1).stats, style),
  ]
  for (const lines of sections) print(['', ...lines])

  const comparison = compare(...runs)
  if (comparison.different.length > 0) {
    stderr.write(`${report.disagreement(comparison, directory)}\n`)
    return DIFFERENT
  }
  print(['', report.agreement(comparison.compared, runs.length)])
  return OK
}

function styleOf(stdout) {
  const colours = Boolean(stdout.isTTY && !process.env.NO_COLOR && stdout.hasColors())
  return { colours, paint: painter(colours), framed: Boolean(stdout.isTTY), columns: stdout.columns || 80 }
}

async function run(files, listeners, options, progress) {
  const passes = [runOneAfterAnother, runThroughBus, runWithThreads]
  const titled = report.namesOf(options.threads).map((title, index) => [title, passes[index]])
  const runs = []
  for (const [title, pass] of [['reading every file, to warm up', warmUp], ...titled]) {
    progress.start(title, files.length)
    try {
      runs.push(await pass(files, listeners, { ...options, onFile: progress.step }))
    } finally {
      progress.stop()
    }
  }
  return runs.slice(1)
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
