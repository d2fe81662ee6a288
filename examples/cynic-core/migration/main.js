#!/usr/bin/env node
'use strict'

// The migration check as a command.

const { existsSync } = require('node:fs')
const { createRequire } = require('node:module')
const path = require('node:path')
const { parseArgs } = require('node:util')
const { check } = require('./check.js')
const { criteriaOf } = require('./criteria.js')
const { targetError } = require('./load.js')
const { report } = require('./report.js')

const USAGE = `Usage: bus-migration-check <module> [export] [--on method] [--emit method] [--event name] [--quick]

Measures a bus on EventEmitter and on ParallelEventBus, and tells whether the success criteria of a migration are met.

  module   a file or a package
  export   a class that extends either of the two, or a function that is called with one of them and returns a bus that
           holds it; the default export, or the only one, if none is named
  --on     the bus's method that subscribes: (event, listener). Default: on
  --emit   the bus's method that publishes: (event, data). Default: emit
  --event  an event that the bus accepts. Default: check:bus:event
  --quick  fewer rounds, for a first look

Exits with 0 if all criteria are met, 1 if one is not, 2 if there is nothing to check.`

const MET = 0
const NOT_MET = 1
const REFUSED = 2

/** Resolves to the exit code. */
async function main(args) {
  const request = parse(args)
  if (request === null) {
    console.error(USAGE)
    return REFUSED
  }
  try {
    const results = await check({ ...request.target, file: resolve(request.module) }, request)
    console.log(report(results))
    return criteriaOf(results).every(({ met }) => met) ? MET : NOT_MET
  } catch (error) {
    console.error(error.code === 'ERR_TARGET' ? error.message : error)
    return REFUSED
  }
}

function parse(args) {
  const text = { type: 'string' }
  const options = { on: text, emit: text, event: text, quick: { type: 'boolean' } }
  try {
    const { values, positionals } = parseArgs({ args, options, allowPositionals: true })
    const { quick, ...named } = values
    const [module, name] = positionals
    if (module === undefined || positionals.length > 2) return null
    return { module, quick, target: { ...named, name } }
  } catch {
    return null
  }
}

/** The file of a path, relative to the working directory, or of a package that is installed there. */
function resolve(module) {
  const file = path.resolve(module)
  try {
    return createRequire(path.join(process.cwd(), 'any.js')).resolve(existsSync(file) ? file : module)
  } catch {
    throw targetError(`There is no module "${module}" here`)
  }
}

main(process.argv.slice(2)).then((code) => {
  process.exitCode = code
})
