'use strict'

// The context of a call: what a listener with `context: true` is told of its event, as its last argument.
//
// All listeners of one emission share its scope: where it comes from, and its end. The end is that nobody waits for the
// listeners any more. Signals are made when they are read, so an emission of other listeners has no scope at all.

const { inspect } = require('node:util')
const { keep } = require('../kept.js')
const native = require('../native.js')
const { Waiting } = require('./gate.js')
const runQueue = require('./run-queue.js')

/** An end that may come, and its signal. */
class End {
  #controller = null
  /** In an object, because it may be anything; null before the end. */
  #reason = null

  get signal() {
    if (this.#controller === null) {
      this.#controller = new AbortController()
      if (this.#reason !== null) this.#controller.abort(this.#reason.value)
    }
    return this.#controller.signal
  }

  /** Only the first call counts. */
  come(value) {
    if (this.#reason !== null) return
    this.#reason = { value }
    this.#controller?.abort(value)
  }

  /** Has another end come with this one. */
  bring(other) {
    if (this.#reason !== null) other.come(this.#reason.value)
  }
}

class Scope extends End {
  /** Names it to the link, if it follows an event of another thread; else 0. */
  token = 0
  /** The process of the emitter, if it is another one. */
  peer
  #threadId
  #id
  #watch
  /** @type {Set<End> | null} ends of single listeners, which come with this one */
  #others = null

  /** @param {{ threadId?: number, peer?: object, id?: number, watch?: () => void }} origin `watch` is called when a signal is asked for */
  constructor({ threadId, peer, id = 0, watch = null } = {}) {
    super()
    this.peer = peer
    this.#threadId = threadId
    this.#id = id
    this.#watch = watch
  }

  get threadId() {
    this.#threadId ??= require('node:worker_threads').threadId
    return this.#threadId
  }

  get id() {
    if (this.#id === 0) this.#id = native.nextEvent()
    return this.#id
  }

  set id(id) {
    this.#id = id
  }

  /** Sees to it that the end is noticed. */
  watch() {
    const watch = this.#watch
    this.#watch = null
    watch?.()
  }

  come(value) {
    super.come(value)
    for (const other of this.#others ?? []) other.come(value)
  }

  bring(other) {
    super.bring(other)
    this.#others ??= new Set()
    this.#others.add(other)
  }
}

class ListenerContext {
  #scope
  /** The end of this call, where the listener has a timeout of its own; or null. */
  #own = null

  constructor(event, scope, isTimed) {
    this.event = event
    this.threadId = scope.threadId
    if (scope.peer !== undefined) this.peer = scope.peer
    this.#scope = scope
    if (!isTimed) return
    this.#own = new End()
    scope.bring(this.#own)
  }

  get id() {
    return this.#scope.id
  }

  get signal() {
    this.#scope.watch()
    return (this.#own ?? this.#scope).signal
  }

  /** Notes that the listener's own time is over. */
  static timedOut(context, error) {
    context.#own.come(error)
  }

  [inspect.custom](_depth, options, show) {
    const { event, threadId, peer, id, signal } = this
    return `ListenerContext ${show({ event, threadId, ...(peer && { peer }), id, signal }, options)}`
  }
}

/** @type {WeakMap<import('./emission.js').Emission, Scope>} those of emissions that have no place for them */
const scopes = new WeakMap()

/** Returns the scope of an emission, which is made for the first of its listeners. */
function scopeFor(emission, make) {
  let scope = scopes.get(emission)
  if (scope === undefined) {
    scope = make()
    scopes.set(emission, scope)
  }
  return scope
}

/** Returns the scope of the emission that is calling a listener right now. */
function currentScope() {
  const { current } = runQueue
  return (current instanceof Waiting ? current.emission : current).scope
}

keep(() => [new ListenerContext('kept', new Scope({ threadId: 0 }), true)])

module.exports = { ListenerContext, Scope, currentScope, scopeFor }
