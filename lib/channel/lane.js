'use strict'

// Emitting on a channel: an event goes to the listeners of this bus by reference, as without a channel, and through
// the engine to those of the other members.

const { countOf } = require('../local/emission.js')
const { BusClosedError, NoListenersError } = require('../errors.js')
const { keep } = require('../kept.js')
const { Reply, Outcome } = require('../local/outcome.js')
const { Registration } = require('../listeners/registration.js')
const { now } = require('../metrics/timed.js')
const { keyOf } = require('../validate.js')
const { areEmissionsTraced } = require('../local/trace-channels.js')
const runQueue = require('../local/run-queue.js')
const { Member } = require('./member.js')
const { NOT_PLAIN } = require('./protocol.js')
const { SentEvent } = require('./sent.js')

class ChannelLane {
  #tracker
  #listeners
  #local
  #publisher

  /** @param {import('../local/lane.js').LocalLane} local for events that stay in this thread */
  constructor({ tracker, listeners, local, member }) {
    this.#tracker = tracker
    this.#listeners = listeners
    this.#local = local
    this.member = member
    this.#publisher = member.publisher
  }

  /**
   * Queues an event for all current listeners, and calls `onHeard` just before it is queued here. Returns false where
   * there are none. Throws for arguments that cannot be cloned.
   */
  enqueue(event, args, outcome, bounds, onHeard) {
    if (!this.member.carries(event)) return this.#local.enqueue(event, args, outcome, bounds, onHeard)
    if (this.#isObserved) return this.#observed(event, args, () => this.#enqueue(event, args, outcome, bounds, onHeard))
    if (this.#tracker.recordsTiming) this.#publisher.note = now()
    return this.#enqueue(event, args, outcome, bounds, onHeard)
  }

  #enqueue(event, args, outcome, bounds, onHeard) {
    if (outcome === null && bounds === null && !areEmissionsTraced()) {
      const others = this.#publisher.publish(keyOf(event), args)
      if (others !== NOT_PLAIN) return this.#queueHere(event, this.#plainHere(event), args, others, onHeard)
    }
    return this.#dispatch(event, args, outcome, bounds, onHeard)
  }

  /** Publishes an untracked event of a bus without special listeners. `listeners` are the bus's own, or undefined. */
  publish(event, listeners, args) {
    if (this.#isObserved) return this.#observed(event, args, () => this.#publish(event, listeners, args))
    if (this.#tracker.recordsTiming) this.#publisher.note = now()
    return this.#publish(event, listeners, args)
  }

  #publish(event, listeners, args) {
    // A tracked event, so that its end is known.
    if (areEmissionsTraced()) return this.#dispatch(event, args, null, null, undefined)
    const others = this.#publisher.publish(event, args)
    if (others === NOT_PLAIN) return this.#dispatch(event, args, null, null, undefined)
    return this.#queueHere(event, listeners, args, others, undefined)
  }

  #dispatch(event, args, outcome, bounds, onHeard) {
    if (this.#endsEarly(event, outcome, bounds)) return false
    const sent = this.#traced()
    const isNamed = this.#listeners.mayHaveContext(event)
    const how = { isRequest: false, outcome, bounds, sent, isNamed }
    const others = this.#publisher.dispatch(keyOf(event), args, how)
    if (this.#endsEarly(event, outcome, bounds)) return false
    const { own } = this.#publisher
    const listeners = this.#listenersHere(event, own)
    const here = countOf(listeners)
    if (others + here === 0) return this.#unheard(event)
    onHeard?.()
    outcome?.expect(others, here)
    this.#tracker.sent(event, others, here)
    sent?.begin(event, args, others)
    if (here > 0) this.#queueDispatched(event, listeners, args, this.#whenDone(own, outcome, bounds), bounds, isNamed)
    this.#removeClaimed(event, own)
    return true
  }

  /** True if somebody wants to know of each emit, and not only of its end. */
  get #isObserved() {
    return this.#tracker.propagation !== null || runQueue.trace !== null
  }

  #observed(event, args, work) {
    return this.#tracker.observed(event, args, (emit) => {
      const outer = this.#publisher.note
      this.#publisher.note = emit
      try {
        return work()
      } finally {
        this.#publisher.note = outer
      }
    })
  }

  /** Returns the trace of an event to others, if there are subscribers; else null. */
  #traced() {
    return areEmissionsTraced() ? new SentEvent(this.#tracker) : null
  }

  /** Returns true if a getter of the arguments has closed the bus, or aborted the signal. Nobody got the event then. */
  #endsEarly(event, outcome, bounds) {
    if (this.#tracker.closed) outcome?.reject(new BusClosedError(event))
    return this.#tracker.closed || (bounds?.signal?.aborted ?? false)
  }

  /** Returns the plain listeners here, or undefined. Another thread has claimed special ones unknown to the engine. */
  #plainHere(event) {
    const listeners = this.#listenersHere(event, NOBODY)
    return countOf(listeners) === 0 ? undefined : listeners
  }

  /** Queues a published event for the listeners here. It is the usual case: all listeners of the channel are plain. */
  #queueHere(event, listeners, args, others, onHeard) {
    if (listeners === undefined && others === 0) return this.#unheard(event)
    onHeard?.()
    this.#tracker.sent(event, others, listeners === undefined ? 0 : 1)
    if (listeners !== undefined) this.#tracker.enqueue(event, listeners, args, null)
    return true
  }

  #unheard(event) {
    this.#tracker.unheard(event)
    return false
  }

  /** Returns the outcome of an awaited event. */
  outcome() {
    return new JoinedOutcome()
  }

  /** Returns the reply to a request. */
  reply(event) {
    return new JoinedReply(event)
  }

  /** Sends a request to one listener, here or elsewhere: the engine chooses. Returns false where there is none. */
  request(event, args, reply, bounds) {
    if (!this.member.carries(event)) return this.#local.request(event, args, reply, bounds)
    if (this.#isObserved) return this.#observed(event, args, () => this.#request(event, args, reply, bounds))
    if (this.#tracker.recordsTiming) this.#publisher.note = now()
    return this.#request(event, args, reply, bounds)
  }

  #request(event, args, reply, bounds) {
    const sent = this.#traced()
    const isNamed = this.#listeners.mayHaveContext(event)
    const how = { isRequest: true, outcome: reply, bounds, sent, isNamed }
    const others = this.#publisher.dispatch(keyOf(event), args, how)
    if (this.#endsEarly(event, reply, bounds)) return false
    const { own } = this.#publisher
    this.#tracker.sent(event, others, own.length)
    sent?.begin(event, args, others)
    if (own.length > 0) {
      const { registration } = own[0]
      const listeners = reply.replying(this.#listeners.claim(registration.stored), registration.stored)
      this.#queueDispatched(event, listeners, args, this.#whenDone(own, reply, bounds), bounds, isNamed)
      this.#removeClaimed(event, own)
    } else if (others === 0) {
      this.#tracker.unheard(event)
      reply.reject(new NoListenersError(event, this.member.describe()))
    }
    return own.length + others > 0
  }

  /** Queues a dispatched event for listeners here. Their context has the name that it has elsewhere. */
  #queueDispatched(event, listeners, args, outcome, bounds, isNamed) {
    const emission = this.#tracker.enqueueWithin(event, listeners, args, outcome, bounds)
    if (bounds?.key !== undefined && outcome instanceof Chosen) outcome.emission = emission
    if (isNamed) emission.scope.id = this.#publisher.lastEvent
  }

  /** Returns the functions to call here: all plain listeners, and special ones that the engine has chosen. */
  #listenersHere(event, own) {
    const stored = this.#listeners.get(event)
    if (stored === undefined) return NOBODY
    if (!this.#listeners.hasSpecial(event)) return stored
    const claimed = new Set(own.map(({ registration }) => registration))
    return this.#listeners.stored(event).flatMap((each) => {
      const registration = Registration.of(each)
      return !registration?.isSpecial || claimed.has(registration) ? this.#listeners.claim(each) : []
    })
  }

  #whenDone(own, outcome, bounds) {
    if (!own.some(({ chosen }) => chosen)) return outcome
    const inLine = bounds?.key === undefined ? null : this.#publisher.inLine
    return new Chosen(this.member, own, inLine, outcome)
  }

  #removeClaimed(event, own) {
    if (own.length === 0) return
    const once = own.filter(({ registration }) => registration.once)
    this.#listeners.removeClaimed(
      event,
      once.map(({ registration }) => registration.stored),
    )
  }
}

