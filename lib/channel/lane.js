'use strict'

// Emitting on a channel: an event goes to the listeners of this bus by reference, as without a channel, and through
// the engine to those of the other members.

const { countOf } = require('../local/emission.js')
const { BusClosedError, NoListenersError } = require('../errors.js')
const { Answer, Outcome } = require('../local/outcome.js')
const { Registration } = require('../listeners/registration.js')
const { keyOf } = require('../validate.js')
const { Membership } = require('./member.js')
const { Sender } = require('./publisher.js')

class ChannelLane {
  #dispatcher
  #listeners
  #local
  #sender

  /** @param {import('../local/lane.js').LocalLane} local for events that stay in this thread */
  constructor({ dispatcher, listeners, local, membership }) {
    this.#dispatcher = dispatcher
    this.#listeners = listeners
    this.#local = local
    this.membership = membership
    this.#sender = membership.sender
  }

  /**
   * Queues an event for everybody who listens; `onHeard` is called just before it is queued here. Returns false where
   * nobody listens. Throws for arguments that can not be cloned.
   */
  queue(event, args, outcome, limits, onHeard) {
    if (!this.membership.carries(event)) return this.#local.queue(event, args, outcome, limits, onHeard)
    if (outcome === null && limits === null) {
      const others = this.#sender.post(keyOf(event), args)
      if (others !== Sender.NOT_PLAIN) return this.#queueHere(event, this.#plainHere(event), args, others, onHeard)
    }
    return this.#send(event, args, outcome, limits, onHeard)
  }

  /** As `queue`, for an event that nobody waits for, of a bus that has plain listeners only: these, or undefined. */
  post(event, listeners, args) {
    const others = this.#sender.post(event, args)
    if (others === Sender.NOT_PLAIN) return this.#send(event, args, null, null, undefined)
    return this.#queueHere(event, listeners, args, others, undefined)
  }

  #send(event, args, outcome, limits, onHeard) {
    if (this.#endsEarly(event, outcome, limits)) return false
    const others = this.#sender.send(keyOf(event), args, { toOne: false, outcome, limits })
    if (this.#endsEarly(event, outcome, limits)) return false
    const { own } = this.#sender
    const listeners = this.#listenersHere(event, own)
    const here = countOf(listeners)
    if (others + here === 0) return false
    onHeard?.()
    outcome?.expect(others, here)
    this.#dispatcher.sent(others, here)
    if (here > 0) this.#dispatcher.dispatchWithin(event, listeners, args, this.#whenDone(own, outcome), limits)
    this.#removeClaimed(event, own)
    return true
  }

  /** Whether a getter of the arguments has closed the bus, or aborted the signal: nobody got the event then. */
  #endsEarly(event, outcome, limits) {
    if (this.#dispatcher.closed) outcome?.reject(new BusClosedError(event))
    return this.#dispatcher.closed || (limits?.signal?.aborted ?? false)
  }

  /** The listeners here, or undefined. One that is special, and that the engine has not, was claimed by another thread. */
  #plainHere(event) {
    const listeners = this.#listenersHere(event, NOBODY)
    return countOf(listeners) === 0 ? undefined : listeners
  }

  /** The usual case: nobody has listeners but plain ones, and the others have got it. */
  #queueHere(event, listeners, args, others, onHeard) {
    if (listeners === undefined && others === 0) return false
    onHeard?.()
    this.#dispatcher.sent(others, listeners === undefined ? 0 : 1)
    if (listeners !== undefined) this.#dispatcher.dispatch(event, listeners, args, null)
    return true
  }

  /** For an awaited event. */
  outcome() {
    return new JoinedOutcome()
  }

  /** For a request. */
  answer(event) {
    return new JoinedAnswer(event)
  }

  /** Asks one listener, here or elsewhere: the engine chooses. */
  ask(event, args, answer, limits) {
    if (!this.membership.carries(event)) return this.#local.ask(event, args, answer, limits)
    const others = this.#sender.send(keyOf(event), args, { toOne: true, outcome: answer, limits })
    if (this.#endsEarly(event, answer, limits)) return
    const { own } = this.#sender
    this.#dispatcher.sent(others, own.length)
    if (own.length > 0) {
      const { registration } = own[0]
      const listeners = answer.answering(calledFor(registration), registration.stored)
      this.#dispatcher.dispatchWithin(event, listeners, args, this.#whenDone(own, answer), limits)
      this.#removeClaimed(event, own)
    } else if (others === 0) {
      answer.reject(new NoListenersError(event))
    }
  }

  /** Everybody's plain listeners get it; `once` listeners and those of a group only if the engine says so. */
  #listenersHere(event, own) {
    const stored = this.#listeners.get(event)
    if (stored === undefined) return NOBODY
    if (!this.#listeners.hasSpecial(event)) return stored
    const claimed = new Set(own.map(({ registration }) => registration))
    return this.#listeners.stored(event).flatMap((each) => {
      const registration = Registration.of(each)
      if (!registration?.isSpecial) return each
      return claimed.has(registration) ? calledFor(registration) : []
    })
  }

  #whenDone(own, outcome) {
    return own.some(({ chosen }) => chosen) ? new Chosen(this.membership, own, outcome) : outcome
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

function calledFor(registration) {
  return registration.once ? registration.claim() : registration.stored
}

/** Tells the engine when listeners that it chose here are done, beside who waits for the outcome. */
class Chosen {
  #membership
  #own
  #outcome

  constructor(membership, own, outcome) {
    this.#membership = membership
    this.#own = own
    this.#outcome = outcome
  }

  failed(index, error) {
    this.#outcome?.failed(index, error)
  }

  get answer() {
    return this.#outcome?.answer
  }

  get isAwaited() {
    return this.#outcome?.isAwaited ?? false
  }

  settle(count) {
    for (const { chosen } of this.#own) if (chosen) this.#membership.done()
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

  /** So many listeners were addressed elsewhere, and here. */
  expect(others, here) {
    if (others > 0 && here > 0) this.#open = 2
  }

  settle(count) {
    this.#success += count - this.failures
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

/** The answer to a request on a channel. */
class JoinedAnswer extends Answer {
  settledElsewhere(success, errors, answer) {
    if (errors.length > 0) this.reject(errors[0])
    else if (success === 0) this.reject(new NoListenersError(this.event))
    else this.resolve(answer)
  }
}

module.exports = { ChannelLane, Membership }
