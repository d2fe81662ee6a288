'use strict'

// Errors for values that cannot be cloned, in the words of the runtime's `structuredClone`.

/** @returns {DOMException} */
function refusal(message) {
  return new DOMException(message, 'DataCloneError')
}

/** Throws the error of `structuredClone` for a value that it refuses as it is, without looking into it. */
function refuse(value) {
  let message = 'A value could not be cloned.'
  try {
    structuredClone(value)
  } catch (error) {
    if (error?.name === 'DataCloneError') message = error.message
  }
  throw refusal(message)
}

/** Throws for an object that `structuredClone` would hand over by a handle. */
function refuseHandle(object) {
  throw refusal(`#<${nameOf(object)}> could not be cloned: it cannot be sent as bytes.`)
}

/** Throws for an object that threads of one process can share, and other processes cannot. */
function refuseAbroad(object) {
  throw refusal(`#<${nameOf(object)}> could not be cloned: another process listens, and it cannot leave its own.`)
}

function nameOf(object) {
  try {
    return object.constructor.name
  } catch {
    return 'Object'
  }
}

module.exports = { refusal, refuse, refuseAbroad, refuseHandle }
