'use strict'

// Rounds and their results: the contestants of a row take turns (A B A B), so that a slow moment of the machine hits all
// of them, and each round's ratio is of two neighbours in time.

const { performance } = require('node:perf_hooks')

/** How long a row runs. A round is long enough for each contestant to pay for the garbage it makes. */
const FULL = { quick: false, warmUpMs: 400, settleMs: 30, roundMs: 50, rowMs: 2500, minRounds: 7 }
const QUICK = { quick: true, warmUpMs: 80, settleMs: 20, roundMs: 20, rowMs: 250, minRounds: 3 }

/**
 * @typedef {object} Contestant
 * @property {number} events how many one `run` delivers
 * @property {() => void | Promise<void | number>} run emits them; done when every listener of every event is. Its value, if
 * there is one, is the time in nanoseconds that counts: of a part of it
 * @property {{ calls: number }[]} counters one per listener
 * @property {() => Promise<void>} [collect] collects the garbage of other threads that take part
 */

/**
 * Times contestants against each other. Returns the nanoseconds per event of every round, by name.
 *
 * @param {Record<string, Contestant>} contestants
 * @param {typeof FULL} settings
 * @returns {Promise<Record<string, number[]>>}
 */
async function race(contestants, settings) {
  const entrants = Object.entries(contestants).map(([name, contestant]) => new Entrant(name, contestant))
  await warmUp(entrants, settings)
  const end = performance.now() + settings.rowMs
  for (let round = 0; round < settings.minRounds || performance.now() < end; round++) {
    for (const entrant of entrants) await entrant.round(settings)
  }
  for (const entrant of entrants) entrant.check()
  return Object.fromEntries(entrants.map(({ name, samples }) => [name, samples]))
}

/** In turns as well, so that nobody is compiled for a world without the others. */
async function warmUp(entrants, settings) {
  for (let turn = 0; turn < 2 || entrants.some(({ warmedMs }) => warmedMs < settings.warmUpMs); turn++) {
    for (const entrant of entrants) await entrant.warm(settings)
  }
}

class Entrant {
  samples = []
  warmedMs = 0
  #contestant
  #runs = 0
  #msPerRun = Infinity

  constructor(name, contestant) {
    this.name = name
    this.#contestant = contestant
  }

  /** A round that does not count, other than for how many runs make one. */
  async warm(settings) {
    const { ms, runs } = await this.#time(settings)
    this.warmedMs += ms
    this.#msPerRun = ms / runs
  }

  async round(settings) {
    const { ms, runs, own = ms * 1e6 } = await this.#time(settings)
    this.samples.push(own / (runs * this.#contestant.events))
  }

  async #time({ settleMs, roundMs }) {
    // The garbage of the one before is not this one's to pay for.
    globalThis.gc?.()
    await this.#contestant.collect?.()
    await this.#settle(settleMs)
    const runs = Math.max(1, Math.round(roundMs / this.#msPerRun))
    const start = performance.now()
    let own
    for (let run = 0; run < runs; run++) own = sumOf(own, await this.#run())
    return { ms: performance.now() - start, runs, own }
  }

  /**
   * A full collection throws optimised code away, and V8 needs some 10 ms to have it back: that is warm-up. One run
   * may be too long for it to matter.
   */
  async #settle(settleMs) {
    if (this.#msPerRun > settleMs) return
    const end = performance.now() + settleMs
    while (performance.now() < end) await this.#run()
  }

  #run() {
    this.#runs++
    return this.#contestant.run()
  }

  /** Every listener was called once per event, or there is nothing to compare. */
  check() {
    const expected = this.#runs * this.#contestant.events
    this.#contestant.counters.forEach(({ calls }, index) => {
      if (calls === expected) return
      throw new Error(`${this.name}: listener ${index} was called ${calls} times for ${expected} events`)
    })
  }
}

/** The sum of the times that runs have measured themselves; undefined if they have not. */
function sumOf(sum, own) {
  return own === undefined ? sum : (sum ?? 0) + own
}

/** Median and p10–p90 of the rounds. */
function summary(samples) {
  const sorted = samples.toSorted((a, b) => a - b)
  return {
    median: quantile(sorted, 0.5),
    p10: quantile(sorted, 0.1),
    p90: quantile(sorted, 0.9),
    rounds: samples.length,
  }
}

function quantile(sorted, at) {
  const position = (sorted.length - 1) * at
  const below = Math.floor(position)
  const above = Math.ceil(position)
  return sorted[below] + (sorted[above] - sorted[below]) * (position - below)
}

module.exports = { FULL, QUICK, quantile, race, summary }
