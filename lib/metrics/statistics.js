'use strict'

// The statistics of a bus, for `getStats`: of its own events, wherever their listeners run, and of events of other buses that
// it got.

const W = require('./words.js')

class Statistics {
  #tracker
  /** The totals at the last reset. */
  #before = null

  /** @param {import('../local/tracker.js').Tracker} tracker */
  constructor(tracker) {
    this.#tracker = tracker
  }

  reset() {
    const { member } = this.#tracker
    this.#tracker.resetTallies()
    member?.resetCounts()
    this.#before = this.#totals()
  }

  read() {
    const { member, pending } = this.#tracker
    const own = this.#sinceReset()
    const listenersInvoked = own.addressed + (member?.addressed ?? 0)
    const listenersFailed = own.failed + own.timedOut + (member?.failed ?? 0)
    const since = difference(this.#totals(), this.#before)
    return {
      eventsEmitted: own.emitted,
      listenersInvoked,
      listenersFailed,
      // One batch of parallel listeners per event: the prototype counted them apart.
      parallelBatches: own.emitted,
      averageListenersPerEvent: own.emitted === 0 ? 0 : (listenersInvoked / own.emitted).toFixed(2),
      failureRate: listenersInvoked === 0 ? '0%' : `${((100 * listenersFailed) / listenersInvoked).toFixed(2)}%`,
      pending: pending + (member?.pending ?? 0),
      ...since,
      failed: own.failed + since.failed,
      timedOut: own.timedOut + since.timedOut,
    }
  }

  /** Returns the numbers of events for listeners of this bus that were emitted since the last reset. */
  #sinceReset() {
    const sum = { emitted: 0, addressed: 0, failed: 0, timedOut: 0 }
    for (const { words, emittedBefore, addressedBefore, failed, timedOut } of this.#tracker.tallies) {
      sum.emitted += words[W.EMITTED] - emittedBefore
      sum.addressed += words[W.ADDRESSED] - addressedBefore
      sum.failed += failed - timedOut
      sum.timedOut += timedOut
    }
    return sum
  }

  /** Returns numbers since the bus was made. `failed` and `timedOut` are of listeners elsewhere. */
  #totals() {
    const [received, ...fates] = this.#tracker.member?.fates ?? [0, 0, 0, 0, 0, 0, 0]
    const [delivered, failed, timedOut, refused, lost, cancelled] = fates
    const sum = { delivered, failed, timedOut, refused, lost, cancelled, unheard: 0, received }
    sum.receivedDelivered = 0
    sum.receivedFailed = 0
    for (const { words } of this.#tracker.tallies) {
      sum.delivered += deliveredHere(words)
      sum.cancelled += words[W.CANCELLED]
      sum.unheard += words[W.UNHEARD]
      if (words.length < W.COUNTS) continue
      sum.receivedDelivered += words[W.HEARD] - words[W.HEARD_FAILED]
      sum.receivedFailed += words[W.HEARD_FAILED]
    }
    return sum
  }
}

/** Returns the number of listeners of the emitting bus itself that succeeded. */
function deliveredHere(words) {
  return words[W.SETTLED] - words[W.FAILED] - words[W.TIMED_OUT] - words[W.CANCELLED]
}

function difference(now, before) {
  if (before === null) return now
  return Object.fromEntries(Object.entries(now).map(([name, number]) => [name, number - before[name]]))
}

module.exports = { Statistics, deliveredHere }
