'use strict'

// An event of another member of the channel whose emitter waits for it, or has bounded it: see `incoming.js`.

const { keep } = require('../kept.js')
const native = require('../native.js')
const { refuseAbroad } = require('../codec/refusal.js')
const { Scope } = require('../local/context.js')
const { whereIs } = require('./foreign.js')
const { Waiting } = require('../local/gate.js')
const runQueue = require('../local/run-queue.js')
const { replying } = require('../local/outcome.js')
const { keptTracker } = require('../local/tracker.js')
const { follow } = require('../promises.js')
const { hasToWait, storedOf } = require('../listeners/registration.js')
const { HEARD_FAILED, STARTED } = require('../metrics/words.js')
const { IncomingEmission, finished, receive, report } = require('./incoming.js')

/** In the place of the index of a listener: the whole emission waits. */
const WHOLE = -1

/** An event that is awaited or bounded. The engine is told of each listener at once. */
class TrackedEmission extends IncomingEmission {
  /** Ports among the arguments, until a listener has them; null for none. */
  ports = null
  #delivery
  #mustStart
  #isAwaited
  /** The value of a request's listener, once it has returned; null for other events. */
  #returned
  /** The engine's index of each listener, where some were removed; null while it is the same. */
  #indexes
  #timeouts
  /** The emitter's endpoint, and its token for the dispatch. */
  #endpoint
  #token
  /** True if the arguments lie apart: they are taken at the start. */
  #isLong
  /** The registration of its only listener, if that has a gate; else null. */
  #gated
  /** True if the emitter is in another process. */
  #isForeign
  #letGo = false
  /** @type {Scope | null} */
  #scope = null

