'use strict'

// Worker threads that listen, each on a bus and on its contestants (`listener.js`), and this thread's side of both. One
// crew for all contestants of a row: they share its threads as they share the machine.

const { BroadcastChannel, MessageChannel, Worker } = require('node:worker_threads')
const path = require('node:path')
const { ParallelEventBus } = require('../../../index.js')
const { Ledger } = require('./ledger.js')

const CHANNEL = 'bench'

class Crew {
  bus = new ParallelEventBus({ channel: CHANNEL, onError: fail })
  broadcast = new BroadcastChannel(CHANNEL)
  /** To the first thread, which sends back everything it gets. */
  port
  /** By how many milliseconds the last 'stamp' was late. */
  #lateness = new Float64Array(new SharedArrayBuffer(8))
  workers
  #ledger
  #heard = null

  /** @param {'event' | 'anything' | 'number' | 'bytes' | 'stamp'} hears kind of the values that are sent to the threads */
  constructor(threads, hears, mailbox) {
    const memory = Ledger.memoryFor(threads)
    this.#ledger = new Ledger(memory)
    this.workers = Array.from({ length: threads }, (_, thread) => {
      const { port1, port2 } = new MessageChannel()
      if (thread === 0) this.port = port1
      else port1.unref()
      const workerData = { channel: CHANNEL, hears, mailbox, memory, thread, port: port2, lateness: this.#lateness }
      const worker = new Worker(path.join(__dirname, 'listener.js'), { workerData, transferList: [port2] })
      return worker.on('message', (message) => message === 'heard' && this.#heard())
    })
  }

  get lateness() {
    return this.#lateness[0]
  }

  counters(way) {
    return this.#ledger.counters(way)
  }

  /** To be called before they are sent. Resolves when every thread has heard so many more on a way. */
  heard(way, count) {
    this.#ledger.expect(way, count)
    return new Promise((resolve) => {
      this.#heard = resolve
    })
  }

  /** The threads collect their garbage. */
  collect = () => {
    const collected = this.#told('collected')
    for (const worker of this.workers) worker.postMessage('collect')
    return collected
  }

  /** Resolves when each thread has said so. */
  #told(what) {
    const said = (worker) =>
      new Promise((resolve, reject) => {
        const hear = (message) => {
          if (message !== what) return
          worker.off('message', hear).off('error', reject)
          resolve()
        }
        worker.on('message', hear).once('error', reject)
      })
    return Promise.all(this.workers.map(said))
  }

  ready() {
    return this.#told('ready')
  }

  /** Ends the threads, after their present work. */
  async close() {
    await this.bus.close()
    this.broadcast.close()
    const exits = this.workers.map((worker) => new Promise((resolve) => worker.once('exit', resolve)))
    for (const worker of this.workers) worker.postMessage('close')
    await Promise.all(exits)
  }
}

/** An event that was refused is not heard: the row would wait for ever. */
function fail(_event, error) {
  process.nextTick(() => {
    throw error
  })
}

/** Starts the threads, and ends them when `use` is over. */
async function withCrew({ threads, hears, mailbox }, use) {
  const crew = new Crew(threads, hears, mailbox)
  await crew.ready()
  const result = await use(crew)
  await crew.close()
  return result
}

module.exports = { withCrew }
