'use strict'

// The words of the memory that `ceiling.js` shares with its threads.

module.exports = {
  /** How often the threads were started. */
  ROUND: 0,
  /** The task that is the next to be taken. */
  NEXT: 1,
  /** Number of tasks. */
  TASKS: 2,
  /** Threads that found none left. */
  DONE: 3,
  /** 1 when they are to end. */
  STOP: 4,
  /** Tasks done, of all rounds. */
  CALLS: 5,
  /** How long each task is, in steps: from here on. */
  STEPS: 6,
}
