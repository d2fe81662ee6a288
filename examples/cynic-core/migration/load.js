'use strict'

// The bus that is checked, on one of the two base classes.

const { EventEmitter } = require('node:events')
const { pathToFileURL } = require('node:url')
const { ParallelEventBus } = require('@cynic/parallel-event-bus')
const { ownClass, rebase } = require('./rebase.js')

const BASES = { before: EventEmitter, after: ParallelEventBus }

/**
 * Resolves to a function that makes a bus. Throws an error for the user as an Error with `code` `ERR_TARGET`.
 *
 * @param {{ file: string, name?: string, on: string, emit: string }} target the module and its export: a class that
 * extends one of the bases, or a function that is called with one and returns a bus that holds it
 * @param {'before' | 'after'} side
 */
async function load({ file, name, on, emit }, side) {
  const exported = pick(await import(pathToFileURL(file)), name)
  const create = creator(exported, BASES[side])
  const bus = create()
  for (const method of [on, emit]) {
    if (typeof bus?.[method] !== 'function') throw targetError(`The bus has no method "${method}"`)
  }
  return create
}

/** Without a name: the default export, or the only function there is. */
function pick(module, name) {
  const exports = { ...module.default, ...module }
  if (name !== undefined) {
    if (typeof exports[name] !== 'function') throw targetError(`There is no class or function "${name}" in the module`)
    return exports[name]
  }
  if (typeof module.default === 'function') return module.default
  const functions = Object.values(exports).filter((each) => typeof each === 'function')
  if (functions.length !== 1) throw targetError('The module exports several things, or none: name one')
  return functions[0]
}

function creator(exported, Base) {
  if (ownClass(exported) !== null) {
    const Bus = rebase(exported, Base)
    return () => new Bus()
  }
  return () => {
    try {
      return exported(Base)
    } catch (error) {
      if (!(error instanceof TypeError)) throw error
      throw targetError(
        `${exported.name} is neither a class that extends EventEmitter or ParallelEventBus, nor a function that ` +
          `returns a bus: ${error.message}`,
      )
    }
  }
}

function targetError(message) {
  return Object.assign(new Error(message), { code: 'ERR_TARGET' })
}

module.exports = { load, targetError }
