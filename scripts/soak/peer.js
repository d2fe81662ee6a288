'use strict'

// A bus of the soak, and its events: each has a mark, by which its listeners tell where it came from.

const { ParallelEventBus, on, once } = require('../..')
const { TAKEN_BACK } = require('./checks.js')
const { makeListener, turn } = require('./listeners.js')
const { makeLoad } = require('./loads.js')
const { propagating } = require('./watch.js')

const LONG_MS = 3_600_000
const MOST_LISTENERS = 8

class Peer {
  /** Listeners that events of 'plain' were addressed to, those left out that were taken back. */
  #addressed = 0
  #actor
  #number
  #registered = []
  isOpen = true

  constructor(actor, channel) {
    const { random, checks, ledger } = actor
    this.#actor = actor
    this.#number = ledger.add('buses')
    this.bus = new ParallelEventBus({
      channel,
      maxListeners: 0,
      mailbox: { maxMessages: random.of([4, 100, 5000, undefined]), maxBytes: random.of([5000, undefined]) },
      stallAfter: random.of([0, 5, undefined]),
      recordTiming: random.chance(0.3),
      propagate: random.chance(0.2) ? propagating(checks) : undefined,
      onError: (_event, error) => checks.expected(error, 'told to onError'),
    })
    for (const symbol of ['deadLetter', 'threadExit', 'stall']) {
      if (random.chance(0.5)) this.bus.on(ParallelEventBus[symbol], () => {})
    }
  }

  // Registering

  listen() {
    const { random } = this.#actor
    if (this.#registered.length === MOST_LISTENERS) return
    const registration = makeListener(this.#actor, random.of(['plain', 'grouped', 'requested']))
    const { event, listener, options } = registration
    this.bus[random.of(['on', 'prependListener'])](event, listener, options)
    this.#registered.push(registration)
  }

  remove() {
    if (this.#registered.length === 0) return
    const at = this.#actor.random.integer(0, this.#registered.length - 1)
    const [{ event, listener }] = this.#registered.splice(at, 1)
    this.bus.off(event, listener)
  }

  // Emitting

  #mark(isCounted) {
    const { thread, ledger } = this.#actor
    return { bus: this.#number, thread, sequence: this.#actor.sequence++, event: ledger.add('events'), isCounted }
  }

  /** Calls `emit`, and returns its result and the number of listeners it addressed. */
  #addressing(emit) {
    const before = this.bus.getStats().listenersInvoked
    const result = emit()
    return { result, addressed: this.bus.getStats().listenersInvoked - before }
  }

  #load() {
    return makeLoad(this.#actor.random)
  }

  post(events) {
    const { addressed } = this.#addressing(() => {
      for (let left = events; left > 0; left--) this.bus.emit('plain', this.#mark(true), this.#load())
    })
    this.#addressed += addressed
  }

  postGrouped(events) {
    for (let left = events; left > 0; left--) this.bus.emit('grouped', this.#mark(false), this.#load())
  }

  wait(event, bounds) {
    const { checks } = this.#actor
    const view = bounds === undefined ? this.bus : this.bus.with(bounds)
    const isCounted = event === 'plain' && bounds?.signal === undefined
    const { result, addressed } = this.#addressing(() => view.emitAndWait(event, this.#mark(isCounted), this.#load()))
    if (isCounted) this.#addressed += addressed
    this.#actor.track(
      `emitAndWait(${event})`,
      result.then((outcome) => checks.outcome(outcome, addressed)),
    )
  }

  request(bounds) {
    const { checks } = this.#actor
    const view = bounds === undefined ? this.bus : this.bus.with(bounds)
    const mark = this.#mark(false)
    const replied = view.request('requested', mark, this.#load()).then((reply) => {
      if (reply !== mark.event) checks.violated(`the reply to ${mark.event} was`, reply)
    })
    this.#actor.track('request', replied)
  }

  /** One of the ways to wait, with a limit that may be over first. */
  bounded() {
    const { random } = this.#actor
    const bounds = { timeout: random.of([1, 5, 20, LONG_MS]) }
    random.of([() => this.request(bounds), () => this.wait('plain', bounds), () => this.wait('grouped', bounds)])()
  }

  /** The same, taken back: at once, or some turns later. */
  takenBack() {
    const { random } = this.#actor
    const stop = new AbortController()
    const bounds = { signal: stop.signal }
    for (let left = random.integer(1, 10); left > 0; left--) {
      random.of([() => this.request(bounds), () => this.wait('plain', bounds), () => this.wait('grouped', bounds)])()
    }
    this.#abort(stop)
  }

  #abort(stop) {
    const turns = this.#actor.random.integer(0, 3)
    const abort = async () => {
      for (let left = turns; left > 0; left--) await turn()
      stop.abort(TAKEN_BACK)
    }
    abort()
  }

  /** The statics: a promise of an event, or an iterator over some. */
  listenFor() {
    const { random } = this.#actor
    const stop = new AbortController()
    const iterate = async () => {
      let left = random.integer(1, 5)
      for await (const _ of on(this.bus, 'helped', { signal: stop.signal })) if (--left === 0) break
    }
    const waiting = random.chance(0.5) ? once(this.bus, 'helped', { signal: stop.signal }) : iterate()
    this.#actor.track('a static helper', waiting)
    for (let left = random.integer(0, 9); left > 0; left--) this.bus.emit('helped')
    this.#abort(stop)
  }

  // Ending

  close() {
    this.isOpen = false
    const closed = this.bus.close().then(() => this.#checkCounts())
    this.#actor.track('close', closed)
    return closed
  }

  /** Each listener that was addressed was called, or it was told that it failed; or both, where its thread ended then. */
  #checkCounts() {
    const { checks, ledger } = this.#actor
    const { listenersFailed, pending } = this.bus.getStats()
    const calls = ledger.callsOf(this.#number)
    if (pending !== 0) checks.violated(`a closed bus has ${pending} pending`)
    if (calls > this.#addressed || this.#addressed > calls + listenersFailed) {
      checks.violated('counts of a bus', { addressed: this.#addressed, calls, listenersFailed })
    }
  }
}

module.exports = { Peer }