  /**
   * @param {{ delivery: number, mustStart: boolean, isAwaited: boolean, isRequest: boolean, indexes: number[]?,
   * timeouts: number[]?, gated: object?, endpoint: number, token: number, isForeign: boolean, isLong: boolean }} about
   * `gated` is the registration of its only listener, if that has a gate
   */
  constructor(link, { member, event }, listeners, args, about) {
    super(member.tracker, event, listeners, args, null)
    const { delivery, mustStart, isAwaited, isRequest, indexes, timeouts, gated } = about
    const { endpoint, token, isForeign, isLong } = about
    this.link = link
    this.#delivery = delivery
    this.#mustStart = mustStart
    this.#isAwaited = isAwaited
    this.#indexes = indexes
    this.#timeouts = timeouts
    this.#endpoint = endpoint
    this.#token = token
    this.#isLong = isLong
    this.#gated = gated
    this.#isForeign = isForeign
    this.#returned = isRequest ? { value: undefined } : null
    if (isRequest) this.listeners = listeners.map((called) => replying(this.#returned, called, storedOf(called)))
  }

  get scope() {
    if (this.#scope === null) {
      const [thread, id] = native.origin(runQueue.handle, false, this.#delivery)
      const { threadId = -1, peer } = whereIs(thread)
      this.#scope = new Scope({ threadId, peer, id, watch: () => this.#follow() })
    }
    return this.#scope
  }

  #follow() {
    if (this.unsettled > 0) this.#scope.token = this.link.follow(this.event, this.#delivery, this.#scope)
  }

  start() {
    this.link.started()
    if (runQueue.exiting) return
    if (this.#gated?.gate.isFull) new Waiting(this.#gated).wait(this, WHOLE)
    else this.#begin()
  }

  #begin() {
    if (this.#mustStart && !native.start(runQueue.handle, this.#delivery)) this.restoreClaimed(0)
    else if (!this.#isLong || this.#receive()) this.#run()
  }

  #run() {
    this.tally.words[STARTED]++
    super.start()
  }

  /** Closes ports that no listener has got, so that their other ends hear of it. */
  #closePorts() {
    for (const port of this.ports ?? []) port.close()
  }

  /** Takes the arguments. Returns false if the event has settled in the meantime: its time was over. */
  #receive() {
    const taken = this.link.takeArguments(this.#endpoint, false, this.#delivery, 0)
    if (taken !== null) receive(this, taken)
    else {
      this.restoreClaimed(0)
      native.release(runQueue.handle, this.#delivery)
    }
    return taken !== null
  }

  resume(index) {
    if (runQueue.exiting) return
    if (index === WHOLE) this.#begin()
    else super.resume(index)
  }

  isOver() {
    return native.isOver(runQueue.handle, this.#delivery)
  }

  drop(index) {
    native.skip(runQueue.handle, this.#delivery, index === WHOLE ? this.#indexOf(0) : this.#indexOf(index))
    super.drop(index)
  }

  get isAwaited() {
    return this.#isAwaited
  }

  /** Returns the listeners without replacements: the emitter waits for the addressed listeners alone. */
  withReplacements(left) {
    return left
  }

  heedRemovals() {
    const before = this.listeners
    super.heedRemovals()
    if (this.listeners === before) return
    const indexes = []
    for (const [index, listener] of before.entries()) {
      if (this.listeners[indexes.length] === listener) indexes.push(this.#indexOf(index))
      else native.skip(runQueue.handle, this.#delivery, this.#indexOf(index))
    }
    this.#indexes = indexes
  }

  /** Leaves out the listeners of these places, which were removed while the event was held. */
  leaveOut(isRemoved) {
    const [listeners, indexes] = [[], []]
    for (const [place, listener] of this.listeners.entries()) {
      if (isRemoved(place)) native.skip(runQueue.handle, this.#delivery, this.#indexOf(place))
      else {
        listeners.push(listener)
        indexes.push(this.#indexOf(place))
      }
    }
    this.listeners = listeners
    this.unsettled = listeners.length
    this.#indexes = indexes
  }

  call(listener, index, bus, args) {
    if (!hasToWait(listener)) this.ports = null
    if (this.#timeouts !== null && !hasToWait(listener)) this.#startTimer(this.#indexOf(index))
    if (super.call(listener, index, bus, args)) this.succeed(index)
    return false
  }

  /** Starts the engine's timer, so that the emitter is told in time even if the listener blocks this thread. */
  #startTimer(index) {
    const timeout = this.#timeouts[index]
    if (timeout !== undefined) native.startTimer(runQueue.handle, this.#delivery, index, Math.ceil(timeout))
  }

  followPromise(promise, index) {
    follow(
      promise,
      () => this.succeed(index),
      (error) => this.fail(index, error),
    )
  }

  succeed(index) {
    const value = this.#returned?.value
    if (value !== undefined) return this.#reply(index, value)
    this.#acknowledge(index)
    this.settle(1)
  }

  #acknowledge(index) {
    native.acknowledge(runQueue.handle, this.#delivery, this.#indexOf(index), this.#letGoWithLast())
  }

  /** Sends the reply. Where it cannot be sent, that is the failure. */
  #reply(index, value) {
    let encoded
    try {
      encoded = this.link.encoder.encodeAlone(value)
      if (encoded.handles !== null && !this.#replyBeside(index, encoded)) return
    } catch (error) {
      this.#refuseReply(index, error, encoded?.parcel ?? 0)
      return
    }
    this.#crossReply(encoded)
  }

  #replyBeside(index, encoded) {
    const { parcel } = encoded
    const cross = (copy) => this.#crossReply(copy)
    return this.#sendBeside(encoded, cross, (error) => this.#refuseReply(index, error, parcel))
  }

  #refuseReply(index, error, parcel) {
    this.link.parcels.drop(parcel)
    this.fail(index, error)
  }

  #crossReply({ buffer, start, end, parcel }) {
    this.link.parcels.attach(parcel)
    const [thread, isLast] = [runQueue.handle, this.#letGoWithLast()]
    if (this.link.lends(buffer)) native.reply(thread, this.#delivery, start, end, isLast)
    else native.reply(thread, this.#delivery, start, end, isLast, buffer)
    this.settle(1)
  }

  /** Returns 1 with the last listener: then the same call lets go of the delivery. */
  #letGoWithLast() {
    if (this.unsettled > 1) return 0
    this.#letGo = true
    return 1
  }

  fail(index, error) {
    const isSent = this.#sendError(index, error)
    this.tally.words[HEARD_FAILED]++
    this.outcome?.failed(index, error)
    report(this, index, error)
    if (isSent) this.settle(1)
  }

  /** Returns false where it is sent, and settled, later. */
  #sendError(index, error) {
    const { encoder } = this.link
    // The error of an event that is not awaited is heard by nobody.
    let encoded = encoder.encodeThrown(error, this.#isAwaited)
    const without = () => encoder.encodeThrown(error, false)
    const settle = (copy) => this.#settleFailed(index, copy)
    try {
      if (encoded.handles !== null && !this.#sendBeside(encoded, settle, () => settle(without()))) return false
    } catch {
      encoded = without()
    }
    this.#crossError(index, encoded)
    return true
  }

  #settleFailed(index, encoded) {
    this.#crossError(index, encoded)
    this.settle(1)
  }

  #crossError(index, { buffer, start, end }) {
    native.fail(runQueue.handle, this.#delivery, this.#indexOf(index), buffer, start, end)
  }

  /**
   * Sends the emitter the handles of a reply or an error. Throws where the runtime refuses them. Returns false where they
   * have to wait for a pair; later `cross` gets a copy of the message then, or `refused` the reason.
   */
  #sendBeside({ buffer, start, end, handles, parcel }, cross, refused) {
    if (this.#isForeign) refuseAbroad(handles.objects[0])
    const { link } = this
    const send = () => link.handles.reply(this.#endpoint, this.#token, handles)
    if (send()) return true
    const copy = { buffer: buffer.slice(start, end), start: 0, end: end - start, parcel }
    link.handles.pair(this.#endpoint, this.#delivery, () => {
      try {
        send()
      } catch (error) {
        return refused(error)
      }
      cross(copy)
    })
    return false
  }

  finish() {
    this.unsettled = -1
    finished(this)
    this.#closePorts()
    if (this.#scope !== null) this.link.unfollow(this.#scope.token)
    if (!this.#letGo) native.release(runQueue.handle, this.#delivery)
    this.tracker.member.checkQuiet()
  }

  #indexOf(index) {
    return this.#indexes === null ? index : this.#indexes[index]
  }
}

const registration = { member: { tracker: keptTracker() }, event: 'kept' }
const about = { delivery: 0, mustStart: false, isAwaited: true, isRequest: true, indexes: null, timeouts: null }
keep(() => [
  new TrackedEmission(null, registration, [() => {}], [], {
    ...about,
    gated: null,
    endpoint: 0,
    token: 0,
    isForeign: false,
    isLong: false,
  }),
])

module.exports = { TrackedEmission }
