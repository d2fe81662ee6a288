'use strict'

// Judges an item in 36 dimensions: in this thread one after another, or in the threads of a pool.

const { ParallelEventBus } = require('../bus/index.js')
const { DIMENSIONS, score } = require('./dimensions.js')

class Court {
  #bus
  #steps

  /**
   * @param {{ threads: number, steps: number, recordTiming?: boolean }} options `steps` is the work of a dimension; see
   * ParallelEventBus for `recordTiming`
   */
  static async open({ threads, steps, recordTiming }) {
    const bus = new ParallelEventBus({ channel: 'judging', recordTiming })
    await bus.spawn(require.resolve('./judge.js'), { threads })
    return new Court(bus, steps)
  }

  constructor(bus, steps) {
    this.#bus = bus
    this.#steps = steps
  }

  /** The scores, in the order of the dimensions. */
  judgeHere(item) {
    return this.#tasks(item).map((task) => score(task))
  }

  /** The scores, and the ids of the threads that had a part in them. */
  async judgeInThreads(item) {
    const verdicts = await Promise.all(this.#tasks(item).map((task) => this.#bus.request('judge', task)))
    return { scores: verdicts.map((each) => each.score), threadIds: new Set(verdicts.map(({ threadId }) => threadId)) }
  }

  /** Ends the threads. */
  close() {
    return this.#bus.close()
  }

  #tasks(item) {
    return DIMENSIONS.map((dimension) => ({ dimension, item, steps: this.#steps }))
  }
}

module.exports = { Court }
