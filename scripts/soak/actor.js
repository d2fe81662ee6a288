'use strict'

// One thread's part in a round: it has some buses on the channels, does one thing after another with them, and in the
// end sees that all it has begun comes to an end.

const { setTimeout: wait } = require('node:timers/promises')
const { Checks, PURPOSE } = require('./checks.js')
const { burn, turn } = require('./listeners.js')
const { Peer } = require('./peer.js')
const { Random } = require('./random.js')
const { Numbers } = require('./watch.js')

/** Milliseconds without any event after which an unsettled promise is lost. */
const PATIENCE_MS = 30_000
const MOST_PEERS = 4
/** Number of unsettled promises at which a thread waits for them. */
const MOST_OPEN = 500
const POOL = new URL('./pool.mjs', `file://${__dirname}/`)

class Actor {
  /** Number of the last event that this thread emitted. */
  sequence = 0
  /** @type {Map<Promise<unknown>, string>} unsettled promises, with their kinds */
  #open = new Map()
  /** @type {Peer[]} */
  #peers = []
  #pool = null
  #numbers
  #weights
  #channels
  #die

  /**
   * @param {{ seed: number, thread: number, channels: string[], weights: Record<string, number> }} part
   * @param {((how: string) => void) | null} die how this thread ends itself; null where it has to stay
   */
  constructor(ledger, { seed, thread, channels, weights }, die) {
    this.random = new Random(seed)
    this.ledger = ledger
    this.thread = thread
    this.checks = new Checks(ledger, die === null ? 'the main thread' : `thread ${thread}`)
    this.#numbers = new Numbers(this.checks)
    this.#channels = channels
    this.#weights = weights
    this.#die = die
  }

  /** A promise that has to settle, as it is expected to. */
  track(what, promise) {
    this.ledger.add('promises')
    const settled = promise
      .catch((error) => this.checks.expected(error, `as the rejection of ${what}`))
      .finally(() => this.#open.delete(settled))
    this.#open.set(settled, what)
  }

  async live() {
    this.#join()
    while (!this.ledger.isOver) {
      this.#act(this.random.weighted(this.#weights))
      if (this.random.chance(0.3) || this.#open.size > MOST_OPEN) await this.#breathe()
    }
  }

  async #breathe() {
    await turn()
    const crowded = this.#peers.filter(({ bus }) => bus.needsDrain)
    if (this.#open.size > MOST_OPEN) await Promise.race(this.#open.keys())
    for (const { bus } of crowded) this.track('drained', bus.drained())
  }

  #join() {
    const peer = new Peer(this, this.random.of(this.#channels))
    this.#peers.push(peer)
    for (let left = this.random.integer(1, 4); left > 0; left--) peer.listen()
  }

  #leave(at) {
    const [peer] = this.#peers.splice(at, 1)
    peer.close()
  }

  #act(action) {
    const { random } = this
    const peer = random.of(this.#peers)
    const times = (most, act) => {
      for (let left = random.integer(1, most); left > 0; left--) act()
    }
    switch (action) {
      case 'post':
        return peer.post(random.of([1, 3, 30, 300]))
      case 'postGrouped':
        return peer.postGrouped(random.integer(1, 30))
      case 'wait':
        return times(10, () => peer.wait(random.of(['plain', 'grouped'])))
      case 'request':
        return times(20, () => peer.request())
      case 'bounded':
        return times(10, () => peer.bounded())
      case 'takenBack':
        return peer.takenBack()
      case 'listen':
        return peer.listen()
      case 'remove':
        return peer.remove()
      case 'listenFor':
        return peer.listenFor()
      case 'idle':
        return this.track('idle', peer.bus.idle())
      case 'look':
        return this.track('metrics', this.#numbers.look(peer.bus))
      case 'burn':
        return burn(random.integer(1, 15))
      case 'ref':
        return random.chance(0.5) ? peer.bus.ref() : peer.bus.unref()
      case 'join':
        return this.#peers.length < MOST_PEERS && this.#join()
      case 'leave':
        return this.#peers.length > 1 && this.#leave(random.integer(0, this.#peers.length - 1))
      case 'pool':
        return this.#poolOrNone(peer)
      case 'die':
        return this.#die?.(random.of(['exit', 'throw', 'reject', 'hang']))
    }
  }

  /** Starts threads; or ends those that were started last, or has them replaced. */
  #poolOrNone(peer) {
    if (this.#pool === null) this.#spawn(peer)
    else if (this.random.chance(0.3)) this.#recycle()
    else this.#endPool()
  }

  #spawn(peer) {
    this.ledger.add('pools')
    const { random, ledger } = this
    const terminateAfter = random.of([undefined, undefined, 50, 200])
    const workerData = { memory: ledger.memory, seed: random.seed(), mayHang: terminateAfter !== undefined }
    const size = random.of([{ threads: 1 }, { threads: 2 }, { minThreads: 1, maxThreads: 3, idleTimeout: 20 }])
    const spawned = peer.bus.spawn(POOL, { ...size, terminateAfter, workerData })
    this.track('spawn', spawned)
    this.#pool = spawned.catch(() => undefined)
  }

  #recycle() {
    this.track(
      'recycle',
      this.#pool.then((pool) => pool?.recycle()),
    )
  }

  #endPool() {
    const { random } = this
    const end = random.of([(pool) => pool.close(), (pool) => pool.terminate(), (pool) => pool.close({ timeout: 20 })])
    this.track(
      'spawn and its end',
      this.#pool.then((pool) => pool && end(pool)),
    )
    this.#pool = null
  }

  /** Closes everything open, and waits for unsettled promises: as long as anything happens in any thread. */
  async end() {
    while (this.#peers.length > 0) this.#leave(0)
    let seen
    let end
    while (this.#open.size > 0) {
      const now = `${this.#open.size} ${this.ledger.get('heard')}`
      if (now !== seen) end = performance.now() + PATIENCE_MS
      seen = now
      if (performance.now() > end) {
        this.checks.violated(`${this.#open.size} promises do not settle:`, [...new Set(this.#open.values())])
        return
      }
      await wait(10)
    }
  }
}

module.exports = { Actor, PATIENCE_MS, PURPOSE }
