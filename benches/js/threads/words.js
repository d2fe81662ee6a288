'use strict'

// The words of the memory that `ceiling.js` shares with its threads.

module.exports = {
  /** How often the threads were started. */
  ROUND: 0,
  /** Tasks that nobody has taken. */
  LEFT: 1,
  /** Threads that found none left. */
  DONE: 2,
  /** 1 when they are to end. */
  STOP: 3,
  /** How long a task is. */
  STEPS: 4,
  /** Tasks done, of all rounds. */
  CALLS: 5,
  COUNT: 6,
}
