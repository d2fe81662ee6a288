'use strict'

// The errors of the application's buses. Each has a `code`, as Node's have.

function busError(code, message) {
  return Object.assign(new Error(message), { code })
}

function timeoutError(type, timeout) {
  return busError('ERR_BUS_TIMEOUT', `Nothing came for "${type}" in ${timeout} ms`)
}

function blockedError(type) {
  return busError('ERR_BUS_BLOCKED', `A middleware blocked "${type}"`)
}

function clearedError(type) {
  return busError('ERR_BUS_CLEARED', `The bus was cleared before a reply to "${type}" came`)
}

function unheardError(type) {
  return busError('ERR_BUS_UNHEARD', `Nobody subscribes to "${type}"`)
}

module.exports = { timeoutError, blockedError, clearedError, unheardError }
