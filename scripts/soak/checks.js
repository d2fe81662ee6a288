'use strict'

// The rules that have to hold. A violation is told at once, on standard error, since the thread may be about to end; and
// in the ledger.

const { writeSync } = require('node:fs')
const { inspect } = require('node:util')

/** The error with which listeners and threads of the soak fail. */
const PURPOSE = 'on purpose'
/** The reason of aborts. */
const TAKEN_BACK = 'taken back'

const COUNTED = {
  ERR_LISTENER_TIMEOUT: 'timeouts',
  ERR_MAILBOX_FULL: 'refused',
  ERR_THREAD_EXITED: 'lost',
  ERR_NO_LISTENERS: null,
  ERR_BUS_CLOSED: null,
  ABORT_ERR: 'aborts',
}

class Checks {
  #ledger
  #who

  /** @param {string} who name of the thread in reports */
  constructor(ledger, who) {
    this.#ledger = ledger
    this.#who = who
  }

  violated(what, about) {
    this.#ledger.add('violations')
    const detail = about === undefined ? '' : ` ${inspect(about, { depth: 5, breakLength: 150 })}`
    writeSync(2, `violation: ${this.#who}: ${what}${detail}\n`)
  }

  /** An error that a listener, an outcome or `onError` told of has to be one that was made here, or that is documented. */
  expected(error, where) {
    if (error === TAKEN_BACK) this.#ledger.add('aborts')
    else if (error?.code in COUNTED) this.#count(error.code)
    else if (error?.message !== PURPOSE) this.violated(`an error that nobody made, ${where}:`, error)
  }

  #count(code) {
    if (COUNTED[code] !== null) this.#ledger.add(COUNTED[code])
  }

  /** Checks the outcome of `emitAndWait`, of an event for so many listeners. */
  outcome({ success, failed, errors }, addressed) {
    if (success + failed !== addressed || errors.length !== failed) {
      this.violated(`an outcome for ${addressed} listeners`, { success, failed, errors })
    }
    for (const error of errors) this.expected(error, 'in an outcome')
  }
}

module.exports = { Checks, PURPOSE, TAKEN_BACK }
