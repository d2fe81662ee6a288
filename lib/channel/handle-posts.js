'use strict'

// The posts by which handles go from thread to thread, and the numbers that name them: see `handles.js`.

const { MessagePort } = require('node:worker_threads')

/** Handles are numbered by the endpoint that sends them, from its number times this on; in the upper half ports move. */
const NUMBERS = 2 ** 32
const MOVING = NUMBERS / 2

/** Kinds of posts. The sender's endpoint and thread follow the kind, then the items named here. */
const SENT = 0 // number, objects
const FORGET = 1 // numbers
const SEEN = 2 // count
const ASK = 3 // number; the sender has opened an end for the answer
const GONE = 4 // number
const REPLY = 5 // number, objects, token
const PAIR = 6 // nothing: an end is to be opened for later posts of the sender
const OPENED = 7 // nothing: an end was opened

/** Returns the first number of the handles that an endpoint sends, or the first of those with ports. */
function firstNumber(endpoint, moves) {
  return endpoint * NUMBERS + (moves ? MOVING : 0)
}

/** Returns true for a message that is for one thread alone, because ports move with it. */
function areMoved(number) {
  return number % NUMBERS >= MOVING
}

/** The endpoint that has sent handles of this number. */
function endpointOf(number) {
  return Math.floor(number / NUMBERS)
}

function portsOf(objects) {
  return objects.filter((object) => object instanceof MessagePort)
}

/** Closes ports that nobody gets, so that their other ends hear of it. */
function close(ports) {
  for (const port of ports) port.close()
}

module.exports = {
  ASK,
  FORGET,
  GONE,
  MOVING,
  OPENED,
  PAIR,
  REPLY,
  SEEN,
  SENT,
  areMoved,
  close,
  endpointOf,
  firstNumber,
  portsOf,
}