const NOBODY = Object.freeze([])

/** Tells the engine when the listeners that it chose here are done, and passes all on to the emitter's outcome. */
class Chosen {
  /** @type {import('../local/bounded.js').BoundedEmission | null} of an event with a key */
  emission = null
  #member
  #own
  /** The engine's handle for those that get an event with a key, or null. */
  #inLine
  #outcome

  constructor(member, own, inLine, outcome) {
    this.#member = member
    this.#own = own
    this.#inLine = inLine
    this.#outcome = outcome
    for (const { chosen } of own) if (chosen) member.chosen++
  }

  begin() {
    this.#outcome?.begin()
  }

  failed(index, error) {
    this.#outcome?.failed(index, error)
  }

  skip() {
    this.#outcome?.skip()
  }

  get reply() {
    return this.#outcome?.reply
  }

  get isAwaited() {
    return this.#outcome?.isAwaited ?? false
  }

  settle(count) {
    for (const { chosen } of this.#own) if (chosen) this.#member.done()
    if (this.#inLine !== null) this.#member.endInLine(this.#inLine, this.emission)
    this.#outcome?.settle(count)
  }

  abort(reason) {
    this.#outcome?.abort(reason)
  }
}

/** The outcome of `emitAndWait` on a channel: of the listeners here, then of those elsewhere. */
class JoinedOutcome extends Outcome {
  #open = 1
  #success = 0
  #elsewhere = []

  /** Takes the numbers of listeners that were addressed elsewhere, and here. */
  expect(others, here) {
    if (others > 0 && here > 0) this.#open = 2
  }

  settle(count) {
    this.#success += count - this.failures - this.skipped
    this.#close()
  }

  settledElsewhere(success, errors) {
    this.#success += success
    this.#elsewhere = errors
    this.#close()
  }

  #close() {
    if (--this.#open > 0) return
    const errors = [...this.errorsInOrder(), ...this.#elsewhere]
    this.resolve({ success: this.#success, failed: errors.length, errors })
  }
}

/** The reply to a request on a channel. */
class JoinedReply extends Reply {
  settledElsewhere(success, errors, reply) {
    if (errors.length > 0) this.reject(errors[0])
    else if (success === 0) this.reject(new NoListenersError(this.event))
    else this.resolve(reply)
  }
}

keep(() => [new JoinedOutcome(), new JoinedReply('kept'), new Chosen(null, NOBODY, null, null)])

module.exports = { ChannelLane, Member }
